"""Work in a process of its own: `python -m benchmarks.worker VERB CORPUS SETTINGS`, JSON out.

`speed` and `score`: print a line when ready; then read numbers, one a line, and learn or score for
that many seconds each.
`train`: train and test a whole run; print its cost and its epochs.

Another checkout's worker takes the same arguments, which `--old` relies on.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from online_rnnlm.process.environment import prepare_process

prepare_process()

import numpy as np  # noqa: E402  # numerical libraries come after `prepare_process`

from benchmarks import workloads  # noqa: E402
from benchmarks.measure import Task, timed  # noqa: E402
from online_rnnlm.config.training import RunSettings  # noqa: E402
from online_rnnlm.corpora.corpus import Corpus, load_corpus  # noqa: E402
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory  # noqa: E402


def main(verb: str, corpus: str, values: str) -> None:
    """Run one verb on a prepared corpus, with the settings of a run as JSON."""
    settings, directory = RunSettings.model_validate_json(values), CorpusDirectory(Path(corpus))
    if verb == "train":
        from benchmarks.runs import whole_run  # noqa: PLC0415  # it imports much more

        with tempfile.TemporaryDirectory() as folder:
            results = ExperimentDirectory(Path(folder))
            place = results.corpus(settings.corpus).path
            place.parent.mkdir()
            place.symlink_to(directory.path.resolve())
            say(whole_run(results, settings))
        return
    task = {"speed": _learning, "score": _scoring}[verb](settings, load_corpus(directory))
    task()
    say("ready")
    for line in sys.stdin:
        done = timed(lambda seconds=float(line): _for_seconds(task, seconds))
        say({"words": done.work, "seconds": done.wall, "cpu": done.cpu})


def say(value: object) -> None:
    """Print a line of JSON."""
    print(json.dumps(value), flush=True)


def _for_seconds(task: Task, seconds: float) -> float:
    words, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        words += task()
    return words


def _learning(settings: RunSettings, corpus: Corpus) -> Task:
    """Return a task that learns from other sentences in every call."""
    trainer = workloads.new_trainer(settings, corpus)
    chance, sentences = np.random.default_rng(settings.seed), corpus.splits["train"].sentences

    def learn() -> float:
        part = chance.integers(0, sentences, workloads.SENTENCES_A_CALL)
        workloads.learn_from(trainer, settings, part)
        return workloads.words_in(corpus, part)

    return learn


def _scoring(settings: RunSettings, corpus: Corpus) -> Task:
    weights = workloads.new_trainer(settings, corpus).weights
    return workloads.scoring_task(settings, corpus, weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
