import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.collect import Results
from online_rnnlm.analysis.figures import spread, write_figures
from online_rnnlm.analysis.neighbours import neighbours_table, write_neighbours
from online_rnnlm.analysis.report import write_report
from online_rnnlm.errors import UserError

Invented = Callable[..., Results]


class Page(HTMLParser):
    """Collects what a page would load, its ids, and its tags."""

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
    assert "b" not in page.tags  # the invented sentences hold a `<b>`
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
    # The invented evaluations with learning weights have 99: 10 % less than 110, 10 % more than 90.
    assert "in 1 of 2 cases" in text
    assert "−10.0 to +10.0 %" in text
    assert "testing.steps" in text
    assert "order of sentences" in text


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
    assert len(contents[0]) == 5


def test_a_report_without_figures_says_so(invented: Invented, published_file: Path) -> None:
    results = invented()
    write_claims(results.experiment, results.directory)
    with pytest.raises(UserError, match="draw the figures first"):
        write_report(results.experiment, results.directory, published_file)
    assert not results.directory.report.exists()


def test_labels_are_moved_apart_and_stay_in_order() -> None:
    moved = spread([0.5, 0.49, 0.9, 0.5], 0.1)
    assert np.diff(np.sort(moved)).min() >= 0.1 - 1e-12
    assert moved[1] < moved[0] < moved[3] < moved[2]


def test_neighbours_are_the_nearest_by_cosine(invented: Invented) -> None:
    results = invented()
    path = results.directory.document_vectors("invented-M100-D35-seed1")
    vectors = np.load(path)
    vectors[1::2] = 3 * vectors[::2]  # every sentence has a twin of another length
    np.save(path, vectors)
    table = neighbours_table(results)
    assert table is not None
    first = table.data[table.data["rank"] == 1]
    assert list(first["neighbour"]) == [query ^ 1 for query in first["sentence"]]
    assert first["cosine"].to_numpy() == pytest.approx(1.0)
    assert neighbours_table(results).data.equals(table.data)  # type: ignore[union-attr]


def test_too_few_vectors_are_refused(invented: Invented) -> None:
    results = invented()
    path = results.directory.document_vectors("invented-M100-D35-seed1")
    np.save(path, np.load(path)[:-1])
    with pytest.raises(UserError, match="49 vectors for 50 sentences"):
        write_neighbours(results.experiment, results.directory)


def test_no_vector_no_neighbours(invented: Invented) -> None:
    results = invented(rows=[{"hidden_size": 100}])
    with pytest.raises(UserError, match="document_size"):
        write_neighbours(results.experiment, results.directory)
