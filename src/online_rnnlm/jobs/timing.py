"""The time that networks take to score the test text, measured side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from online_rnnlm.config.engines import ENGINES, engine_for
from online_rnnlm.config.evaluations import ways_of_network
from online_rnnlm.config.experiment import load_plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.scoring import NetworkScorer
from online_rnnlm.core.text import Split
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.process.devices import gpu, machine, require
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Timing, Timings
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult, read_end

ROUNDS = 9
"""Number of times that every network scores the test text in each way, after once untimed."""


@dataclass
class _Timed:
    """A network in one of its evaluations, and the times that it has taken."""

    run: Run
    way: Way
    scorer: NetworkScorer
    split: Split
    clock: Callable[[], float]
    seconds_per_word: list[float] = field(default_factory=list)


def time_networks(directory: ExperimentDirectory) -> None:
    """Time the `ways_of_network` of every row's first run, in turn; write `timings.json`.

    Raises UserError if a model is missing or damaged.
    """
    experiment = load_plan(directory.configuration)
    corpora = cache(lambda folder: load_corpus(directory.corpus(folder)))
    timed: list[_Timed] = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files = directory.run(run.name)
        corpus = corpora(run.corpus_folder)
        if isinstance(read_end(files), RunResult):
            settings = records.read(RunRecord, files.record).settings
            weights = weight_files.read_trained(files, corpus.digest)
            require(settings)
            # Processor time misses the work of another process (Theano) or of a GPU: these are
            # timed by the wall clock.
            elsewhere = ENGINES[settings.engine].is_elsewhere or settings.device == "gpu"
            clock = time.perf_counter if elsewhere else time.process_time
            for way in ways_of_network(settings, experiment.testing):
                scorer = NetworkScorer(engine_for(settings, way), corpus, weights, way)
                timed.append(_Timed(run, way, scorer, corpus.splits["test"], clock))
    chance = random.Random(0)
    for number in range(ROUNDS + 1):
        # Each round has an order of its own: what was timed before leaves traces.
        for one in chance.sample(timed, len(timed)):
            began = one.clock()
            one.scorer.score(one.split)
            if number:
                one.seconds_per_word.append((one.clock() - began) / one.split.tokens)
    timings = tuple(
        Timing(
            corpus=one.run.settings.corpus,
            network=one.run.network_name,
            evaluation=one.way.name,
            seconds_per_word=tuple(one.seconds_per_word),
        )
        for one in timed
    )
    used = next(filter(None, (gpu(one.run.settings) for one in timed)), None)
    records.write(directory.timings, Timings(machine=machine(used), timings=timings))
