"""The results of an experiment's finished runs, from which tables, figures and claims are made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from online_rnnlm.analysis.scores import Scores, files_of
from online_rnnlm.analysis.systems import FinishedNetwork, FinishedRun, System, TestedNetwork
from online_rnnlm.config.evaluations import (
    decisive_settings,
    evaluations_of,
    final_evaluation,
    in_words,
    main_evaluations,
    ways_of,
)
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.way import NONE
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.rivals import CorpusRival, rivals_of, rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import (
    DivergedEvaluation,
    Evaluation,
    Timing,
    Timings,
    read_evaluation,
    refuse_other_settings,
)
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import End, RunDivergence, RunRecord, RunResult, read_ended

NO_NETWORK = "No network has finished."


class NothingToShowError(Exception):
    """The error that a table or figure has nothing to show, since what it is about is missing."""


class Missing(NamedTuple):
    """One thing that is missing."""

    what: str
    """A short name, such as `100/20, seed 1`."""
    why: str
    """The reason in a few words."""
    corpus: str
    line: str
    """The whole reason in one line: what is missing, why, and what can be tried."""
    shown: bool = True
    """True if tables and figures name it; the search's own table shows its candidates."""


@dataclass(frozen=True)
class Results:
    """The results of an experiment's runs."""

    experiment: Plan
    directory: ExperimentDirectory
    scores: Scores
    """The log-probabilities, by which systems are compared."""
    networks: Sequence[FinishedNetwork]
    """The networks of the comparison, in the configuration's order; one whose run for any seed has
    diverged is left out."""
    candidates: Sequence[tuple[Run, End]]
    """The runs of the search for settings and how they ended, in the configuration's order."""
    missing: Sequence[Missing]
    """All that has diverged."""
    rivals: Sequence[System]
    """The rivals of the corpora; those of runs are among the evaluations of a network."""
    corpora: Mapping[str, Statistics]
    ways: Mapping[str, str]
    """By the name of an evaluation, the words that follow a network's name, such as `frozen` or
    `with a neural cache`; none if it is as in training."""

    @property
    def several_seeds(self) -> bool:
        """True if metrics are means over several seeds, and so have a spread."""
        return len(self.experiment.seeds) > 1

    @property
    def several_corpora(self) -> bool:
        """True if the networks are trained on more than one corpus."""
        return len(self.corpora) > 1

    @property
    def compared_corpora(self) -> list[str]:
        """The corpora on which a network has finished."""
        return [corpus for corpus in self.corpora if self.networks_on(corpus)]

    @property
    def first_corpus(self) -> str:
        """The first of these, which is shown where there is room for only one.

        Raises NothingToShowError if there is none.
        """
        if not self.networks:
            raise NothingToShowError(NO_NETWORK)
        return self.compared_corpora[0]

    @property
    def missing_note(self) -> list[str]:
        """A note for a table or a caption that names what is missing; none if nothing is."""
        named = []
        for missing in self.missing:
            if missing.shown:
                where = f" on {missing.corpus}" if self.several_corpora else ""
                named.append(f"{missing.what}{where} ({missing.why})")
        return [f"Missing: {'; '.join(named)}."] if named else []

    @property
    def runs(self) -> list[FinishedRun]:
        """Every run of the comparison, network by network."""
        return [run for network in self.networks for run in network.runs]

    def files_of(self, corpus: str) -> CorpusDirectory:
        """The folder of a corpus."""
        return files_of(self.experiment, self.directory, corpus)

    def networks_on(self, corpus: str) -> list[FinishedNetwork]:
        """The networks on a corpus."""
        return [network for network in self.networks if network.corpus == corpus]

    def systems_on(self, corpus: str) -> Iterator[System]:
        """Yield the networks on a corpus as in training, those with rivals, then its own rivals."""
        networks = self.networks_on(corpus)
        yield from (network.main for network in networks)
        yield from (one for network in networks for one in network.tested.values() if one.rival)
        yield from (system for system in self.rivals if system.corpus == corpus)

    def chosen_candidate(self, network: FinishedNetwork) -> Run | None:
        """The run of the search that was best on `valid`, whose settings a network has; None if
        none was tried."""
        tried = [
            (end.valid_perplexity, run)
            for run, end in self.candidates
            if isinstance(end, RunResult) and run.name in network.first.run.candidates
        ]
        return min(tried, key=lambda found: found[0])[1] if tried else None

    def headline_on(self, corpus: str) -> FinishedNetwork:
        """The network of a corpus that the report is about.

        Preferred, in this order: networks with a vector, of the paper's hidden layer, trained per
        sentence; of those left, the first in the configuration.
        """
        left = self.networks_on(corpus)
        left = [network for network in left if network.has_vector] or left
        left = [network for network in left if network.is_the_papers] or left
        left = [network for network in left if network.settings.unit_of_text == "sentence"] or left
        return left[0]

    def headline_with_vector(self) -> FinishedNetwork:
        """The headline of the first corpus; raises NothingToShowError if it has no vector."""
        headline = self.headline_on(self.first_corpus)
        if not headline.has_vector:
            raise NothingToShowError("No network with a vector has finished.")
        return headline

    def static_like(self, vector: FinishedNetwork) -> list[FinishedNetwork]:
        """The static networks on a network's corpus with its cell and unit of text, the smallest
        first.

        Of those of one size, such as those of two engines, the better one on `valid` comes first.
        """
        alike = [
            network
            for network in self.networks_on(vector.corpus)
            if network.regime == vector.regime and not network.has_vector
        ]
        return sorted(alike, key=lambda one: (one.parameters, one.main.perplexity("valid").mean()))

    def static_of_as_many_units(self, vector: FinishedNetwork) -> FinishedNetwork | None:
        """The static network with as many hidden and slow units as a network, if there is one."""
        units = (vector.settings.hidden_size, vector.settings.context_units)
        for static in self.static_like(vector):
            if (static.settings.hidden_size, static.settings.context_units) == units:
                return static
        return None

    def opponents_of(self, vector: FinishedNetwork) -> list[FinishedNetwork]:
        """The static networks that are shown beside a network: of as many units, and of as many
        parameters.

        The largest static one takes the place of the second if none has as many. There is one if
        both are the same, and none without static networks.
        """
        static = self.static_like(vector)
        if not static:
            return []
        largest = max(static, key=lambda network: network.parameters)
        as_large = (network for network in static if network.parameters >= vector.parameters)
        shown = [self.static_of_as_many_units(vector), next(as_large, largest)]
        return [*dict.fromkeys(network for network in shown if network is not None)]


def collect(experiment: Plan, directory: ExperimentDirectory) -> Results:
    """Read all results of an experiment.

    Raises UserError for files that are missing or out of date, and for a run that was trained on
    another text than the others.
    """
    corpora = {
        corpus: records.read(Statistics, files_of(experiment, directory, corpus).statistics)
        for corpus in experiment.corpora
    }
    ways = _in_words(experiment)
    finished, missing = _read_runs(experiment, directory, corpora)
    candidates = [(run, _read_end(directory, run, corpora)) for run in experiment.search_runs()]
    for run, end in candidates:
        if isinstance(end, RunDivergence):
            corpus = run.settings.corpus
            missing.append(Missing(run.label, end.status, corpus, end.reason, shown=False))
    rivals = [_read_rival(directory, one) for one in rivals_of_corpora(experiment).values()]
    timings = records.read(Timings, directory.timings).timings
    by_network: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
    for one in finished:
        by_network[one.run.settings.corpus, one.run.model].append(one)
    networks = [
        FinishedNetwork(tuple(runs))
        for runs in by_network.values()
        if len(runs) == len(experiment.seeds)
    ]
    for network in networks:
        network.tested.update(_tested(network, experiment, ways, rivals, timings))
    return Results(
        experiment=experiment,
        directory=directory,
        scores=Scores(experiment, directory),
        networks=networks,
        candidates=candidates,
        missing=missing,
        rivals=rivals,
        corpora=corpora,
        ways=ways,
    )


def _in_words(experiment: Plan) -> dict[str, str]:
    """The words of every evaluation, by its name."""
    ways = {name: in_words(way) for name, way in ways_of(experiment).items()}
    rivals = rivals_of(experiment.testing).items()
    return ways | {name: f"with {rival.phrase}" for name, rival in rivals}


def _read_runs(
    experiment: Plan, directory: ExperimentDirectory, corpora: Mapping[str, Statistics]
) -> tuple[list[FinishedRun], list[Missing]]:
    """Read the runs of the comparison: those with all main evaluations, and what has diverged."""
    finished = []
    missing = []
    for planned in experiment.runs():
        run = resolve(planned, directory)
        corpus = run.settings.corpus
        end = _read_end(directory, run, corpora)
        if isinstance(end, RunDivergence):
            missing.append(Missing(run.label, end.status, corpus, end.reason))
            continue
        evaluations: dict[str, Evaluation] = {}
        for name, tested in _read_evaluations(experiment, directory, run).items():
            if isinstance(tested, Evaluation):
                evaluations[name] = tested
            else:
                what = f"{run.label}, {name}"
                missing.append(Missing(what, tested.status, corpus, tested.reason))
        if evaluations.keys() >= {*main_evaluations(run.settings.document_size)}:
            finished.append(FinishedRun(run, end, evaluations))
    return finished, missing


def _read_end(directory: ExperimentDirectory, run: Run, corpora: Mapping[str, Statistics]) -> End:
    """Read how a run has ended; raises UserError if it has not, or was trained on another text."""
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    end = read_ended(files)
    if record.corpus_digest != corpora[run.settings.corpus].digest:
        now = directory.corpus(run.corpus_folder).path
        raise UserError(f"{files.record}: trained on another text than {now} holds now")
    return end


def _read_evaluations(
    experiment: Plan, directory: ExperimentDirectory, run: Run
) -> dict[str, Evaluation | DivergedEvaluation]:
    """Read a run's evaluations; raises UserError for one that is missing or out of date."""
    found = {}
    for name, evaluation in evaluations_of(run.settings, experiment.testing).items():
        path = directory.evaluation(run.name, name)
        found[name] = read_evaluation(path)
        planned = decisive_settings(evaluation, experiment.testing)
        refuse_other_settings(path, found[name], planned)
    return found


def _read_rival(directory: ExperimentDirectory, trained: CorpusRival) -> System:
    """Read the evaluation of a rival that is trained on a corpus alone."""
    tested = records.read(Evaluation, directory.evaluation(trained.name, NONE))
    return System(
        corpus=trained.corpus,
        title=trained.rival.title,
        by_seed=[tested],
        parameters=tested.parameters,
        rival=trained.rival,
    )


def _tested(
    network: FinishedNetwork,
    experiment: Plan,
    ways: Mapping[str, str],
    rivals: Sequence[System],
    timings: Sequence[Timing],
) -> Iterator[tuple[str, TestedNetwork]]:
    """Yield the evaluations that all runs of a network have.

    `rivals` are those of the corpora: a network into which one is mixed has its parameters, too.
    """
    rounds = {
        timing.evaluation: timing.seconds_per_word
        for timing in timings
        if (timing.corpus, timing.network) == (network.corpus, network.label)
    }
    rivals_of_runs = rivals_of(experiment.testing)
    for name in network.first.evaluations:
        if any(name not in run.evaluations for run in network.runs):
            continue
        rival = rivals_of_runs.get(name)
        mixed_in = [
            system.parameters or 0
            for system in rivals
            if rival and system.corpus == network.corpus and system.rival in rival.parts
        ]
        is_main = name == final_evaluation(network.settings.document_size)
        yield (
            name,
            TestedNetwork(
                corpus=network.corpus,
                title=f"{network.label} + {rival.title}" if rival else network.label,
                by_seed=[run.evaluations[name] for run in network.runs],
                parameters=network.parameters + sum(mixed_in),
                rival=rival,
                network=network,
                evaluation=name,
                name=network.label if is_main else f"{network.label} {ways[name]}",
                rounds=rounds.get(name, ()),
            ),
        )
