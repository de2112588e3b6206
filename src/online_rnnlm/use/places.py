"""Finds a trained model: in a file, among an experiment's results, or in MLflow."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.config.plan import load_plan
from online_rnnlm.corpora.corpus import load_vocabulary, read_statistics
from online_rnnlm.corpora.records import SentenceSplitter
from online_rnnlm.errors import UserError
from online_rnnlm.process.mlflow_library import mlflow, one_line_errors
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import read_evaluation
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory, RunDirectory
from online_rnnlm.storage.runs import RunRecord, read_end, read_finished, refuse_foreign
from online_rnnlm.use import model_file
from online_rnnlm.use.model_file import Contents, ModelDescription

logger = logging.getLogger(__name__)

ADDRESSES = ("models:/", "runs:/")
"""Beginnings of the addresses of models in MLflow."""
NAME_IN_MLFLOW = "model.onlm"
"""The name of a model's file in MLflow."""


def contents_at(place: str | Path) -> Contents:
    """Read the model at a place: a file, a folder of results, or an address of MLflow.

    An address is looked up in the store that `MLFLOW_TRACKING_URI` names. Raises UserError, in one
    line, if the place is none of these, if the model is damaged, or if the store cannot be reached.
    """
    if not str(place).startswith(ADDRESSES):
        path = Path(place)
        return read_results(path) if path.is_dir() else model_file.read(path)
    address = str(place)
    if not mlflow().is_tracking_uri_set():  # else MLflow would make a store in this folder
        raise UserError(
            f"{address}: the variable MLFLOW_TRACKING_URI must name MLflow's store, such as "
            "sqlite:///results/demo/mlflow.db"
        )
    with TemporaryDirectory() as folder:
        with one_line_errors():
            found = mlflow().artifacts.download_artifacts(artifact_uri=address, dst_path=folder)
        file = Path(found) / "data" / NAME_IN_MLFLOW
        # MLflow gives an empty folder if the files are not where it says.
        if not file.is_file():
            raise UserError(
                f"{address}: has no `{NAME_IN_MLFLOW}`: it is no model of this project, or its "
                "results were moved or copied: start the experiment again, which enters them again"
            )
        return model_file.read(file)


def read_results(folder: Path) -> Contents:
    """Read the model that a folder means: that of a run, or the best of an experiment.

    Raises UserError if it is no folder of results, or if its files are damaged.
    """
    if RunDirectory(folder).record.is_file():
        inside = folder.resolve()
        experiment = ExperimentDirectory(inside.parent.parent)
        if experiment.run(inside.name).path != inside:
            raise UserError(
                f"{folder}: a run's folder without its experiment, which has the vocabulary: give "
                "the folder in the results, or a file that `online-rnnlm export` wrote"
            )
        return read_run(experiment, inside.name)
    directory = ExperimentDirectory(folder)
    if not directory.runs.is_dir():
        raise UserError(
            f"{folder}: no model: the folder of an experiment's results, such as results/demo, of "
            "one of its runs, or a file that `online-rnnlm export` wrote is needed"
        )
    return read_run(directory, _best(directory))


def read_run(experiment: ExperimentDirectory, name: str) -> Contents:
    """Read the model of a finished run.

    Raises UserError if a file is missing or damaged, if the run has not finished, or if it is not
    the one that its folder's name stands for.
    """
    run = experiment.run(name)
    record = records.read(RunRecord, run.record)
    plan = load_plan(experiment.configuration)
    for planned in plan.trainings():
        if planned.name == name:  # else it is a run of an earlier start
            refuse_foreign(run, record, planned, plan.digits)
    result = read_finished(run)
    files = experiment.corpus(record.corpus_folder)
    corpus = load_vocabulary(files)
    about = read_statistics(files)
    perplexity = {"valid": result.reached}
    main = experiment.evaluation(name, main_adaptation(record.settings.document_size).name)
    tested = read_evaluation(main) if main.is_file() else None
    if tested and not tested.reason and tested.identity == record.identity:
        perplexity = {split: tested.splits[split].perplexity for split in HELD_OUT}
    description = ModelDescription(
        run=record.name,
        identity=record.identity,
        settings=record.settings,
        preparation=about.preparation,
        source=about.source,
        corpus_digest=about.digest,
        vocabulary_size=corpus.vocabulary_size,
        classes=corpus.classes,
        parameters=result.parameters,
        epochs=result.epochs,
        ended=result.ended,
        perplexity=perplexity,
        packages=record.packages,
    )
    weights = weight_files.read_trained(run, corpus.digest)
    splitter = records.read(SentenceSplitter, files.splitter)
    return Contents(description, corpus, weights, splitter, files.vocabulary.read_bytes())


def _best(directory: ExperimentDirectory) -> str:
    """Return the name of the configuration's run that is best on `valid`; ties: the first.

    If some have not finished, a warning says so. Raises UserError if none has, or if they are
    trained on several corpora.
    """
    experiment = load_plan(directory.configuration)
    ends = {run.name: read_end(directory.run(run.name)) for run in experiment.runs()}
    finished = {
        name: end.reached for name, end in ends.items() if end is not None and not end.reason
    }
    if not finished:
        raise UserError(
            f"{directory.path}: no run of its configuration has finished: start the experiment "
            "again, or name a run"
        )
    best = min(finished, key=finished.__getitem__)
    if len(experiment.corpora) > 1:
        raise UserError(
            f"{directory.path}: has models of several corpora, which do not compare: name a run, "
            f"such as {directory.run(best).path}"
        )
    waiting = [name for name, end in ends.items() if end is None]
    if waiting:
        logger.warning(
            "%s: %d of %d runs have not finished, such as %s: the best of the others is used",
            directory.path,
            len(waiting),
            len(ends),
            waiting[0],
        )
    return best
