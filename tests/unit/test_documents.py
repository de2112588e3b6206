"""Tests that files, headings, tests, targets, verbs and profiles in the documents exist."""

import argparse
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from online_rnnlm.analysis.evidence import text
from online_rnnlm.analysis.evidence.check import check_evidence
from online_rnnlm.commands._main import verbs

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "config", "docs", "src", "tests", "workflow")
# The changelog also describes earlier versions, whose files may be gone.
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "config/*.md", "results/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w(?![\w*<{{]|/[*<{{])")
NAME = re.compile(r"`([\w./-]+\.(?:lock|py|sh|smk|toml))(?=`|::)")
TEST = re.compile(r"`([\w./-]+\.py)::(\w+)(?:\[([^\]]+)\])?`")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
MAKE = re.compile(r"(?:^    |`)make ([a-z][\w-]*)", re.MULTILINE)
VERB = re.compile(r"(?:^    |`)online-rnnlm ([a-z][\w-]*)([^`\n]*)", re.MULTILINE)
SNAKEMAKE = re.compile(r"(?:^    |`)(snakemake [^`\n]*)", re.MULTILINE)
SETTING = re.compile(r"`([a-z-]+): ([\w-]+)`")
PROFILE = re.compile(r"--workflow-profile ([\w./-]+)")

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


@cache
def files() -> list[str]:
    """Return all files of the project that a document may name, as paths from its root."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    found = [path for path in [*ROOT.iterdir(), *inside] if path.is_file()]
    return [path.relative_to(ROOT).as_posix() for path in found]


def named(name: str) -> list[str]:
    """Return the files that have this name or whose path ends with it."""
    return [file for file in files() if f"/{file}".endswith(f"/{name}")]


@cache
def cases() -> dict[str, dict[str, set[str]]]:
    """Return the strings in tests' decorators, among them cases' ids, by file and test."""
    return {
        file: {
            node.name: set(_texts(node))
            for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }
        for file in files()
        if re.match(r"tests/.*test_\w+\.py$", file)
    }


def _texts(test: ast.FunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def headings(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def options(verb: str) -> set[str]:
    parser = argparse.ArgumentParser()
    import_module(f"online_rnnlm.commands.{verbs()[verb]}").add_arguments(parser)
    return set(re.findall(r"--[\w-]+", parser.format_help()))


@every_document
def test_a_named_file_exists(document):
    text = document.read_text(encoding="utf-8")
    places = {path for path in PATH.findall(text) if "another" not in path}
    assert not sorted(path for path in places if not (ROOT / path).exists())
    assert not sorted(name for name in set(NAME.findall(text)) if not named(name))


@every_document
def test_a_link_leads_to_a_file_and_a_heading_of_it(document):
    wrong = []
    for path, heading in LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / path if path else document
        if not target.exists() or (heading and heading not in headings(target)):
            wrong.append((path, heading))
    assert not wrong


@every_document
def test_a_named_test_exists(document):
    wrong = []
    for file, test, case in TEST.findall(document.read_text(encoding="utf-8")):
        found = [cases()[place][test] for place in named(file) if test in cases().get(place, {})]
        if not found or (case and not any(case in texts for texts in found)):
            wrong.append((file, test, case))
    assert not wrong


@every_document
def test_a_make_target_exists(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    rules = re.findall(r"^([a-z][\w -]*):", makefile, re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    assert set(MAKE.findall(document.read_text(encoding="utf-8"))) <= targets


@every_document
def test_a_verb_exists_with_its_options(document):
    for verb, arguments in VERB.findall(document.read_text(encoding="utf-8")):
        assert verb in verbs()
        assert set(re.findall(r"--[\w-]+", arguments)) <= options(verb) | {"--log"}


@cache
def options_of_snakemake() -> set[str]:
    command = [sys.executable, "-m", "snakemake", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(re.findall(r"--[a-z][\w-]*", done.stdout))


@every_document
def test_an_option_of_snakemake_exists(document):
    text = document.read_text(encoding="utf-8")
    pieces = SNAKEMAKE.findall(text)
    if document.name == "cluster.md":
        pieces += re.findall(r"`(--[^`\n]*)`", text)
    named = {option for piece in pieces for option in re.findall(r"--[a-z][\w-]*", piece)}
    assert named <= options_of_snakemake()


def test_a_setting_is_that_of_the_profile_for_slurm():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    named = {key: value for key, value in SETTING.findall(text) if key in profile}
    assert named.keys() >= {"retries", "slurm-requeue", "local-cores"}
    assert named == {key: str(profile[key]).lower() for key in named}


@every_document
def test_a_profile_exists(document):
    for profile in PROFILE.findall(document.read_text(encoding="utf-8")):
        places = [ROOT / profile, ROOT / "profiles" / profile]
        assert any((place / "config.yaml").is_file() for place in places), profile


@pytest.mark.parametrize("name", text.DOCUMENTS, ids=str)
def test_the_numbers_of_a_document_are_those_of_the_evidence(name):
    """`make document` writes them; nobody copies them by hand."""
    document = (ROOT / name).read_text(encoding="utf-8")
    assert text.with_evidence(document, ROOT) == document


@pytest.mark.parametrize(
    "sums", sorted((ROOT / text.FOLDERS).glob("*/SHA256SUMS")), ids=lambda file: file.parent.name
)
def test_the_evidence_follows_from_its_scores(sums):
    """Every test perplexity, change, interval and p-value is computed once more."""
    assert check_evidence(sums.parent) > 0
    assert sum(file.stat().st_size for file in sums.parent.rglob("*")) < 10_000_000
