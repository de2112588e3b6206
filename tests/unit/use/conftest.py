"""Fixtures: a small experiment with trained runs, and the files of models."""

import os
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from online_rnnlm.config.plan import load_plan
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.sizes import Sizes, count
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.corpora.records import CorpusSource, SentenceSplitter
from online_rnnlm.storage.files import lock
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.use import model_file
from online_rnnlm.use.model import load
from online_rnnlm.use.model_file import Contents, ModelDescription
from online_rnnlm.use.places import read_results
from tests.toy_texts import WORDS
from tests.unit.small_records import DIGEST, PREPARATION
from tests.unit.use.small_experiment import make_results


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> ExperimentDirectory:
    """An experiment on raw text, which all workers share; tests must not change it."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "use"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as held:
        lock(held, wait=True)
        if not (folder / "ready").is_file():
            make_results(folder)
            (folder / "ready").touch()
    return ExperimentDirectory(folder / "small")


@pytest.fixture(scope="session")
def names(results) -> SimpleNamespace:
    """The names of the runs with a vector and without one."""
    runs = load_plan(results.configuration).runs()
    by_size = {run.settings.document_size: run.name for run in runs}
    return SimpleNamespace(VECTOR=by_size[3], STATIC=by_size[0])


@pytest.fixture(scope="session")
def trained_path(results, names, tmp_path_factory):
    """The file of the trained model with a vector."""
    path = tmp_path_factory.mktemp("model") / "small.onlm"
    model_file.write(path, read_results(results.run(names.VECTOR).path))
    return path


@pytest.fixture(scope="session")
def trained(trained_path):
    """The trained model with a vector."""
    return load(trained_path)


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    """The file of a model with random weights, which needs no training."""
    words = ["</s>", "the", "<unk>", ".", ",", "mr.", "rare", *WORDS]
    rows = [f"{word}\t{99 - number}\t{number // 5}" for number, word in enumerate(words)]
    settings = RunSettings(corpus="toy", hidden_size=10, document_size=3)
    sizes = Sizes.of(settings.network, len(words), (len(words) + 4) // 5)
    description = ModelDescription(
        run="toy",
        identity=DIGEST,
        settings=settings,
        preparation=PREPARATION,
        source=CorpusSource(kind="text", title="some", licence=None, origin="some"),
        corpus_digest=DIGEST,
        vocabulary_size=sizes.vocabulary,
        classes=sizes.classes,
        parameters=count(sizes),
        epochs=1,
        ended=datetime(2026, 1, 1, tzinfo=UTC),
        perplexity={"valid": 9.0},
        packages={},
    )
    path = tmp_path_factory.mktemp("toy") / "toy.onlm"
    weights = parameters.initialise(sizes, 0.7, 1, settings.precision)
    vocabulary = "\n".join(["word\tcount\tclass", *rows, ""]).encode()
    corpus = Corpus.of(parse_vocabulary(vocabulary, "toy"), DIGEST)
    contents = Contents(description, corpus, weights, SentenceSplitter.nothing(), vocabulary)
    model_file.write(path, contents)
    return path


@pytest.fixture(scope="session")
def model(model_path):
    """The model with random weights."""
    return load(model_path)


@pytest.fixture(scope="session")
def supplied():
    """The model that comes with the project, which is trained per article."""
    return load()


@pytest.fixture(scope="session")
def test_text(results):
    """The tokenised sentences of the test split."""
    return results.corpus("topics").text("test").read_text(encoding="utf-8")


@pytest.fixture
def copied(results, tmp_path):
    """A copy of the experiment, which a test may change."""
    shutil.copytree(results.path, tmp_path / "small")
    return ExperimentDirectory(tmp_path / "small")
