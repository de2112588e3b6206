"""The stages of the workflow as verbs: each is the job of the rule of its name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TypeVar

from online_rnnlm.commands._inputs import add_results, experiment_of, results_of
from online_rnnlm.commands._verb import Verb, whole_number_to
from online_rnnlm.config.evaluations import engine_for, evaluations_of
from online_rnnlm.config.experiment import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.stages import Stage, run_stage
from online_rnnlm.errors import UserError, suggestion
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.process.devices import require
from online_rnnlm.storage.paths import ExperimentDirectory

Item = TypeVar("Item")
Job = str | Callable[[argparse.Namespace], None]
"""The job of a stage: a function of the verb's arguments or, named as `module:function`, one of the
folder of an experiment's results, which is imported when it runs."""
_MOST_PROCESSES = 1000


def _named(option: str, name: str, among: Mapping[str, Item]) -> Item:
    """Return what has the name that an option gives; raises UserError if nothing has."""
    if name not in among:
        has = ", ".join(among) or "none"
        raise UserError(
            f"{option} {name}: not in the experiment; {suggestion(name, among)}it has {has}"
        )
    return among[name]


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a stage of a corpus's preparation."""
    add_results(parser)
    parser.add_argument("--corpus", required=True, help="name of the corpus's folder")
    parser.add_argument(
        "--threads",
        type=whole_number_to(_MOST_PROCESSES),
        default=1,
        help="processes to use (default: %(default)s)",
    )


def run_preparation(stage: Stage, arguments: argparse.Namespace) -> None:
    """Run a stage of a corpus's preparation."""
    experiment, directory = experiment_of(arguments)
    corpora = {experiment.digits.folder_of(name): each for name, each in experiment.corpora.items()}
    run_stage(
        stage,
        _named("--corpus", arguments.corpus, corpora),
        directory.corpus(arguments.corpus),
        experiment.downloads,
        arguments.threads,
        experiment.testing.other_texts,
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a run."""
    add_results(parser)
    parser.add_argument("--run", required=True, help="name of the run")


def _run_of(arguments: argparse.Namespace) -> tuple[Plan, Run, ExperimentDirectory]:
    """Return an experiment, its run that `--run` names, and its folder."""
    experiment, directory = experiment_of(arguments)
    runs = {run.name: run for run in experiment.trainings()}
    return experiment, _named("--run", arguments.run, runs), directory


def run_training(arguments: argparse.Namespace) -> None:
    """Train a run."""
    _, planned, directory = _run_of(arguments)
    run = resolve(planned, directory)
    require(run.settings)  # what is missing is said before anything slow is loaded
    from online_rnnlm.jobs.train import train
    from online_rnnlm.tracking.live_log import LiveLog

    train(
        run,
        directory.corpus(run.corpus_folder),
        directory.run(run.name),
        log_epochs=LiveLog(directory, run.name),
    )


def add_evaluation_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of an evaluation of a run."""
    add_run_arguments(parser)
    parser.add_argument(
        "--evaluation",
        required=True,
        help="how: `none`, `document_vector` or one of those that `testing` adds",
    )


def run_evaluation(arguments: argparse.Namespace) -> None:
    """Test a run in one way."""
    experiment, planned, directory = _run_of(arguments)
    allowed = evaluations_of(planned.settings, experiment.testing)
    if arguments.evaluation not in allowed:
        raise UserError(
            f"--evaluation {arguments.evaluation}: `{planned.name}` is not tested like that; "
            f"allowed: {', '.join(allowed)}"
        )
    evaluation = allowed[arguments.evaluation]
    if isinstance(evaluation, Way):  # what is missing is said before anything slow is loaded
        require(engine_for(planned.settings, evaluation))
    from online_rnnlm.rivals.evaluations import evaluate_run

    evaluate_run(directory, planned.name, evaluation, experiment.testing)


def add_rival_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a rival of a corpus."""
    add_results(parser)
    parser.add_argument("--rival", required=True, help="such as wikipedia-c5ba3632-kneser_ney5")


def run_rival(arguments: argparse.Namespace) -> None:
    """Train and test a rival of a corpus."""
    experiment, directory = experiment_of(arguments)
    rival = _named("--rival", arguments.rival, experiment.corpus_rivals)
    from online_rnnlm.rivals.evaluations import evaluate_corpus_rival

    evaluate_corpus_rival(directory, rival, experiment.testing)


def run_job(job: Job, arguments: argparse.Namespace) -> None:
    """Do the job of a stage: every stage begins here."""
    if isinstance(job, str):
        module, _, function = job.partition(":")
        getattr(import_module(f"online_rnnlm.{module}"), function)(results_of(arguments))
    else:
        job(arguments)


def _stage(
    help: str, job: Job, add_arguments: Callable[[argparse.ArgumentParser], None] = add_results
) -> Verb:
    """Return the verb of a stage; without other arguments it concerns a whole experiment."""
    return Verb(help, add_arguments, partial(run_job, job))


def _preparation(stage: Stage, help: str) -> Verb:
    """Return the verb of a stage of a corpus's preparation."""
    return _stage(help, partial(run_preparation, stage), add_corpus_arguments)


STAGES = {
    "fetch": _preparation("fetch", "download the files of a corpus's source, and record them"),
    "articles": _preparation("articles", "read a source's articles"),
    "sentences": _preparation("sentences", "divide articles into sentences and tokens"),
    "encode": _preparation("encode", "split the sentences, choose the words and encode all"),
    "train": _stage("train one run", run_training, add_run_arguments),
    "evaluate": _stage("test one run in one way", run_evaluation, add_evaluation_arguments),
    "rival": _stage(
        "train and test a rival of a corpus, such as n-grams", run_rival, add_rival_arguments
    ),
    "time": _stage("time the networks side by side", "jobs.timing:time_networks"),
    "audits": _stage("audit the networks", "auditing.networks:audit_networks"),
    "tables": _stage("write the tables", "analysis.tables.writing:write_tables"),
    "claims": _stage("judge the paper's claims", "analysis.claims:write_claims"),
    "figures": _stage("draw the figures", "analysis.figures.writing:write_figures"),
    "report": _stage("write the report", "analysis.report:write_report"),
    "complete": _stage(
        "say what an experiment lacks, and fail if it lacks anything",
        "analysis.completion:mark_complete",
    ),
}
"""The stages, in the order in which the workflow runs them."""
