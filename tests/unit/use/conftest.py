"""A small experiment on raw text with trained runs, and the model's file of one of them."""

import io
import json
import random
import sys
from types import SimpleNamespace

import pytest

from online_rnnlm.commands import _main as cli
from online_rnnlm.config.loading import load as load_configuration
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.corpora.encoding import encode
from online_rnnlm.corpora.extraction import write_articles
from online_rnnlm.corpora.splitting import write_splits
from online_rnnlm.corpora.tokenisation import write_sentences
from online_rnnlm.corpora.vocabulary import write_vocabulary
from online_rnnlm.evaluation.evaluate import evaluate
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import SPLITS, ExperimentDirectory
from online_rnnlm.tracking.opening import load
from online_rnnlm.training.train import train
from online_rnnlm.use.exporting import export
from tests.unit.small_models import small

__all__ = ["small"]
RATE, STEPS = 0.03, 3
VECTOR, STATIC = "topics-M10-D3-seed1", "topics-M8-D0-seed1"
EVALUATIONS = {
    "none": ["--static"],
    "document_vector": [],
    "all.word.sentence": ["--updates", "all", "--learning-rate", f"{RATE}"],
    "all.sentence.stream": [
        *("--updates", "all", "--learning-rate", f"{RATE}"),
        *("--learn-after", "sentence", "--unit-of-text", "stream"),
    ],
    "document_vector.word.stream": [
        *("--updates", "document_vector", "--learning-rate", f"{RATE}"),
        *("--unit-of-text", "stream"),
    ],
    "document_vector.word.document": [
        *("--updates", "document_vector", "--learning-rate", f"{RATE}"),
        *("--unit-of-text", "document"),
    ],
}
"""The evaluations of the run with a vector, and the options of `score` that mean the same."""
NOUNS = {"farm": "cat mouse milk hen", "sea": "ship captain storm whale", "court": "king queen"}
VERBS = {"farm": "sees hunts likes", "sea": "meets fears names", "court": "wants keeps"}


def raw_text(sentences: int) -> str:
    """Return raw text of articles, a paragraph a line."""
    chance, paragraphs = random.Random(1), []
    while sentences > 0:
        topic = chance.choice(list(NOUNS))
        number = chance.randint(2, 6)
        sentences -= number
        nouns, verbs = NOUNS[topic].split(), VERBS[topic].split()
        found = []
        for _ in range(number):
            words = [f"the {chance.choice(nouns)} {chance.choice(verbs)}" for _ in range(3)]
            rare = chance.choice(["", "", f" n{chance.randint(1, 900)}"])
            found.append(f"{' '.join(words).capitalize()}{rare}, Mr. {chance.choice(nouns)}.")
        paragraphs.append(" ".join(found))
    return "\n".join(paragraphs) + "\n"


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> ExperimentDirectory:
    """An experiment on raw text; tests must not change it."""
    folder = tmp_path_factory.mktemp("use")
    (folder / "text.txt").write_text(raw_text(500), encoding="utf-8")
    corpus = {
        "source": {"kind": "text", "file": str(folder / "text.txt")},
        "valid_sentences": 50,
        "test_sentences": 60,
        "divide_by": "article",
        "vocabulary": {"min_count": 3},
        "classes": {"count": 6},
    }
    values = {
        "experiment": "small",
        "corpora": {"topics": corpus},
        "training": {"max_epochs": 2},
        "rows": [
            {"hidden_size": 10, "document_size": 3},
            {"hidden_size": 8, "document_size": 0},
        ],
    }
    directory = ExperimentDirectory(folder / "small")
    write_json(directory.configuration, values)
    experiment = load_configuration(directory.configuration)
    settings, files = experiment.corpora["topics"], directory.corpus("topics")
    write_articles(settings, folder, files.articles, 1)
    write_sentences(settings, files.articles, files.sentences, 1)
    write_splits(settings, folder, files.sentences, {s: files.split(s) for s in SPLITS}, 1)
    write_vocabulary(settings, files.split("train"), files.vocabulary)
    encode(settings, "topics", files)
    testing = TestingSettings.model_validate(
        {"learning_rates": [RATE], "document_rates": [RATE], "steps": STEPS}
    )
    for planned in experiment.runs():
        train(Run(settings=planned.settings), files, directory.run(planned.name))
        caches = ["none", "unigram_cache", "neural_cache"]
        names = EVALUATIONS if planned.settings.document_size else caches
        for name in names:
            evaluate(directory, planned.name, files, name, testing)
    return directory


@pytest.fixture(scope="session")
def model_path(results, tmp_path_factory):
    """The file of the model with a vector."""
    path = tmp_path_factory.mktemp("model") / "small.onlm"
    export(results.run(VECTOR).path, path)
    return path


@pytest.fixture(scope="session")
def model(model_path):
    """The model with a vector."""
    return load(model_path)


@pytest.fixture
def run(monkeypatch, capfd):
    """A function that runs the command; returns its status, output and messages."""

    def call(*arguments, text: str | bytes = ""):
        raw = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        found = capfd.readouterr()
        return SimpleNamespace(status=caught.value.code, out=found.out, err=found.err)

    return call


@pytest.fixture
def refused(run):
    """A function that runs a command which must be refused in one line; returns the line."""

    def call(*arguments, status: int = 2, text: str | bytes = "") -> str:
        found = run(*arguments, text=text)
        assert found.status == status, found.err
        lines = found.err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("online-rnnlm: error: "), found.err
        return lines[0].removeprefix("online-rnnlm: error: ")

    return call


def json_lines(text: str) -> list[dict]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def names() -> SimpleNamespace:
    """The constants above, for tests that cannot import this file."""
    return SimpleNamespace(
        VECTOR=VECTOR,
        STATIC=STATIC,
        EVALUATIONS=EVALUATIONS,
        STEPS=STEPS,
        json_lines=json_lines,
        raw_text=raw_text,
    )
