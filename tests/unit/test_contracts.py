"""Contracts of what a user may add with one file and one name: each does its work on a small case.

That its numbers are right in every case is tested where it belongs. What is added has its name in
the configuration, and so is tried here without another word; a source needs a small file, too.
"""

import bz2
import json
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import get_args

import numpy as np
import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import make_table
from online_rnnlm.config import testing as typed
from online_rnnlm.config.catalogue import FIGURES, TABLES, Entry, those_of
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import adaptations_of_state
from online_rnnlm.config.rivals import CORPUS_RIVALS, RUN_RIVALS
from online_rnnlm.config.sources import SourceSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import NONE, Adaptation
from online_rnnlm.corpora import sources
from online_rnnlm.jobs.evaluation import evaluate_corpus_rival, evaluate_run
from online_rnnlm.storage.evaluations import Evaluation, read_evaluation, token_scores
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory, ExperimentDirectory
from online_rnnlm.use.network import split_of
from tests.unit import small_models as small
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import read_json
from tests.unit.corpora.small_corpora import as_parquet, dump
from tests.unit.small_records import VITAL, plan


def names_of(setting: str) -> tuple[str, ...]:
    """Return the names that a setting of a run may have."""
    return get_args(RunSettings.model_fields[setting].annotation)


RIVAL_TABLE = typed.TestingSettings().rivals_by_name
RIVALS = (*RUN_RIVALS, *CORPUS_RIVALS)
KINDS = [
    get_args(settings.model_fields["kind"].annotation)[0]
    for settings in get_args(get_args(SourceSettings)[0])
]
"""The kinds of sources."""
"""By folder: the modules that have a name, and what marks a module of the kind."""


PAIRS = [
    (name, cell)
    for name, engine in ENGINES.items()
    for cell in names_of("cell")
    # tests/workflow/test_engines.py trains with one that is in an environment of its own.
    if engine.has_cell(cell) and not engine.is_elsewhere
]


@cache
def learnt(engine: str, cell: str) -> list[np.ndarray]:
    """Let a network learn from two sentences; return their log P before and after, and all else."""
    run = small.settings(engine=engine, cell=cell, document_size=3, batch_sentences=1)
    split = split_of([[3, 5, 0], [1, 7, 2, 0]])
    corpus = small.corpus_of((1, 4, 3), split)
    before = small.weights_for(run, corpus)
    sums = parameters.filled(small.sizes_of(run, corpus), 0.1, run.precision)
    trainer = small.Trainer(run, corpus, before, sums)
    trainer.learn_from([0, 1], 0.1)
    vector = Adaptation(small.VECTOR)
    scores = [
        small.scored(run, corpus, weights, split, vector, hidden_states=True)
        for weights in (before, trainer.weights)
    ]
    logs = np.array([found.log_probabilities for found in scores])
    return [logs, *scores[1][1:3], *trainer.weights, *trainer.accumulators]


@pytest.mark.slow  # PyTensor compiles the plain graph of each cell
@pytest.mark.parametrize(("engine", "cell"), PAIRS)
@pytest.mark.usefixtures("quick_graph")
def test_an_engine_learns_and_scores_with_a_cell_as_the_graph_does(engine: str, cell: str) -> None:
    if engine == "jax":
        pytest.importorskip("jax", reason="JAX is not installed: `make jax`")
    found = learnt(engine, cell)
    before, after = found[0]
    assert (before < 0).all() and (after < 0).all()
    assert after.sum() > before.sum()
    for array, expected in zip(found, learnt("graph", cell), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-8, atol=1e-10)


ROW = {"title": "Cat", "text": "A cat sat."}
DUMP = bz2.compress(dump([ROW]))
SMALLEST = {
    "wikipedia-vital": ("", json.dumps({"Cat": {"extract": ROW["text"]}}).encode()),
    "wikipedia-excerpt": ("", DUMP),
    "wikipedia": ("a.jsonl", json.dumps(ROW).encode()),
    "dump": ("a.xml.bz2", DUMP),
    "text": ("a.jsonl", json.dumps(ROW).encode()),
    "wikitext": ("", as_parquet([{"text": "A cat sat ."}])),
}
"""By kind of source: a file with one sentence, and its name if the user chooses it."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_reads_a_file(tmp_path: Path, kind: str) -> None:
    name, content = SMALLEST[kind]
    given = {"file": tmp_path / name} if name else {}
    settings = CorpusSettings.model_validate({"source": {"kind": kind, **given}})
    source = sources.source_of(settings.source)
    assert source.describe().kind == kind
    files = source.files(tmp_path)
    for file in files:
        file.write_bytes(content)
    if source.skips_sentences:
        assert [*source.sentences(files[:1])] == [("A cat sat .", 0)]
    else:
        assert [article.text for article in source.articles(tmp_path, 1)] == ["A cat sat."]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """An invented experiment that has every table and figure."""
    folder = tmp_path_factory.mktemp("contracts")
    news = folder / "news.txt"
    news.write_text("some news\n", encoding="utf-8")
    in_order = VITAL | {"divide_by": "article"}
    testing = {
        "updates": ["all"],
        "rivals": ["unigram_cache", "kneser_ney", "mixture"],
        "other_texts": {"news": news},
    }
    rows = [{"hidden_size": 100, "document_size": [0, 20]}, {"hidden_size": 120}]
    corpora = {"one": in_order, "two": in_order}
    described = fake_experiment.experiment(rows=rows, corpora=corpora, testing=testing)
    assert those_of(TABLES, described) == [*TABLES] and those_of(FIGURES, described) == [*FIGURES]
    directory = fake_experiment.write(folder / "invented", described)
    larger = directory.corpus("two").statistics
    statistics = read_json(larger)
    statistics["splits"]["train"]["tokens"] *= 2
    write_json(larger, statistics)
    write_claims(directory)
    return collect(directory)


@pytest.mark.parametrize("entry", TABLES, ids=lambda entry: entry.name)
def test_a_table_has_a_row_of_data_and_a_caption(results: Results, entry: Entry) -> None:
    table = make_table(entry, results)
    assert table.caption != "Nothing to show" and len(table.data) > 0
    assert {len(cells) for cells in table.cells()} == {len(table.columns)}


@pytest.mark.parametrize("entry", FIGURES, ids=lambda entry: entry.name)
def test_a_figure_draws_something_and_has_a_caption(results: Results, entry: Entry) -> None:
    figure, caption = resolve_name(f"online_rnnlm.analysis.figures.{entry.drawn_by}")(results)
    assert caption and any(axis.has_data() for axis in figure.axes)


@pytest.fixture(scope="module")
def tested(
    corpus_directory: CorpusDirectory, tmp_path_factory: pytest.TempPathFactory
) -> ExperimentDirectory:
    """A network with random weights that has been tested with every rival."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("rivals"))
    small.write_untrained_run(directory, corpus_directory)
    values = {"rivals": RIVALS}
    testing = typed.TestingSettings.model_validate(values)
    for trained in plan(corpora={"topics": VITAL}, testing=values).corpus_rivals.values():
        evaluate_corpus_rival(directory, trained, testing)
    for adaptation in adaptations_of_state(small.UNTRAINED, testing):
        evaluate_run(directory, "run", adaptation, testing)
    for name in testing.run_rivals:  # a mixture comes after what it mixes
        evaluate_run(directory, "run", name, testing)
    return directory


@pytest.mark.slow  # kernels are compiled, rivals are fitted
@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_gives_every_token_a_probability_at_a_cost(
    tested: ExperimentDirectory, name: str
) -> None:
    rival = RIVAL_TABLE[name]
    place = (f"topics-{rival.name}", NONE) if rival.of_corpus else ("run", rival.name)
    found = read_evaluation(tested.evaluation(*place))
    assert isinstance(found, Evaluation) and found.costs.multiply_adds_per_word > 0
    for split in HELD_OUT:
        logs = token_scores(tested, *place, split)
        assert len(logs) == found.splits[split].tokens
        assert np.isfinite(logs).all() and (logs <= 0).all()
