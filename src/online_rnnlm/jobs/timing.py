"""The time that networks take to score the test text, measured side by side."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import adaptations_of_state, engine_for
from online_rnnlm.config.plan import load_plan
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.engines.base import Scores
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.network import Network
from online_rnnlm.process.devices import gpu, machine
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Timing, Timings
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, has_finished

ROUNDS = 9
"""Number of times that each network is timed with each adaptation, after one untimed round."""


@dataclass
class _Timed:
    """A network in one of its evaluations, and the times that it has taken."""

    run: Run
    adaptation: Adaptation
    settings: RunSettings
    """The run's, with the engine of the adaptation."""
    score: Callable[[Split], Scores]
    test: Split
    seconds_per_word: list[float] = field(default_factory=list)

    def time(self) -> float:
        """Score the test text, and return the time per token (s)."""
        clock = clock_for(self.settings)
        began = clock()
        self.score(self.test)
        return (clock() - began) / self.test.tokens


def clock_for(settings: RunSettings) -> Callable[[], float]:
    """Return the clock by which the engine of these settings is timed: processor time if it has all
    of it, else the time that passes, as the work of a GPU or of another process takes none here."""
    elsewhere = ENGINES[settings.engine].is_elsewhere or settings.device == "gpu"
    return time.perf_counter if elsewhere else time.process_time


def time_networks(directory: ExperimentDirectory) -> None:
    """Time every row's first run in its `adaptations_of_state`, in turn; write `timings.json`.

    Raises UserError if a model is missing or damaged.
    """
    timed = _load_networks(directory)
    chance = random.Random(0)
    for index in range(ROUNDS + 1):
        # Each round has an order of its own: what was timed before leaves traces.
        for one in chance.sample(timed, len(timed)):
            seconds = one.time()
            if index:
                one.seconds_per_word.append(seconds)
    timings = tuple(
        Timing(
            corpus=one.run.settings.corpus,
            network=one.run.network_name,
            evaluation=one.adaptation.name,
            seconds_per_word=tuple(one.seconds_per_word),
        )
        for one in timed
    )
    used = next(filter(None, (gpu(one.settings) for one in timed)), None)
    records.write(directory.timings, Timings(machine=machine(used), timings=timings))


def _load_networks(directory: ExperimentDirectory) -> list[_Timed]:
    """Load every row's first run, unless it has diverged, once for each adaptation to time."""
    experiment = load_plan(directory.configuration)
    corpora = cache(lambda folder: load_corpus(directory.corpus(folder)))
    timed = []
    for run in (row.runs[0] for row in experiment.planned_rows):
        files = directory.run(run.name)
        corpus = corpora(run.corpus_folder)
        if has_finished(files):
            record = records.read(RunRecord, files.record)
            weights = weight_files.read_trained(files, corpus.digest)
            network = Network(directory, record, corpus, weights, run.testing)
            for adaptation in adaptations_of_state(record.settings, run.testing):
                settings = engine_for(record.settings, adaptation)
                score = network.scorer(adaptation)
                timed.append(_Timed(run, adaptation, settings, score, corpus.splits["test"]))
    return timed
