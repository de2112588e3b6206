"""Generation of documents from the typed models: the configuration's schema and its README.

The module `formats` makes the tables of `docs/data-formats.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.forms import IN_WORDS
from online_rnnlm.config.listed import RUN_KEYS
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline.formats import FORMATS, TYPES_IN_WORDS, Schema, with_tables
from online_rnnlm.storage.files import replacing

SCHEMA = Path("workflow/schemas/config.schema.yaml")
README = Path("config/README.md")
COMMAND = "make document"

_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}

_INTRODUCTION = f"""\
# The configuration

<!-- Made from src/online_rnnlm/config by `{COMMAND}`: edit that, not this. -->

`snakemake --cores all` runs `config.yaml`; `--configfile config/another.yaml` takes its place.
Files are named from the folder that Snakemake is started in.

`--config 'seeds=[1,2]'` replaces a value of either file. A mapping is merged with the file's:
`--config 'training={{max_epochs: 2}}'` changes one key of `training`, and
`--config 'corpora={{…}}'` adds a corpus. An empty mapping takes the place of the file's:
`--config 'search={{}}'` searches nothing.

An unknown key or a wrong value stops it at once, with the key, what is allowed, and the right key
that is nearest to an unknown one. A key that is there twice, a key that is no text, and a number to
the base 8 or 60 (`010`, `1:30`) are errors, too; they are named with their line.

Snakemake reads a file behind `--configfile` before this project can. If it is missing, unreadable
or no YAML, Snakemake's error names no line. `make reproduce CONFIG=config/another.yaml` checks the
file first, and `online-rnnlm check config/another.yaml` only checks it: these two name the line.

| file | what it runs |
|---|---|
| `config.yaml` | the demo: the comparison's rows on a real Wikipedia corpus |
| `comparison.yaml` | the whole comparison: three seeds, a search for every row, what learns \
during testing, rivals; more than an hour |
| `search.yaml` | the search for each row's learning rate, from which `config.yaml` has its own |
| `documents.yaml` | sentences against whole articles, the paper's hidden layer against others, \
with and without dropout; three seeds; an hour or so on two cores |
| `full-scale.yaml` | full scale by sentences: 10 million words, three seeds, five networks, \
nothing searched; some three hours on two cores |
| `paper.yaml` | full scale by articles: 10 million words, three seeds, six networks, LSTMs among \
them; some six hours of processor time |
| `smoke.yaml` | every stage on tiny networks, in a few minutes; what the tests run |
| `examples/` | configurations to start from |
| `published.yaml` | no experiment: the paper's own numbers, each with its source and status |
"""

# Headings, each with the definition in the schema that it documents; "" is the whole schema.
_BEFORE_SOURCES = (("An experiment", ""), ("A corpus: `corpora.<name>`", "CorpusSettings"))
_AFTER_SOURCES = (
    ("A file at an address: `url` of a source", "Url"),
    ("The words: `vocabulary`", "VocabularySettings"),
    ("The word classes: `classes`", "ClassSettings"),
    ("Training: `training`, `rows` and `search`", "TrainingSettings"),
    ("Further tests: `testing`", "TestingSettings"),
    ("The table of engines: `engine_table`", "EngineTableSettings"),
    ("MLflow: `tracking`", "TrackingSettings"),
)
_TRAINING = """\
`training` holds what all rows share, a row of `rows` what is its own, `search` a list of values to
try for each key. The later wins: a row over `training`, `search` over both. In a row, a list of
values makes a row of each. A setting that changes nothing in a row, such as `document_layer` where
`document_size` is 0, is ignored there and makes no second run.
"""


def write_documentation(project: Path) -> None:
    """Rewrite the schema, `config/README.md` and the tables of `docs/data-formats.md`.

    Raises UserError if one of them is missing: the folder is then not the project's.
    """
    missing = [str(path) for path in (SCHEMA, README, FORMATS) if not (project / path).is_file()]
    if missing:
        raise UserError(f"--project {project}: not the project's folder: it has no {missing[0]}")
    formats = with_tables((project / FORMATS).read_text(encoding="utf-8"))
    for path, text in ((SCHEMA, schema_text()), (README, readme_text()), (FORMATS, formats)):
        with replacing(project / path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def schema() -> Schema:
    """Return the JSON schema of a configuration file: the model's, with every training key."""
    whole = _without_titles(Experiment.model_json_schema())
    whole["$defs"]["TrainingSettings"] = _training_schema()
    properties = whole["properties"]
    reference = {"$ref": "#/$defs/TrainingSettings"}
    properties["training"] = {**properties["training"], **reference}
    properties["training"].pop("additionalProperties")
    properties["training"].pop("type")
    properties["rows"]["items"] = reference
    properties["search"] = _search_schema(properties["search"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def _training_schema() -> Schema:
    """Return the schema of a run's settings, none required.

    The settings that the experiment itself gives are left out.
    """
    run = _without_titles(RunSettings.model_json_schema())
    keys = {key: value for key, value in run["properties"].items() if key in RUN_KEYS}
    description = "Settings of training."
    return {
        "additionalProperties": False,
        "description": description,
        "properties": keys,
        "type": "object",
    }


def _search_schema(search: Schema) -> Schema:
    lists = {
        key: {"type": "array", "items": {"$ref": f"#/$defs/TrainingSettings/properties/{key}"}}
        for key in sorted(RUN_KEYS)
    }
    return {**search, "additionalProperties": False, "properties": lists}


def _without_titles(part: Any) -> Any:
    """Return the schema without the titles that pydantic derives from the names."""
    if isinstance(part, list):
        return [_without_titles(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_titles(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }


def schema_text() -> str:
    """Return the schema as YAML."""
    header = f"# Made from src/online_rnnlm/config by `{COMMAND}`: edit that, not this.\n"
    return header + yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True, width=100)


def readme_text() -> str:
    """Return the text of `config/README.md`: each key, its meaning, default and allowed values."""
    whole = schema()
    parts = [_INTRODUCTION]
    for heading, name in (*_BEFORE_SOURCES, *_source_sections(whole), *_AFTER_SOURCES):
        definition = whole["$defs"][name] if name else whole
        parts.append(f"## {heading}\n")
        if name == "TrainingSettings":
            parts.append(_TRAINING)
        parts.append("\n".join(_table(definition)) + "\n")
    return "\n".join(parts)


def _source_sections(whole: Schema) -> Iterator[tuple[str, str]]:
    """Yield the heading and the definition of each kind of source."""
    kinds = whole["$defs"]["CorpusSettings"]["properties"]["source"]["discriminator"]["mapping"]
    for kind, reference in kinds.items():
        name = reference.rpartition("/")[2]
        yield f"Where its text comes from: `source` of the kind `{kind}`", name


def _table(definition: Schema) -> Iterator[str]:
    yield "| key | meaning | default | allowed |"
    yield "|---|---|---|---|"
    required = definition.get("required", [])
    for key, part in definition["properties"].items():
        default = "required" if key in required else _default(part)
        yield f"| `{key}` | {part['description']} | {default} | {_allowed(part)} |"


def _default(part: Schema) -> str:
    """Return the default value; a part with keys of its own only refers to their defaults."""
    value = part.get("default")
    if isinstance(value, dict) and value:
        return "see below"
    return (
        f"`{yaml.safe_dump(value, default_flow_style=True).removesuffix('...' + chr(10)).strip()}`"
    )


def _allowed(part: Schema) -> str:
    """Return the allowed values, in words."""
    if "anyOf" in part:
        return " or ".join(_allowed(option) for option in part["anyOf"])
    if "enum" in part or "const" in part:
        return ", ".join(f"`{value}`" for value in part.get("enum", [part.get("const")]))
    if part.get("type") == "array":
        return f"list, each: {_allowed(part['items'])}"
    bounds = [f"{sign} {_number(part[key])}" for key, sign in _BOUNDS.items() if key in part]
    return " ".join([_kind(part), *bounds])


def _number(value: float) -> str:
    return f"{value:g}".replace("e+0", "e").replace("e+", "e")


def _kind(part: Schema) -> str:
    if part.get("format") == "path":
        return "file or folder"
    if "pattern" in part:
        return IN_WORDS[part["pattern"]]
    return TYPES_IN_WORDS.get(part.get("type", ""), "see below")
