"""Read the results of an experiment's finished runs from their records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from online_rnnlm.analysis.results import Missing, Results
from online_rnnlm.analysis.scores import SentenceScores, files_of
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
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import End, RunDivergence, RunRecord, read_ended


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
        for tested in _tested(network, experiment, ways, rivals, timings):
            network.tested[tested.evaluation] = tested
    return Results(
        experiment=experiment,
        directory=directory,
        scores=SentenceScores(experiment, directory),
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
) -> Iterator[TestedNetwork]:
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
        yield TestedNetwork(
            corpus=network.corpus,
            title=f"{network.label} + {rival.title}" if rival else network.label,
            by_seed=[run.evaluations[name] for run in network.runs],
            parameters=network.parameters + sum(mixed_in),
            rival=rival,
            network=network,
            evaluation=name,
            name=network.label if is_main else f"{network.label} {ways[name]}",
            rounds=rounds.get(name, ()),
        )
