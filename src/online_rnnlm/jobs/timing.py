"""The time that networks take to score the test text, measured side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import cache, partial

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import engine_for, timed_ways
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.core.scoring import NetworkScorer
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.process.devices import gpu, require
from online_rnnlm.process.hardware import machine
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Timing, Timings
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult, read_end

ROUNDS = 9
"""Number of times that every network scores the test text in each way, after once untimed."""


def time_networks(experiment: Experiment, directory: ExperimentDirectory) -> None:
    """Time the `timed_ways` of every row's first run, in turn; write `timings.json`.

    Raises UserError if a model is missing or damaged.
    """
    corpora = cache(lambda folder: load_corpus(directory.corpus(folder)))
    timed: list[tuple[Run, str, Callable[[], float]]] = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files, corpus = directory.run(run.name), corpora(run.corpus_folder)
        if isinstance(read_end(files), RunResult):
            settings = records.read(RunRecord, files.record).settings
            weights = weight_files.read_trained(files, corpus.digest)
            require(settings)
            for way in timed_ways(settings, experiment.testing):
                scorer = NetworkScorer(engine_for(settings, way), corpus, weights, way)
                # Only a clock on the wall sees what another process or a GPU does.
                elsewhere = ENGINES[settings.engine].is_elsewhere or settings.device == "gpu"
                clock = time.perf_counter if elsewhere else time.process_time
                seconds = partial(_seconds_per_word, scorer, corpus.splits["test"], clock)
                timed.append((run, way.name, seconds))
    chance, rounds = random.Random(0), []
    for _ in range(ROUNDS + 1):  # each in an order of its own: what was timed before leaves traces
        order = chance.sample(range(len(timed)), len(timed))
        took = {place: timed[place][2]() for place in order}
        rounds.append([took[place] for place in range(len(timed))])
    found = zip(timed, zip(*rounds[1:], strict=True), strict=True)
    timings = (
        Timing(
            corpus=run.settings.corpus,
            network=run.model,
            evaluation=evaluation,
            seconds_per_word=seconds,
        )
        for (run, evaluation, _), seconds in found
    )
    used = next(filter(None, (gpu(run.settings) for run, *_ in timed)), None)
    records.write(directory.timings, Timings(machine=machine(used), timings=tuple(timings)))


def _seconds_per_word(scorer: NetworkScorer, split: Split, clock: Callable[[], float]) -> float:
    """Score a split, and return the time per token (s) by the clock."""
    began = clock()
    scorer.score(split)
    return (clock() - began) / split.tokens
