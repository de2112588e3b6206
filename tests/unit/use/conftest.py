"""A small experiment on raw text with trained runs, and the files of models."""

import json
import os
import random
import shutil
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.corpora import run_stages
from online_rnnlm.config.experiment import Plan, load_plan
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.sizes import count, sizes_of_run
from online_rnnlm.corpora.corpus import Corpus, parse_vocabulary
from online_rnnlm.corpora.records import CorpusSource, SentenceSplitter
from online_rnnlm.jobs.evaluate import evaluate, evaluate_way
from online_rnnlm.jobs.train import train
from online_rnnlm.storage.files import lock, write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.use import model_file
from online_rnnlm.use.model import load
from online_rnnlm.use.model_file import Contents, ModelDescription
from online_rnnlm.use.places import read_results
from tests.unit import small_models as small
from tests.unit.small_models import RATE, rates_of
from tests.unit.small_records import DIGEST, NO_DIGITS, PREPARATION

ENVIRONMENT = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ}
ENVIRONMENT["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
"""A user's environment: a developer's variables, such as PYTHONUNBUFFERED, can hide faults."""
LEARNS = ("--learning-rate", f"{RATE}", "--updates")
EVALUATIONS = {
    "none": ["--frozen"],
    "document_vector": [],
    "all.word.sentence": [*LEARNS, "all"],
    "all.sentence.stream": [*LEARNS, "all", "--learn-after=sentence", "--unit-of-text=stream"],
    "document_vector.word.stream": [*LEARNS, "document_vector", "--unit-of-text=stream"],
    "document_vector.5.document": [
        *(*LEARNS, "document_vector", "--learn-after=5", "--unit-of-text=document")
    ],
    "document_vector.word.document": [*LEARNS, "document_vector", "--unit-of-text=document"],
}
"""The evaluations of the run with a vector, and the options of `score` that mean the same."""
NOUNS = {"farm": "cat mouse milk hen", "sea": "ship captain storm whale", "court": "king queen"}
VERBS = {"farm": "sees hunts likes", "sea": "meets fears names", "court": "wants keeps"}


def raw_text(sentences: int) -> str:
    """Return raw text of articles, a paragraph a line."""
    chance = random.Random(1)
    paragraphs = []
    while sentences > 0:
        topic = chance.choice(list(NOUNS))
        number = chance.randint(2, 6)
        sentences -= number
        nouns = NOUNS[topic].split()
        verbs = VERBS[topic].split()
        found = []
        for _ in range(number):
            words = [f"the {chance.choice(nouns)} {chance.choice(verbs)}" for _ in range(3)]
            rare = chance.choice(["", "", f" n{chance.randint(1, 900)}"])
            found.append(f"{' '.join(words).capitalize()}{rare}, Mr. {chance.choice(nouns)}.")
        paragraphs.append(" ".join(found))
    return "\n".join(paragraphs) + "\n"


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


def make_results(folder: Path) -> None:
    (folder / "text.txt").write_text(raw_text(500), encoding="utf-8")
    corpus = {
        "source": {"kind": "text", "file": str(folder / "text.txt")},
        **{"valid_sentences": 50, "test_sentences": 60, "divide_by": "article"},
        **{"vocabulary": {"min_count": 3}, "classes": {"count": 6}},
    }
    rows = [{"hidden_size": 10, "document_size": 3}, {"hidden_size": 8, "document_size": 0}]
    values = {"experiment": "small", "corpora": {"topics": corpus}, "rows": rows}
    values |= {"training": {"max_epochs": 2}, "digits": NO_DIGITS}
    directory = ExperimentDirectory(folder / "small")
    write_json(directory.configuration, values)
    experiment = configured(directory)
    settings = experiment.corpora["topics"]
    files = directory.corpus("topics")
    run_stages(settings, files, folder)
    for planned in experiment.runs():
        train(planned, files, directory.run(planned.name))
        for name in EVALUATIONS if planned.settings.document_size else ("none",):
            way = small.evaluation_named(name)
            test = partial(evaluate_way, way)
            evaluate(directory, planned.name, files, way, rates_of(name), test)


@pytest.fixture(scope="session")
def names(results) -> SimpleNamespace:
    """The names of the runs with a vector and without one."""
    runs = {run.settings.document_size: run.name for run in configured(results).runs()}
    return SimpleNamespace(VECTOR=runs[3], STATIC=runs[0])


def configured(directory: ExperimentDirectory) -> Plan:
    return load_plan(directory.configuration)


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
    words = ["</s>", "the", "<unk>", ".", ",", "mr.", "rare"]
    words += [word for of_topic in (*NOUNS.values(), *VERBS.values()) for word in of_topic.split()]
    rows = [f"{word}\t{99 - number}\t{number // 5}" for number, word in enumerate(words)]
    settings = RunSettings(corpus="toy", hidden_size=10, document_size=3)
    sizes = sizes_of_run(settings, len(words), (len(words) + 4) // 5)
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


def json_lines(text: str) -> list[dict]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def test_text(results):
    """The tokenised sentences of the test split."""
    return results.corpus("topics").text("test").read_text(encoding="utf-8")


@pytest.fixture
def copied(results, tmp_path):
    """A copy of the experiment, which a test may change."""
    shutil.copytree(results.path, tmp_path / "small")
    return ExperimentDirectory(tmp_path / "small")
