"""The stages of the workflow as verbs: each is the job of the rule of its name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TypeVar

from online_rnnlm.commands._inputs import add_results, experiment_of
from online_rnnlm.commands._verb import Verb, whole_number_to
from online_rnnlm.config import code
from online_rnnlm.config.code import Modules
from online_rnnlm.config.evaluations import engine_for
from online_rnnlm.config.plan import Plan
from online_rnnlm.config.runs import Run
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.corpora.planning import refuse_changed_code
from online_rnnlm.corpora.stages import Stage, run_stage
from online_rnnlm.errors import UserError, needing_packages, suggestion
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.process.devices import require
from online_rnnlm.process.kernels import provide_kernels
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord, refuse_foreign

Item = TypeVar("Item")


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
        type=whole_number_to(1000),
        default=1,
        help="processes to use (default: %(default)s)",
    )


def run_preparation(stage: Stage, arguments: argparse.Namespace) -> None:
    """Run a stage of a corpus's preparation."""
    experiment, directory = experiment_of(arguments)
    digits = experiment.digits
    corpora = {digits.folder_of(name): name for name in experiment.corpora}
    name = _named("--corpus", arguments.corpus, corpora)
    settings = experiment.corpora[name]
    refuse_changed_code(digits, code.of_corpus(settings))
    run_stage(
        stage,
        settings,
        directory.corpus(arguments.corpus),
        experiment.downloads,
        digits.texts[name],
        arguments.threads,
        experiment.testing.other_texts,
    )


def run_compilation(arguments: argparse.Namespace) -> None:
    """Compile the kernels of all precisions that runs are trained in, and print their folder."""
    experiment, _ = experiment_of(arguments)
    for run in experiment.trainings():
        provide_kernels(run.settings)
    print(os.environ["NUMBA_CACHE_DIR"])


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
    experiment, planned, directory = _run_of(arguments)
    run = resolve(planned, directory)
    require(run.settings)  # what is missing is said before anything slow is loaded
    from online_rnnlm.jobs.train import train
    from online_rnnlm.tracking.live_log import LiveLog

    _load_engine(run.settings.engine)
    refuse_changed_code(experiment.digits, code.of_training(planned.settings))
    provide_kernels(run.settings)
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
    """Make one evaluation of a run."""
    experiment, planned, directory = _run_of(arguments)
    allowed = planned.evaluations
    if arguments.evaluation not in allowed:
        raise UserError(
            f"--evaluation {arguments.evaluation}: `{planned.name}` is not tested like that; "
            f"allowed: {', '.join(allowed)}"
        )
    evaluation = allowed[arguments.evaluation]
    if isinstance(evaluation, Adaptation):
        settings = engine_for(planned.settings, evaluation)
        require(settings)  # what is missing is said before anything slow is loaded
        _load_engine(settings.engine)
    from online_rnnlm.jobs.evaluation import evaluate_run

    modules = code.of_evaluation(planned.settings, evaluation, planned.testing)
    refuse_changed_code(experiment.digits, modules)
    record = records.read(RunRecord, directory.run(planned.name).record)
    refuse_foreign(directory.run(planned.name), record, planned, experiment.digits)
    evaluate_run(directory, planned.name, evaluation, planned.testing)


def add_rival_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a rival of a corpus."""
    add_results(parser)
    parser.add_argument("--rival", required=True, help="such as wikipedia-c5ba3632-kneser_ney5")


def run_rival(arguments: argparse.Namespace) -> None:
    """Train and test a rival of a corpus."""
    experiment, directory = experiment_of(arguments)
    rival = _named("--rival", arguments.rival, experiment.corpus_rivals)
    from online_rnnlm.jobs.evaluation import evaluate_corpus_rival

    refuse_changed_code(experiment.digits, code.of_rival(rival.kind))
    evaluate_corpus_rival(directory, rival, experiment.testing)


def _load_engine(name: str) -> None:
    """Load an engine's code, so that a job compares what it computes by with the plan."""
    with needing_packages():
        import_module(f"online_rnnlm.core.engines.{name}_engine")


def _on_results(
    help: str, job: str, decided_by: Callable[[Plan], Modules] = code.of_report
) -> Verb:
    """Return the verb of a stage of a whole experiment, whose job is named `module:function`.

    `decided_by` returns the modules whose code decides its results. The job gets the folder of
    these; its module is imported when it runs.
    """
    module, function = job.split(":")

    def run(arguments: argparse.Namespace) -> None:
        experiment, directory = experiment_of(arguments)
        write = getattr(import_module(f"online_rnnlm.{module}"), function)
        refuse_changed_code(experiment.digits, decided_by(experiment))
        write(directory)

    return Verb(help, add_results, run)


def _preparation(stage: Stage, help: str) -> Verb:
    """Return the verb of a stage of a corpus's preparation."""
    return Verb(help, add_corpus_arguments, partial(run_preparation, stage))


STAGES = {
    "fetch": _preparation("fetch", "download the files of a corpus's source, and record them"),
    "articles": _preparation("articles", "read a source's articles"),
    "sentences": _preparation("sentences", "divide articles into sentences and tokens"),
    "encode": _preparation("encode", "split the sentences, choose the words and encode all"),
    "compile": Verb("compile the kernels, once on a machine", add_results, run_compilation),
    "train": Verb("train one run", add_run_arguments, run_training),
    "evaluate": Verb("make one evaluation of a run", add_evaluation_arguments, run_evaluation),
    "rival": Verb(
        "train and test a rival of a corpus, such as n-grams", add_rival_arguments, run_rival
    ),
    "time": _on_results(
        "time the networks side by side", "jobs.timing:time_networks", code.of_timings
    ),
    "audits": _on_results("audit the networks", "auditing.networks:audit_networks", code.of_audits),
    "tables": _on_results("write the tables", "analysis.tables.writing:write_tables"),
    "claims": _on_results("judge the paper's claims", "analysis.claims:write_claims"),
    "figures": _on_results("draw the figures", "analysis.figures.writing:write_figures"),
    "report": _on_results("write the report", "analysis.report:write_report"),
    "complete": _on_results(
        "say what an experiment lacks, and fail if it lacks anything",
        "analysis.reading:mark_complete",
    ),
}
"""The stages, in the order in which the workflow runs them."""
