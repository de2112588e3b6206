"""The time that networks take to score a text in each of their evaluations, measured in turn."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import engine_for, main_adaptation, timed_evaluations
from online_rnnlm.config.plan import Plan, load_plan
from online_rnnlm.config.rivals import RunRivalName
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.order import unit_beginnings
from online_rnnlm.core.text import Split
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.jobs.network import Network, at_rates, load_rival
from online_rnnlm.process.devices import gpu, machine
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Timing, Timings, read_evaluation
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Number
from online_rnnlm.storage.runs import RunRecord, has_finished

ROUNDS = 9
"""Number of times that each network is timed in each evaluation, after one untimed round."""
Scorer = Callable[[Split], object]


@dataclass
class TimedNetwork:
    """A network in one of its evaluations, and the times that it has taken."""

    run: Run
    evaluation: str
    settings: RunSettings
    """The run's, with the engine that scores it or, beside a rival, scores its main evaluation."""
    score: Scorer
    text: Split
    seconds_per_word: list[float] = field(default_factory=list)

    def time(self) -> float:
        """Score the text, and return the time per token (s)."""
        clock = clock_for(self.settings)
        began = clock()
        self.score(self.text)
        return (clock() - began) / self.text.tokens


def clock_for(settings: RunSettings) -> Callable[[], float]:
    """Return the clock by which the engine of these settings is timed: processor time if it has all
    of it, else the time that passes, as the work of a GPU or of another process takes none here."""
    elsewhere = ENGINES[settings.engine].is_elsewhere or settings.device == "gpu"
    return time.perf_counter if elsewhere else time.process_time


def time_networks(directory: ExperimentDirectory) -> None:
    """Time every row's first run in its `timed_evaluations`, in turn; write `timings.json`.

    Raises UserError if a model or an evaluation is missing or damaged.
    """
    timed = [*networks_to_time(load_plan(directory.configuration), directory)]
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
            evaluation=one.evaluation,
            tokens=one.text.tokens,
            seconds_per_word=tuple(one.seconds_per_word),
        )
        for one in timed
    )
    used = next(filter(None, (gpu(one.settings) for one in timed)), None)
    records.write(directory.timings, Timings(machine=machine(used), timings=timings))


def networks_to_time(experiment: Plan, directory: ExperimentDirectory) -> Iterator[TimedNetwork]:
    """Load every row's first run once for each evaluation to time, unless it has diverged in it.

    What is updated takes the rates, and a rival the settings, that this evaluation has chosen.
    """
    corpora = cache(lambda folder: load_corpus(directory.corpus(folder)))
    for run in (row.runs[0] for row in experiment.planned_rows):
        files = directory.run(run.name)
        corpus = corpora(run.corpus_folder)
        if not has_finished(files):
            continue
        record = records.read(RunRecord, files.record)
        weights = weight_files.read_trained(files, corpus.digest)
        network = Network(directory, record, corpus, weights, run.testing)
        text = beginning_of(corpus.splits["test"], experiment.testing.timed_tokens)
        main = main_adaptation(record.settings.document_size)
        for name, evaluation in timed_evaluations(run.settings, run.testing).items():
            tested = read_evaluation(directory.evaluation(run.name, name))
            if not tested.reason:
                adaptation = evaluation if isinstance(evaluation, Adaptation) else main
                settings = engine_for(record.settings, adaptation)
                score = _scorer(network, evaluation, tested.chosen)
                yield TimedNetwork(run, name, settings, score, text)


def beginning_of(split: Split, tokens: int) -> Split:
    """Return the first articles of a split that have so many tokens together; all of it if it has
    fewer. Of shuffled text, they are its first sentences."""
    begins = np.append(np.flatnonzero(unit_beginnings(split, "document")), split.sentences)
    enough = np.searchsorted(split.offsets[begins], min(tokens, split.tokens))
    return split.first(int(begins[enough]))


def _scorer(
    network: Network, evaluation: Adaptation | RunRivalName, chosen: Mapping[str, Number]
) -> Scorer:
    """Return the function that scores a text in an evaluation by chosen settings."""
    if isinstance(evaluation, Adaptation):
        return network.scorer(at_rates(evaluation, chosen))
    rival = load_rival(network.testing.rivals_by_name[evaluation].module)
    score: Scorer = rival.scorer(network, evaluation, chosen)
    return score
