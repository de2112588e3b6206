"""The experiment's configuration: the typed model that everything else is generated from.

Defaults, descriptions, validation, `workflow/schemas/config.schema.yaml` and
`config/README.md` all come from the classes below, so they cannot drift apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from online_rnnlm.errors import UserError

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.]*(-[a-z0-9_.]+)*$")]
PositiveInt = Annotated[int, Field(ge=1)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class PackagedSource(Settings):
    """Wikipedia text that arrives with a Python package from the package index."""

    kind: Literal["wikipedia-vital", "wikipedia-excerpt"] = Field(
        description="`wikipedia-vital`: lead sections of Vital Articles, one JSON file. "
        "`wikipedia-excerpt`: 206 pages of a true MediaWiki dump."
    )


class TextSource(Settings):
    """The user's own text: one file to be shuffled and split, or three ready files.

    Ready files keep their order, and no sentence is dropped for being in another of them.
    """

    kind: Literal["text"] = Field(description="Your own files.")
    file: Path | None = Field(
        default=None,
        description="One file to be split: plain text (a paragraph a line; a sentence a line if "
        "`tokenised`), or `.jsonl` with an article's text under `text`. "
        "`.gz`, `.bz2` and `.xz` are read as they are.",
    )
    train: Path | None = Field(
        default=None, description="Ready file for `train`, of the same kinds as `file`."
    )
    valid: Path | None = Field(
        default=None, description="Ready file for `valid`, of the same kinds as `file`."
    )
    test: Path | None = Field(
        default=None, description="Ready file for `test`, of the same kinds as `file`."
    )
    tokenised: bool = Field(
        default=False,
        description="The text is one sentence a line, its tokens separated by spaces: nothing is "
        "tokenised, lower-cased or dropped any more, but empty lines.",
    )

    @model_validator(mode="after")
    def _one_file_or_three(self) -> TextSource:
        ready = [self.train, self.valid, self.test]
        one = self.file is not None and not any(ready)
        three = self.file is None and all(ready)
        if not one and not three:
            raise ValueError("give either `file`, or all of `train`, `valid` and `test`")
        return self


Source = Annotated[PackagedSource | TextSource, Field(discriminator="kind")]


class VocabularySettings(Settings):
    """Which words the model knows; all others become `<unk>`."""

    min_count: PositiveInt = Field(
        default=5, description="A word is kept if it occurs at least so often in `train`."
    )
    max_size: Annotated[int, Field(ge=3)] | None = Field(
        default=None,
        description="At most so many words, the most frequent first; `<unk>` and `</s>` count.",
    )


class ClassSettings(Settings):
    """How the vocabulary is divided into word classes."""

    count: PositiveInt = Field(default=30, description="Number of word classes.")
    rule: Literal["sqrt_frequency", "frequency", "equal_size"] = Field(
        default="sqrt_frequency",
        description="What every class gets an equal share of: the square roots of the words' "
        "frequencies (the RNNLM Toolkit's rule), the frequencies, or the words.",
    )


class CorpusSettings(Settings):
    """One corpus: where its text comes from and how it is prepared."""

    source: Source = Field(description="Where the text comes from.")
    seed: NaturalInt = Field(
        default=1, description="Seed of the shuffle before the split, and of the sample."
    )
    lowercase: bool = Field(default=True, description="Lower-case every token.")
    min_tokens: PositiveInt = Field(
        default=3, description="Shorter sentences are dropped as fragments."
    )
    max_tokens: PositiveInt = Field(default=100, description="Longer sentences are dropped.")
    train_sentences: PositiveInt | None = Field(
        default=None, description="Sample so many training sentences; `null`: all that remain."
    )
    valid_sentences: PositiveInt = Field(
        default=2000, description="Sentences for validation; a ready file is taken whole."
    )
    test_sentences: PositiveInt = Field(
        default=2000, description="Sentences for testing; a ready file is taken whole."
    )
    vocabulary: VocabularySettings = Field(default=VocabularySettings(), description="The words.")
    classes: ClassSettings = Field(default=ClassSettings(), description="The word classes.")


class RunSettings(Settings):
    """Everything that decides one training run, but the corpus's content and the code."""

    corpus: Name = Field(description="Key of the corpus under `corpora`.")
    seed: NaturalInt = Field(default=1, description="Seed of the weights and of the order.")
    hidden_size: PositiveInt = Field(default=100, description="Hidden units, M.")
    document_size: NaturalInt = Field(
        default=0, description="Length of the document vector, D; 0 is the static baseline."
    )
    document_rate: NonNegativeFloat = Field(
        default=0.15,
        description="Rate α at which the document vector learns after every word, "
        "in training and in testing.",
    )
    unit_of_text: Literal["sentence"] = Field(
        default="sentence",
        description="What a document vector and a hidden state live through; both start at 0.",
    )
    optimizer: Literal["adagrad", "sgd"] = Field(
        default="adagrad", description="How gradients become updates."
    )
    learning_rate: PositiveFloat = Field(default=0.2, description="Learning rate of the weights.")
    accumulator_start: PositiveFloat = Field(
        default=1.0, description="AdaGrad: where the sums of squared gradients start."
    )
    batch_sentences: PositiveInt = Field(
        default=64, description="Sentences an update; their losses are summed."
    )
    l2: NonNegativeFloat = Field(
        default=0.0,
        description="L2 penalty: adds `l2 / 2 · w²` for every weight that an update touches.",
    )
    error_clip: NonNegativeFloat = Field(
        default=15.0,
        description="Bound on each element of the error that is propagated back to a hidden "
        "unit's input (the RNNLM Toolkit's rule); 0 is no bound.",
    )
    initial_scale: NonNegativeFloat = Field(
        default=0.1, description="Standard deviation of the normal initial weights."
    )
    max_epochs: PositiveInt = Field(default=30, description="Stop after so many epochs at most.")
    rate_rule: Literal["plateau", "toolkit"] = Field(
        default="plateau",
        description="When the rate falls and training ends. `plateau`: the rate is divided after "
        "every epoch that is no improvement; the third ends training. `toolkit`, the RNNLM "
        "Toolkit's: from the first such epoch on it is divided before every epoch; the second "
        "ends training. Either gives up a worse epoch's weights for the best ones.",
    )
    improvement_factor: Annotated[float, Field(ge=1)] = Field(
        default=1.003,
        description="An epoch is an improvement if the validation entropy falls by this factor.",
    )
    rate_divisor: Annotated[float, Field(gt=1)] = Field(
        default=2.0, description="What the learning rate is divided by when it falls."
    )
    divergence_perplexity: PositiveFloat = Field(
        default=10.0,
        description="Stop as diverged if a perplexity exceeds this many times the vocabulary size.",
    )
    engine: Literal["kernel", "graph"] = Field(
        default="kernel",
        description="`kernel`: the fast step. `graph`: the plain symbolic graph, the reference.",
    )
    precision: Literal["float32", "float64"] = Field(
        default="float32", description="Floating-point type of weights and arithmetic."
    )


Part = Literal["document_vector", "embeddings", "recurrent", "output", "all"]
Subset = Annotated[
    list[Part],
    Field(min_length=1),
    BeforeValidator(
        lambda value: value if isinstance(value, list) else [value],
        json_schema_input_type=Part | list[Part],
    ),
]


class TestingSettings(Settings):
    """What else learns during testing; no part of a run's identity."""

    updates: list[Subset] = Field(
        default=[],
        description="What else learns during testing, each entry one more evaluation of every run: "
        "`document_vector`, groups of weights, a list of them, or `all`. Every run is tested with "
        "nothing learning and, if it has one, with its document vector learning anyway. What a "
        "run does not have is left out, and what is the same then is done once.",
    )
    learning_rate: NonNegativeFloat = Field(
        default=0.02, description="Rate of the plain step that these weights take after every word."
    )
    steps: PositiveInt = Field(
        default=5, description="Hidden states that a word's loss is propagated back through."
    )


RUN_KEYS = frozenset(RunSettings.model_fields) - {"corpus", "seed"}


class Experiment(Settings):
    """One experiment: corpora, rows to compare, seeds."""

    experiment: Name = Field(description="Name; everything is written to `results/<experiment>/`.")
    downloads: Path = Field(
        default=Path("results/downloads"), description="Where downloaded files are kept."
    )
    corpora: dict[Name, CorpusSettings] = Field(
        min_length=1, description="The corpora, by name; every row is trained on each."
    )
    seeds: list[NaturalInt] = Field(
        default=[1], min_length=1, description="Every row is trained once with each seed."
    )
    training: dict[str, Any] = Field(
        default={}, description="Settings of training that all rows share; see below."
    )
    rows: list[dict[str, Any]] = Field(
        min_length=1,
        description="The rows of the comparison, each with the settings of its own; see below.",
    )
    search: dict[str, list[Any]] = Field(
        default={},
        description="Settings to search: every row is trained with every combination, and the "
        "tables show the one with the best validation perplexity.",
    )
    testing: TestingSettings = Field(
        default=TestingSettings(), description="What learns during testing."
    )

    @model_validator(mode="after")
    def _runs_are_valid(self) -> Experiment:
        for label, part in self._parts():
            unknown = sorted(set(part) - RUN_KEYS)
            if unknown:
                allowed = ", ".join(sorted(RUN_KEYS))
                raise ValueError(f"`{label}`: unknown key `{unknown[0]}`; allowed: {allowed}")
        names = [run.name for run in self.runs()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"`rows`: two rows make the same run `{twice[0]}`")
        return self

    def _parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "training", self.training
        yield "search", self.search
        yield from ((f"rows.{i}", row) for i, row in enumerate(self.rows))

    def runs(self) -> list[Run]:
        """Every training run: corpora × rows × searched settings × seeds."""
        return [
            run
            for corpus in self.corpora
            for index in range(len(self.rows))
            for run in self._row_runs(corpus, index)
        ]

    def _row_runs(self, corpus: str, index: int) -> Iterator[Run]:
        for values in itertools.product(*self.search.values()):
            searched = dict(zip(self.search, values, strict=True))
            for seed in self.seeds:
                merged = {**self.training, **self.rows[index], **searched}
                settings = _run_settings(
                    {**merged, "corpus": corpus, "seed": seed}, f"rows.{index}"
                )
                yield Run(settings=settings, searched=searched)


class Run(Settings):
    """One training run and its name."""

    settings: RunSettings
    searched: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the run's directory, such as `wikipedia-vital-M100-D20-seed1`."""
        s = self.settings
        searched = [f"{key}{value}" for key, value in self.searched.items()]
        parts = [s.corpus, f"M{s.hidden_size}", f"D{s.document_size}", *searched, f"seed{s.seed}"]
        return "-".join(parts)


def _run_settings(values: dict[str, Any], where: str) -> RunSettings:
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(_first_message(error, where)) from None


def _first_message(error: ValidationError, where: str = "") -> str:
    """The first of pydantic's complaints as `key: what is wrong`."""
    first = error.errors()[0]
    key = ".".join([part for part in [where] if part] + [str(part) for part in first["loc"]])
    text = first["msg"].removeprefix("Value error, ")
    got = "" if isinstance(first["input"], dict) else f", not {first['input']!r}"
    return f"`{key}`: {text}{got}" if key else text


def parse(values: dict[str, Any], file: str = "configuration") -> Experiment:
    """Check a configuration that has been read already.

    Raises UserError with one line that names the file, the key and what is allowed.
    """
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{file}: {_first_message(error)}") from None


def load(path: Path) -> Experiment:
    """Read and check a configuration file; raises UserError."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: a mapping of keys to values is needed")
    return parse(values, str(path))
