import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.report.checklist import checklist
from online_rnnlm.analysis.report.settings import settings_table
from online_rnnlm.analysis.report.write import write_report
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.catalogue import figures_of
from online_rnnlm.config.training import RunSettings
from online_rnnlm.errors import UserError

Invented = Callable[..., Results]


class Page(HTMLParser):
    """A parser that collects the files that a page loads, its ids and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for key, value in attrs:
            if key in {"src", "href", "xlink:href", "data", "poster"} and value:
                self.loaded.append(value)
            if key == "id" and value:
                self.ids.append(value)


def _written(results: Results, published_file: Path) -> str:
    write_figures(results.experiment, results.directory)
    write_claims(results.experiment, results.directory)
    write_report(results.experiment, results.directory, published_file)
    return results.directory.report.read_text(encoding="utf-8")


KINDS = {
    "one seed": {},
    "three seeds": {"seeds": [1, 2, 3]},
    "search": {"search": {"learning_rate": [0.1, 0.2]}},
    "static only": {"rows": [{"hidden_size": 100}]},
    "learning weights": {"testing": {"updates": ["all", ["document_vector", "output"]]}},
    "rivals": {"testing": {"rivals": ["unigram_cache", "neural_cache", "kneser_ney"]}},
    "layers": {"rows": [{"document_size": 5, "document_layer": ["output", "hidden", "both"]}]},
    "two corpora": {
        "corpora": {
            "first": {"source": {"kind": "wikipedia-vital"}},
            "second": {"source": {"kind": "wikipedia-excerpt"}},
        }
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_loads_nothing_and_escapes_text(
    invented: Invented, published_file: Path, kind: str
) -> None:
    text = _written(invented(**KINDS[kind]), published_file)
    page = Page()
    page.feed(text)
    assert all(link.startswith(("#", "data:")) for link in page.loaded)
    assert not page.tags & {"script", "iframe", "object", "embed"}
    assert "b" not in page.tags  # the invented sentences contain `<b>`
    assert not re.search(r"@import|url\((?!#)", text)
    assert "svg" in page.tags


def test_the_report_says_when_learning_weights_do_harm(
    invented: Invented, published_file: Path
) -> None:
    rows = [{"hidden_size": 100}, {"hidden_size": 100, "document_size": 20}]
    results = invented(
        {"100/0": 110.0, "100/20": 90.0}, rows=rows, testing={"updates": ["all"], "steps": 7}
    )
    text = _written(results, published_file)
    # The invented evaluations in which weights learn are 1 % worse than the main evaluation.
    assert "in 0 of 2 cases" in text
    assert "+1.0 to +1.0 %" in text
    assert "testing.steps" in text


def test_what_one_drawing_refers_to_is_not_in_the_other(
    invented: Invented, published_file: Path
) -> None:
    text = _written(invented(), published_file)
    page = Page()
    page.feed(text)
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | {
        link[1:] for link in page.loaded if link.startswith("#")
    }
    assert used
    assert all(page.ids.count(name) == 1 for name in used)


def test_report_and_figures_are_the_same_bytes_every_time(
    invented: Invented, published_file: Path
) -> None:
    results = invented(seeds=[1, 2])
    contents = []
    for _ in range(2):
        _written(results, published_file)
        files = [results.directory.report, *sorted((results.directory.path / "figures").iterdir())]
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    # The report, the captions, and every figure as SVG and PNG are the same.
    assert len(contents[0]) == 2 + 2 * len(figures_of(results.experiment))


def test_a_report_without_figures_says_so(invented: Invented, published_file: Path) -> None:
    results = invented()
    write_claims(results.experiment, results.directory)
    with pytest.raises(UserError, match="draw the figures first"):
        write_report(results.experiment, results.directory, published_file)
    assert not results.directory.report.exists()


@pytest.mark.parametrize("stale", [write_claims, write_figures])
def test_a_report_of_other_settings_than_its_parts_is_refused(
    invented: Invented, published_file: Path, stale: Callable[..., None]
) -> None:
    results = invented()
    _written(results, published_file)
    fewer = results.experiment.model_copy(update={"rows": results.experiment.rows[:3]})
    stale(fewer, results.directory)
    with pytest.raises(UserError, match="was made for other settings than the report"):
        write_report(results.experiment, results.directory, published_file)


def test_every_setting_says_where_it_comes_from(invented: Invented) -> None:
    rows = [{"error_clip": 15.0}, {"hidden_size": 50, "document_size": 5, "error_clip": 1.0}]
    table = settings_table(invented(rows=rows))
    status = dict(zip(table.data["setting"], table.data["status"], strict=True))
    assert status["error_clip"] == "RNNLM Toolkit's / assumed"
    assert status["learning_rate"] == "assumed"
    assert set(RunSettings.model_fields) - set(status) == {
        *("corpus", "seed", "hidden_size", "context_size", "document_size", "document_layer"),
        "context_decay",  # no row has context units
        *("carry", "segment_tokens"),  # no row reads documents
    }


def test_a_command_names_the_kept_configuration(invented: Invented, published_file: Path) -> None:
    results = invented()
    text = _written(results, published_file)
    command = f"--configfile {results.directory.configuration} --force"
    for file in (
        results.directory.table("perplexity", "csv"),
        results.directory.figure("learning_curves", "svg"),
        results.directory.claims,
    ):
        assert f"{command} {file}" in text


def test_the_checklist_has_an_answer_to_every_item(invented: Invented) -> None:
    for results in (invented(), invented(search={"learning_rate": [0.1, 0.2]}, seeds=[1, 2])):
        answers = [pair for group in checklist(results).values() for pair in group]
        assert len(answers) == 7 + 5 + 5
        assert all(item and answer for item, answer in answers)
    said = " ".join(answer for _, answer in answers)
    assert "10 trainings" in said  # five rows with two rates each
    assert "invented, 2 cores" in said
