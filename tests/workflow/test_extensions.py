"""Tests of a source and a rival that a user adds: each is one file and one name."""

import json

import pytest

SOURCE_SETTINGS = '''
class ListSource(Settings):
    """Articles that are written down in the configuration itself."""

    kind: Literal["list"] = Field(description="Articles in the configuration.")
    texts: list[str] = Field(description="The articles.")


SourceSettings = Annotated[
    Annotated[
        ListSource | '''
SOURCE = '''
"""Articles that are written down in the configuration itself."""

from collections.abc import Iterator
from pathlib import Path

from online_rnnlm.config.sources import ListSource
from online_rnnlm.corpora.articles import Article
from online_rnnlm.corpora.sources import base


class Source(base.Source[ListSource]):
    """A list."""

    def articles(self, downloads: Path, processes: int) -> Iterator[Article]:
        """One after the other."""
        return (Article(title=text[:9], text=text) for text in self.settings.texts)

    def describe(self) -> base.Description:
        """Said by the test."""
        return base.Description("A list of articles", "CC0", "the test")
'''
RIVAL = '''
"""Every word of the vocabulary is as probable as any other."""

import numpy as np

from online_rnnlm.corpora.corpus import Corpus, Split
from online_rnnlm.rivals.base import CorpusCost, CorpusRival, Floats


class Rival(CorpusRival):
    """A uniform distribution."""

    label = "uniform"
    note = "The uniform distribution knows nothing but the vocabulary's size."

    def fit(self, corpus: Corpus) -> None:
        """Count the words of the vocabulary."""
        self.words = corpus.vocabulary_size

    def score(self, split: Split) -> Floats:
        """The same for every token."""
        return np.full(split.tokens, -np.log(self.words))

    def cost(self) -> CorpusCost:
        """A number."""
        return CorpusCost(parameters=1, multiply_adds_per_word=0)
'''
ANIMALS = ("cat", "dog", "hen", "cow", "pig", "owl", "fox", "bee", "ant", "elk")
TEXTS = [
    f"The {one} sees the {two}. It sleeps." for one in ANIMALS for two in ANIMALS if one != two
]
CONFIGURATION = {
    "experiment": "new",
    "corpora": {
        "listed": {
            "source": {"kind": "list", "texts": TEXTS},
            "valid_sentences": 10,
            "test_sentences": 10,
            "vocabulary": {"min_count": 1},
            "classes": {"count": 3},
        }
    },
    "training": {"max_epochs": 1},
    "testing": {"rivals": ["uniform"]},
    "tracking": {"watch_seconds": 0},
    "rows": [{"hidden_size": 4}],
}
RESULTS = "results/new"
CORPUS = f"{RESULTS}/corpora/listed"
RIVAL_FILE = f"{RESULTS}/evaluations/listed-uniform/none.json"


def _replace(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory, copy_of_project):
    """A project with the added source and rival."""
    project = copy_of_project(tmp_path_factory.mktemp("extended") / "project")
    package = project.path / "src" / "online_rnnlm"
    (package / "corpora/sources/list.py").write_text(SOURCE, encoding="utf-8")
    old = "SourceSettings = Annotated[\n    Annotated[\n        "
    _replace(package / "config/sources.py", old, SOURCE_SETTINGS)
    (package / "rivals/uniform.py").write_text(RIVAL, encoding="utf-8")
    old = 'CorpusRivalName = Literal["kneser_ney"'
    _replace(package / "config/testing.py", old, f'{old}, "uniform"')
    project.configure(**CONFIGURATION)
    return project


@pytest.fixture(scope="module")
def arguments():
    return ("--cores", "2", "--configfile", "config/test.yaml")


@pytest.fixture(scope="module")
def finished(project, arguments):
    project.succeed(*arguments, "--", f"{RESULTS}/report.html")
    return project


def test_the_workflow_asks_the_source_for_its_stages_and_the_rival_for_its_name(project, arguments):
    planned = project.planned(*arguments)
    assert {"articles", "sentences", "splits", "vocabulary", "encode", "rival"} <= planned
    assert "fetch" not in planned


def test_the_source_becomes_a_corpus(finished):
    statistics = json.loads((finished.path / CORPUS / "statistics.json").read_text())
    assert statistics["source"] == {
        "kind": "list",
        "title": "A list of articles",
        "licence": "CC0",
        "origin": "the test",
    }
    assert statistics["articles"] == len(TEXTS)
    table = (finished.path / RESULTS / "tables/corpora.csv").read_text(encoding="utf-8")
    assert "A list of articles" in table
    page = (finished.path / RESULTS / "report.html").read_text(encoding="utf-8")
    assert "A list of articles" in page


def test_the_rival_is_tested_and_shown(finished):
    statistics = json.loads((finished.path / CORPUS / "statistics.json").read_text())
    found = json.loads((finished.path / RIVAL_FILE).read_text(encoding="utf-8"))
    for split in ("valid", "test"):
        perplexity = found["splits"][split]["perplexity"]
        assert perplexity == pytest.approx(statistics["vocabulary_size"])
    table = (finished.path / RESULTS / "tables/perplexity.csv").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if "uniform" in line]
    assert len(rows) == 1
    page = (finished.path / RESULTS / "report.html").read_text(encoding="utf-8")
    assert "knows nothing but the vocabulary" in page
    figure = (finished.path / RESULTS / "figures/perplexity_by_parameters.svg").read_text()
    assert ">uniform" in figure


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("corpora/sources/list.py", {"articles", "splits", "encode"}),
        ("rivals/uniform.py", {"rival", "tables", "figures"}),
        ("corpora/sources/wikipedia_vital.py", set()),
        ("rivals/kneser_ney.py", set()),
    ],
)
def test_only_what_is_chosen_decides(finished, arguments, file, again):
    """The code of a source or a rival only affects the rules that use it."""
    path = finished.path / "src" / "online_rnnlm" / file
    before = path.read_text(encoding="utf-8")
    finished.edit(f"src/online_rnnlm/{file}")
    try:
        planned = finished.planned(*arguments, "--", f"{RESULTS}/report.html")
    finally:
        path.write_text(before, encoding="utf-8")
    assert again <= planned
    assert again or not planned
