"""The stages of the workflow as verbs: each is the job of the rule of its name."""

from __future__ import annotations

import argparse
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from online_rnnlm.commands import _arguments
from online_rnnlm.commands._arguments import CONFIG, RUN, Verb, argument
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.core.way import Way
from online_rnnlm.errors import UserError
from online_rnnlm.storage.code import PACKAGE

if TYPE_CHECKING:
    from online_rnnlm.corpora.stages import Stage

_CHECKPOINT_SECONDS = 600.0


def _prepare(stage: Stage, arguments: argparse.Namespace) -> None:
    """Run a stage of a corpus's preparation."""
    from online_rnnlm.corpora.stages import run_stage

    experiment, results = _arguments.experiment_of(arguments)
    folders = {experiment.digits.folder_of(name): name for name in experiment.corpora}
    name = _arguments.named(arguments, "corpus", folders)
    run_stage(
        stage,
        experiment.corpora[name],
        results.corpus(arguments.corpus),
        experiment.downloads,
        arguments.threads,
        experiment.testing.other_texts,
    )


def run_train(arguments: argparse.Namespace) -> None:
    """Train a run."""
    from online_rnnlm.jobs.choice import resolve
    from online_rnnlm.process.devices import require

    _, planned, directory = _arguments.run_of(arguments)
    run = resolve(planned, directory)
    require(run.settings)  # what is missing is said before anything slow is loaded
    from online_rnnlm.jobs.train import train
    from online_rnnlm.tracking.entries import live_log

    train(
        run,
        directory.corpus(run.corpus_folder),
        directory.run(run.name),
        _CHECKPOINT_SECONDS,
        live_log(directory, run.name),
    )


def run_evaluate(arguments: argparse.Namespace) -> None:
    """Test a run in one way."""
    from online_rnnlm.process.devices import require

    experiment, planned, directory = _arguments.run_of(arguments)
    allowed = evaluations_of(planned.settings, experiment.testing)
    if arguments.evaluation not in allowed:
        raise UserError(
            f"--evaluation {arguments.evaluation}: `{planned.name}` is not tested like that; "
            f"allowed: {', '.join(allowed)}"
        )
    require(planned.settings)  # what is missing is said before anything slow is loaded
    from online_rnnlm.jobs.evaluate import evaluate
    from online_rnnlm.rivals import load_test

    evaluation = allowed[arguments.evaluation]
    evaluate(
        directory,
        planned.name,
        directory.corpus(planned.corpus_folder),
        evaluation,
        experiment.testing,
        None if isinstance(evaluation, Way) else load_test(evaluation),
    )


def run_rival(arguments: argparse.Namespace) -> None:
    """Train and test a rival of a corpus."""
    from online_rnnlm.rivals import evaluate_rival, rivals_of_corpora

    experiment, directory = _arguments.experiment_of(arguments)
    rival = _arguments.named(arguments, "rival", rivals_of_corpora(experiment))
    evaluate_rival(directory, rival, experiment.testing)


def _of_corpus(stage: Stage, text: str) -> Verb:
    """Return the verb of a stage of a corpus's preparation."""
    corpus = argument("--corpus", required=True, help="name of the corpus's folder")
    threads = argument(
        "--threads",
        type=_arguments.whole_number(_arguments.MOST_PROCESSES),
        default=1,
        help="processes to use (default: 1)",
    )
    return Verb(text, partial(_prepare, stage), (CONFIG, corpus, threads))


def _of_experiment(text: str, module: str, function: str) -> Verb:
    """Return the verb that calls a function of the package for an experiment and its folder."""

    def run(arguments: argparse.Namespace) -> None:
        found = import_module(f"{PACKAGE}.{module}")
        getattr(found, function)(*_arguments.experiment_of(arguments))

    return Verb(text, run, [CONFIG])


STAGES = {
    "fetch": _of_corpus("fetch", "download the files of a corpus's source, and record them"),
    "articles": _of_corpus("articles", "read a source's articles"),
    "sentences": _of_corpus("sentences", "divide articles into sentences and tokens"),
    "encode": _of_corpus("encode", "split the sentences, choose the words and encode all"),
    "train": Verb("train one run", run_train, RUN),
    "evaluate": Verb(
        "test one run in one way",
        run_evaluate,
        (
            *RUN,
            argument(
                "--evaluation",
                required=True,
                help="how: `none`, `document_vector` or one of those that `testing` adds",
            ),
        ),
    ),
    "rival": Verb(
        "train and test a rival of a corpus, such as n-grams",
        run_rival,
        (CONFIG, argument("--rival", required=True, help="such as wikipedia-kneser_ney5")),
    ),
    "time": _of_experiment("time the networks side by side", "jobs.timing", "time_networks"),
    "audits": _of_experiment("audit the networks", "auditing.networks", "audit_networks"),
    "tables": _of_experiment("write the tables", "analysis.tables.table", "write_tables"),
    "claims": _of_experiment("judge the paper's claims", "analysis.claims", "write_claims"),
    "figures": _of_experiment("draw the figures", "analysis.figures.drawing", "write_figures"),
    "report": _of_experiment("write the report", "analysis.report", "write_report"),
    "complete": _of_experiment(
        "say what an experiment lacks, and fail if it lacks anything",
        "analysis.complete",
        "mark_complete",
    ),
}
"""The stages, in the order in which the workflow runs them."""
