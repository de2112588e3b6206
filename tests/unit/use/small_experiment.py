"""A small experiment on raw text, whose evaluations are compared with the model as a tool."""

import json
from pathlib import Path
from typing import Any

from online_rnnlm.config.plan import load_plan
from online_rnnlm.jobs.evaluation import evaluate_run
from online_rnnlm.jobs.train import train
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.toy_texts import raw_text
from tests.unit.corpora.small_corpora import run_stages
from tests.unit.small_models import ADAPTATIONS, RATE, rates_of
from tests.unit.small_records import NO_DIGITS

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


def make_results(folder: Path) -> None:
    """Train and test the experiment's two runs, in this folder."""
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
    experiment = load_plan(directory.configuration)
    settings = experiment.corpora["topics"]
    files = directory.corpus("topics")
    run_stages(settings, files, folder)
    for planned in experiment.runs():
        train(planned, files, directory.run(planned.name))
        for name in EVALUATIONS if planned.settings.document_size else ("none",):
            adaptation = ADAPTATIONS[name]
            evaluate_run(directory, planned.name, adaptation, rates_of(adaptation))


def json_lines(text: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in text.splitlines()]
