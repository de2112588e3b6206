"""Read the results of an experiment's finished runs from their records, and what they lack."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from online_rnnlm.analysis.results import Missing, Results
from online_rnnlm.analysis.scores import Scores
from online_rnnlm.analysis.systems import FinishedNetwork, FinishedRun, System, TestedNetwork
from online_rnnlm.config.evaluations import decisive_settings, in_words, main_adaptation
from online_rnnlm.config.plan import Plan, load_plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.adaptation import NONE, Adaptation
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import (
    Evaluation,
    Timings,
    read_evaluation,
    refuse_other_settings,
)
from online_rnnlm.storage.experiments import Audits, Complete
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult, refuse_foreign

logger = logging.getLogger(__name__)


def collect(directory: ExperimentDirectory) -> Results:
    """Read an experiment's configuration and all its results.

    Raises UserError for files that are missing or out of date, and for a run that was trained on
    another text than the others.
    """
    experiment = load_plan(directory.configuration)
    scores = Scores(experiment, directory)
    corpora = {
        corpus: records.read(Statistics, scores.files_of(corpus).statistics)
        for corpus in experiment.corpora
    }
    networks, missing = _read_rows(experiment, directory, corpora)
    candidates = [
        (run, _read_end(directory, run, experiment, corpora)) for run in experiment.search_runs()
    ]
    rivals = []
    for name, trained in experiment.corpus_rivals.items():
        tested = records.read(Evaluation, directory.evaluation(name, NONE))
        rivals.append(
            System(
                corpus=trained.corpus,
                title=trained.rival.title,
                by_seed=[tested],
                parameters=tested.parameters,
                rival=trained.rival,
            )
        )
    results = Results(
        experiment=experiment,
        directory=directory,
        scores=scores,
        networks=networks,
        candidates=candidates,
        missing=missing,
        rivals=rivals,
        corpora=corpora,
        in_words=_in_words(experiment),
    )
    rounds = {
        (timing.corpus, timing.network, timing.evaluation): timing.seconds_per_word
        for timing in records.read(Timings, directory.timings).timings
    }
    for network in results.networks:
        network.tested.update((one.evaluation, one) for one in _tested(network, results, rounds))
    return results


def _in_words(experiment: Plan) -> dict[str, str]:
    """The words of every evaluation, by its name."""
    words = {name: f"with {rival.phrase}" for name, rival in experiment.rivals_by_name.items()}
    for network in experiment.networks:
        for name, evaluation in network.evaluations.items():
            if isinstance(evaluation, Adaptation):
                words[name] = in_words(evaluation)
    return words


def _read_rows(
    experiment: Plan, directory: ExperimentDirectory, corpora: Mapping[str, Statistics]
) -> tuple[list[FinishedNetwork], list[Missing]]:
    """Read the networks that can be compared, and what has diverged.

    The runs of all their seeds have been tested frozen and, with a vector, as trained. Raises
    UserError for an evaluation that is missing or out of date.
    """
    networks = []
    missing = []
    for row in experiment.planned_rows:
        finished = []
        for planned in row.runs:
            run = resolve(planned, directory)
            corpus = run.settings.corpus
            end = _read_end(directory, run, experiment, corpora)
            if end.reason:
                missing.append(Missing(run.label, corpus, end.reason))
                continue
            evaluations: dict[str, Evaluation] = {}
            for name, evaluation in run.evaluations.items():
                path = directory.evaluation(run.name, name)
                tested = read_evaluation(path)
                refuse_other_settings(path, tested, decisive_settings(evaluation, run.testing))
                if tested.reason:
                    missing.append(Missing(f"{run.label}, {name}", corpus, tested.reason))
                else:
                    evaluations[name] = tested
            if evaluations.keys() >= {NONE, main_adaptation(run.settings.document_size).name}:
                finished.append(FinishedRun(run, end, evaluations))
        if len(finished) == len(row.runs):
            networks.append(FinishedNetwork(runs=tuple(finished)))
    return networks, missing


def _read_end(
    directory: ExperimentDirectory, run: Run, experiment: Plan, corpora: Mapping[str, Statistics]
) -> RunResult:
    """Read how a run has ended.

    Raises UserError if it has not, or was trained by other code or on another text.
    """
    files = directory.run(run.name)
    record = records.read(RunRecord, files.record)
    refuse_foreign(files, record, run, experiment.digits)
    end = records.read(RunResult, files.result)
    if record.corpus_digest != corpora[run.settings.corpus].digest:
        now = directory.corpus(run.corpus_folder).path
        raise UserError(f"{files.record}: trained on another text than {now} holds now")
    return end


def _tested(
    network: FinishedNetwork,
    results: Results,
    rounds: Mapping[tuple[str, str, str], tuple[float, ...]],
) -> Iterator[TestedNetwork]:
    """Yield a network in each evaluation that all its runs have.

    `rounds` are the times per token by corpus, network and evaluation. Parts that are updated take
    as long whatever the unit of text at whose end they are forgotten, so that one is timed for all.
    """
    timed: dict[tuple[object, object], tuple[float, ...]] = {}
    corpus = network.corpus
    name = network.network_name
    rivals = network.first.run.testing.rivals_by_name
    for evaluation in network.first.evaluations:
        if not all(evaluation in run.evaluations for run in network.runs):
            continue
        title = name
        parameters = network.parameters
        rival = rivals.get(evaluation)
        if rival:
            title = f"{name} + {rival.title}"
            for model in results.rivals:
                if model.corpus == corpus and model.rival in rival.parts:  # it is mixed in
                    parameters += model.parameters or 0
        is_main = evaluation == network.main_evaluation
        seconds = rounds.get((corpus, name, evaluation), ())
        adaptation = network.first.evaluations[evaluation].adaptation
        if adaptation:
            of_parts = (adaptation.parts, adaptation.after)
            seconds = seconds or timed.get(of_parts, ())
            timed.setdefault(of_parts, seconds)
        yield TestedNetwork(
            corpus=corpus,
            title=title,
            by_seed=[run.evaluations[evaluation] for run in network.runs],
            parameters=parameters,
            rival=rival,
            network=network,
            evaluation=evaluation,
            name=name if is_main else f"{name} {results.in_words[evaluation]}",
            rounds=seconds,
        )


def mark_complete(directory: ExperimentDirectory) -> None:
    """Write the mark of an experiment that lacks nothing.

    If anything is missing, log one line for each thing and raise UserError: the workflow has then
    made all that can be made, but it has not succeeded.
    """
    results = collect(directory)
    audits = records.read(Audits, directory.audits).audits
    lines = [missing.line for missing in results.missing]
    lines += [f"{audit.name}: the audit: {audit.failure}" for audit in audits if audit.failure]
    if not lines:
        trainings = len(results.experiment.trainings())
        records.write(directory.complete, Complete(trainings=trainings))
        return
    directory.complete.unlink(missing_ok=True)
    for line in lines:
        logger.error("%s%s", ERROR_MARK, line)
    raise UserError(f"{directory.path}: everything else is there; {len(lines)} missing or broken")
