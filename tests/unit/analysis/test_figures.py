import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.figures import perplexity_by_distance
from online_rnnlm.analysis.figures.drawing import legend_above, log_scale, panels, spread, style
from online_rnnlm.analysis.figures.labels import Label, covered, place_labels
from online_rnnlm.analysis.figures.points import (
    LEARNING,
    MULTIPLY_ADDS,
    PARAMETERS,
    STATIC_ROW,
    STILL,
    Point,
    frontier,
    points_of,
    window,
)
from online_rnnlm.analysis.figures.rate_curve import curves_of
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.config.catalogue import figures_of
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.modules import module_sources
from online_rnnlm.storage.records import Captions
from tests.unit.analysis.changes import change_evaluation, change_split, seal

pytestmark = pytest.mark.slow  # matplotlib draws every figure

Invented = Callable[..., Results]

CORPORA = {
    "first": {"source": {"kind": "wikipedia-vital"}},
    "second": {"source": {"kind": "wikipedia-excerpt"}},
}
TESTING = {
    "updates": ["document_vector", "output", "all"],
    "learn_after": ["word", "sentence"],
    "unit_of_text": ["sentence", "stream"],
    "rivals": ["unigram_cache", "neural_cache", "kneser_ney"],
}
ROWS = [
    {"hidden_size": [100, 120], "document_size": 0},
    {"hidden_size": 100, "document_size": 20, "document_layer": ["output", "hidden"]},
]
COSTS = ["perplexity_by_parameters", "perplexity_by_multiply_adds", "learning_curves"]
OF_VECTORS = ["perplexity_by_position", "vector_map"]
ALL = [*COSTS, *OF_VECTORS, "gain_by_frequency", "rate_curve"]
KINDS = {
    "everything": ({"rows": ROWS, "testing": TESTING, "seeds": [1, 2]}, ALL),
    "two corpora": ({"rows": ROWS, "testing": TESTING, "corpora": CORPORA}, ALL),
    "nothing more learns": ({}, [*COSTS, *OF_VECTORS, "gain_by_frequency"]),
    "articles in order": (
        {"corpora": {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}},
        [*COSTS, *OF_VECTORS, "gain_by_frequency", "perplexity_by_distance"],
    ),
    "static rows": ({"rows": [{"hidden_size": 100}]}, COSTS),
    "static rows that learn": (
        {"rows": [{"hidden_size": 100}], "testing": {"updates": ["all"]}},
        [*COSTS, "rate_curve"],
    ),
    "vector rows": ({"rows": [{"hidden_size": 100, "document_size": 1}]}, [*COSTS, *OF_VECTORS]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_known_from_the_configuration(invented: Invented, kind: str) -> None:
    changes, names = KINDS[kind]
    results = invented(**changes)
    assert sorted(entry.name for entry in figures_of(results.experiment)) == sorted(names)
    write_figures(results.experiment, results.directory)
    folder = results.directory.captions.parent
    files = {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    assert {path.name for path in folder.iterdir()} == {*files, "captions.json"}
    captions = records.read(Captions, results.directory.captions).captions
    assert sorted(captions) == sorted(names)
    assert all("nan" not in caption for caption in captions.values())
    curves = (folder / "learning_curves.svg").read_text()
    assert all(f">{row.label}  " in curves for row in results.rows)


def test_the_workflow_learns_the_names_without_what_draws() -> None:
    sources = module_sources("config.catalogue")
    text = "".join(file.read_text(encoding="utf-8") for file in sources)
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", text, flags=re.MULTILINE))
    assert "online_rnnlm" in imported
    assert not {"matplotlib", "pandas", "numpy"} & imported


def test_the_same_data_gives_the_same_bytes(invented: Invented) -> None:
    results = invented(rows=ROWS, testing=TESTING, seeds=[1, 2])
    contents = []
    for _ in range(2):
        write_figures(results.experiment, results.directory)
        files = sorted(results.directory.captions.parent.iterdir())
        contents.append([(path.name, path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_a_model_costs_what_it_costs_in_that_evaluation(invented: Invented) -> None:
    results = invented(rows=ROWS, testing=TESTING, seeds=[1, 2])
    directory = results.directory
    for seed in (1, 2):
        name = f"invented-M100-D20-seed{seed}"
        change_evaluation(directory, name, "none", multiply_adds_per_word=20_000)
        change_evaluation(directory, name, "document_vector", multiply_adds_per_word=30_000)
        change_split(directory, name, "document_vector", "test", perplexity=70.0 + seed)
        static = f"invented-M100-D0-seed{seed}"
        cost = 200_000 + 1000 * seed
        change_evaluation(directory, static, "neural_cache", multiply_adds_per_word=cost)
    results = collect(results.experiment, results.directory)
    found = {(p.model, p.kind): p for p in points_of(results, "invented", MULTIPLY_ADDS)}
    assert found["100/20", STILL].cost == 20
    assert found["100/20", LEARNING].cost == 30
    assert found["100/20", LEARNING].perplexity == pytest.approx(71.5)
    assert found["100/20", LEARNING].deviation == pytest.approx(0.5**0.5)
    assert found["100/0", "neural cache"].cost == pytest.approx(201.5)
    assert found["5-gram", "5-gram"].cost == pytest.approx(0.005)
    sizes = {(p.model, p.kind): p.cost for p in points_of(results, "invented", PARAMETERS)}
    assert sizes["100/0", "neural cache"] == sizes["100/0", STATIC_ROW]
    assert sizes["100/20", STILL] == sizes["100/20", LEARNING] > sizes["100/0", STATIC_ROW]
    assert sizes["5-gram", "5-gram"] == pytest.approx(0.9)


POINTS = st.lists(
    st.builds(
        Point,
        st.just("m"),
        st.sampled_from([STATIC_ROW, LEARNING, STILL, "5-gram"]),
        st.integers(1, 20).map(float),
        st.integers(50, 70).map(float),
        st.just(0.0),
    ),
    min_size=1,
)


@given(POINTS)
def test_the_frontier_is_the_lowest_for_so_much_or_less(points: list[Point]) -> None:
    best = frontier(points)
    assert all(a.cost < b.cost and a.perplexity > b.perplexity for a, b in pairwise(best))
    assert set(best) <= set(points)
    for point in points:
        lowest = min(p.perplexity for p in points if p.cost <= point.cost)
        assert min(p.perplexity for p in best if p.cost <= point.cost) == lowest


def test_what_lies_far_stands_at_the_edge_and_squashes_nothing() -> None:
    networks = [Point("a", STATIC_ROW, 25.0, 76.0, 0), Point("b", LEARNING, 35.0, 64.0, 0)]
    far = Point("5-gram", "5-gram", 0.005, 118.0, 0)
    near = Point("a", "unigram cache", 25.0, 62.0, 0)
    shown = window([*networks, far, near])
    assert shown == window([*networks, near])
    assert all(shown.holds(point) for point in [*networks, near])
    assert not shown.holds(far)
    assert shown.clamped(far) == (shown.left, shown.high)
    assert shown.clamped(near) == (25.0, 62.0)
    assert shown.right - shown.left < 13


def test_a_rate_at_which_a_seed_diverged_has_no_perplexity(invented: Invented) -> None:
    results = invented(
        rows=[{"hidden_size": 100, "document_size": 20}],
        testing={"updates": ["document_vector"], "unit_of_text": ["stream"]},
        seeds=[1, 2],
    )
    curves = {1: [70.0, 64.0, None], 2: [72.0, None, None]}
    for seed, perplexities in curves.items():
        curve = [
            {"settings": {"document_rate": rate}, "valid_perplexity": value}
            for rate, value in zip([0.1, 0.05, 0.2], perplexities, strict=True)
        ]
        chosen = {"document_rate": 0.05 if seed == 1 else 0.1}
        name = f"invented-M100-D20-seed{seed}"
        evaluation = "document_vector.word.stream"
        change_evaluation(results.directory, name, evaluation, curve=curve, chosen=chosen)
    again = collect(results.experiment, results.directory)
    (curve,) = curves_of(again.rows[0])
    assert list(curve.rates) == [0.05, 0.1, 0.2]
    assert list(np.isnan(curve.perplexities)) == [True, False, True]
    assert curve.perplexities[1] == 71.0
    assert curve.chosen == {0.05, 0.1}
    write_figures(again.experiment, again.directory)  # the null values, too


def test_scores_of_another_text_are_refused(invented: Invented) -> None:
    results = invented()
    path = results.directory.token_scores("invented-M100-D0-seed1", "none")
    np.save(path, np.load(path)[:-1])
    seal(results.directory, "invented-M100-D0-seed1", "none")
    with pytest.raises(UserError, match=f"{path}: .* scores for .* tokens"):
        write_figures(results.experiment, results.directory)
    assert not results.directory.captions.exists()


def test_vectors_of_another_text_are_refused(invented: Invented) -> None:
    results = invented()
    path = results.directory.document_vectors("invented-M100-D35-seed1", "valid")
    np.save(path, np.load(path)[:-1])
    with pytest.raises(UserError, match="39 vectors for 40 sentences"):
        write_figures(results.experiment, results.directory)


def test_labels_are_moved_apart_and_stay_in_order() -> None:
    moved = spread([0.5, 0.49, 0.9, 0.5], 0.1)
    assert np.diff(np.sort(moved)).min() >= 0.1 - 1e-12
    assert moved[1] < moved[0] < moved[3] < moved[2]


def test_labels_cover_neither_points_nor_each_other() -> None:
    points = [(0.5, 0.5), (0.5, 0.52), (0.5, 0.54), (0.98, 0.5)]
    with style("labels"):
        _, (axis,) = panels(1, 3.0)
        axis.set(xlim=(0, 1), ylim=(0, 1))
        labels = [Label(f"label {i}", place, "black") for i, place in enumerate(points)]
        place_labels(axis, labels, points, [((0.5, 0.0), (0.5, 1.0))])
        texts = [text.get_window_extent().extents for text in axis.texts]
    inside = axis.bbox.extents
    marks = axis.transData.transform(points)
    for number, box in enumerate(texts):
        others = np.array([*texts[:number], *texts[number + 1 :], np.tile(marks[number], 2)])
        assert covered(box, others) == 0
        assert covered(box, np.array([inside])) == pytest.approx(
            (box[2] - box[0]) * (box[3] - box[1])
        )
        assert not any((box[:2] < mark).all() and (mark < box[2:]).all() for mark in marks)


def test_covered_is_the_common_area() -> None:
    box = np.array([0.0, 0.0, 4.0, 2.0])
    others = np.array([[3.0, 1.0, 9.0, 9.0], [1.0, -1.0, 2.0, 9.0], [5.0, 0.0, 6.0, 1.0]])
    assert covered(box, others) == 1 + 2 + 0


@pytest.mark.parametrize("length", [5, 25, 45])
def test_a_legend_is_no_wider_than_its_plot(length: int) -> None:
    with style("legend"):
        figure, (axis,) = panels(1, 4.0)
        for number in range(4):
            axis.plot([0, 1], [0, number], label=f"{number}" * length)
        legend_above(axis)
        figure.draw_without_rendering()
        legend = axis.get_legend().get_window_extent()
    assert legend.width <= axis.bbox.width
    assert legend.y0 >= axis.bbox.y1 - 1


@pytest.mark.parametrize(("low", "high"), [(60, 130), (95, 96), (50, 900_000), (1, 2)])
def test_a_logarithmic_axis_has_a_few_readable_numbers(low: float, high: float) -> None:
    with style("scale"):
        _, (axis,) = panels(1, 3.0)
        log_scale(axis, low, high)
        ticks = pd.Series(axis.get_yticks())
    assert 1 <= len(ticks) <= 8
    bottom, top = axis.get_ylim()
    assert bottom < low < high < top
    assert ticks.between(bottom, top).all()


def test_over_an_article_the_vector_is_kept_for_it_if_it_was_tested_so(
    invented: Invented,
) -> None:
    corpora = {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}
    kept = {"updates": ["document_vector"], "unit_of_text": ["document"]}
    for testing, said in (({}, "kept for the sentence"), (kept, "kept for the document")):
        caption = perplexity_by_distance.draw(invented(corpora=corpora, testing=testing)).caption
        assert said in caption
        assert "intervals over articles" in caption


def test_without_known_articles_there_is_nothing_to_show(invented: Invented) -> None:
    corpora = {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}
    results = invented(corpora=corpora)
    path = results.directory.corpus("invented").split_articles("test")
    np.save(path, np.zeros_like(np.load(path)))
    with pytest.raises(NothingToShowError, match="articles"):
        perplexity_by_distance.draw(results)
