"""Tests that what the documents name exists: files, headings, tests, targets, verbs, options."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from docs.generate import evidence
from online_rnnlm.analysis.evidence.checking import check_evidence
from online_rnnlm.commands._main import VERBS, parser_of
from tests.processes import output_of
from tests.project import ROOT

FOLDERS = ("locks", "benchmarks", "config", "docs", "src", "tests", "workflow")
# The changelog also describes earlier versions, whose files may be gone.
DOCUMENTS = sorted(
    path
    for folder in (".", "docs", "docs/theano", "config", "results")
    for path in (ROOT / folder).glob("*.md")
    if path.name != "CHANGELOG.md"
)
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*\w(?![\w*<{{]|/[*<{{])")
NAME = re.compile(r"`([\w./-]+\.(?:lock|py|sh|smk|toml))(?:::(\w+)[^`]*)?`")
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
MAKE = re.compile(r"(?:^    |`)make ([a-z][\w-]*)", re.MULTILINE)
VERB = re.compile(r"(?:^    |`)online-rnnlm ([a-z][\w-]*)([^`\n]*)", re.MULTILINE)
SNAKEMAKE = re.compile(r"(?:^    |`)snakemake ([^`\n]*)", re.MULTILINE)
RULE = re.compile(r"^rule (\w+):", re.MULTILINE)
OPTION = re.compile(r"--[a-z][\w-]*")
PROFILE = re.compile(r"--workflow-profile ([\w./-]+)")


@cache
def files() -> list[Path]:
    """Return all files of the project that a document may name."""
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    return [path for path in [*ROOT.iterdir(), *inside] if path.is_file()]


def headings(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@cache
def options(verb: str) -> set[str]:
    """Return the options of a verb, or of Snakemake if there is no verb."""
    if not verb:
        help_text = output_of([sys.executable, "-m", "snakemake", "--help"], check=True).stdout
        return set(OPTION.findall(help_text))
    return {*OPTION.findall(parser_of(verb).format_help())}


def missing(document: Path) -> Iterator[object]:
    """Yield everything that a document names and that is not there."""
    content = document.read_text(encoding="utf-8")
    paths = (path for path in PATH.findall(content) if "another" not in path)
    yield from (path for path in paths if not (ROOT / path).exists())
    for name, test in NAME.findall(content):
        named = [file for file in files() if f"/{file.relative_to(ROOT)}".endswith(f"/{name}")]
        code = f"def {test}(" if test else ""
        if not any(code in file.read_text(encoding="utf-8") for file in named):
            yield name, test
    for path, heading in LINK.findall(content):
        target = document.parent / path if path else document
        if not target.exists() or (heading and heading not in headings(target)):
            yield path, heading
    targets = re.findall(r"^([a-z][\w -]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    yield from set(MAKE.findall(content)) - {*" ".join(targets).split()}
    for verb, arguments in VERB.findall(content):
        yield from {verb} - {*VERBS} or {*OPTION.findall(arguments)} - options(verb)
    for arguments in SNAKEMAKE.findall(content):
        yield from {*OPTION.findall(arguments)} - options("")
    for profile in PROFILE.findall(content):
        places = (ROOT / profile, ROOT / "profiles" / profile)
        if not any((place / "config.yaml").is_file() for place in places):
            yield profile


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_names_exists(document):
    assert list(missing(document)) == []


def test_the_workflows_picture_and_page_name_every_rule():
    files = [*(ROOT / "workflow").glob("rules/*.smk")]
    rules = {name for file in files for name in RULE.findall(file.read_text(encoding="utf-8"))}
    for page in ("workflow.svg", "workflow.md"):
        named = set(re.findall(r"\w+", (ROOT / "docs" / page).read_text(encoding="utf-8")))
        assert rules - {"complete", "store"} <= named, page


def test_the_names_of_the_glossary_are_in_the_code():
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    code = " ".join(file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py"))
    names = {*re.findall(r"`([a-z]+(?:_[a-z]+)*)`", glossary)}
    assert len(names) > 10
    assert names - {*re.findall(r"\w+", code)} == set()


@pytest.mark.slow  # hundreds of intervals of 10,000 draws each
@pytest.mark.parametrize(
    "sums", sorted(evidence.EVIDENCE.glob("*/SHA256SUMS")), ids=lambda file: file.parent.name
)
def test_the_evidence_follows_from_its_scores(sums):
    """Every test perplexity, change, interval and p-value is computed once more."""
    assert check_evidence(sums.parent) > 0
    assert sum(file.stat().st_size for file in sums.parent.rglob("*")) < 10_000_000
