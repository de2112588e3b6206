"""Models by their paths: a file, a run of an experiment's results, or the best of its runs."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.loading import load
from online_rnnlm.corpora.corpus import load_vocabulary, read_statistics
from online_rnnlm.corpora.records import SentenceSplitter
from online_rnnlm.errors import UserError
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Evaluation, read_evaluation
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory, RunDirectory
from online_rnnlm.storage.runs import RunRecord, RunResult, read_end, read_result
from online_rnnlm.use import model_file
from online_rnnlm.use.model import TrainedModel
from online_rnnlm.use.model_file import Contents, ModelDescription

logger = logging.getLogger(__name__)


def load_path(path: Path) -> TrainedModel:
    """Load the model of a file, of a run's folder, or the best one of a folder of results.

    Raises UserError, in one line, if there is none, or if it is damaged.
    """
    prepare_process()
    contents = find_run(path).contents if path.is_dir() else model_file.read(path)
    return TrainedModel(contents)


def export(results: Path, output: Path, *, half: bool = False) -> int:
    """Write the model that a folder of results means into a file; return its size in bytes.

    With `half`, weights are rounded to 16 bits. Raises UserError.
    """
    run = find_run(results)
    model_file.write(output, run.contents, run.vocabulary, half=half)
    return output.stat().st_size


class TrainedRun:
    """A finished run in a folder of results, with all that a model's file needs.

    Raises UserError if a file is missing or damaged, or if the run has not finished.
    """

    def __init__(self, experiment: ExperimentDirectory, name: str) -> None:
        self._run = experiment.run(name)
        record = records.read(RunRecord, self._run.record)
        result = read_result(self._run)
        self.files = experiment.corpus(record.corpus_folder)
        self._corpus = load_vocabulary(self.files)
        about = read_statistics(self.files)
        perplexity = {"valid": result.valid_perplexity}
        final = final_evaluation(record.settings.document_size)
        tested = read_evaluation(experiment, name, final)
        if isinstance(tested, Evaluation) and tested.identity == record.identity:
            perplexity = {split: tested.splits[split].perplexity for split in HELD_OUT}
        self.description = ModelDescription(
            run=record.name,
            identity=record.identity,
            settings=record.settings,
            preparation=about.preparation,
            source=about.source,
            corpus_digest=about.digest,
            vocabulary_size=self._corpus.vocabulary_size,
            classes=self._corpus.classes,
            parameters=result.parameters,
            epochs=result.epochs,
            ended=result.ended,
            perplexity=perplexity,
            packages=record.packages,
        )
        """The description of the model, for which its weights are not read."""

    @cached_property
    def contents(self) -> Contents:
        """The model."""
        weights = weight_files.read_trained(self._run, self._corpus.digest)
        splitter = records.read(SentenceSplitter, self.files.splitter)
        return Contents(self.description, self._corpus, weights, splitter)

    @property
    def vocabulary(self) -> bytes:
        """The text of the corpus's `vocabulary.tsv`."""
        return self.files.vocabulary.read_bytes()


def find_run(folder: Path) -> TrainedRun:
    """Find the model that a folder means: that of a run, or the best of an experiment.

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
        return TrainedRun(experiment, inside.name)
    directory = ExperimentDirectory(folder)
    if not directory.runs.is_dir():
        raise UserError(
            f"{folder}: no model: the folder of an experiment's results, such as results/demo, of "
            "one of its runs, or a file that `online-rnnlm export` wrote is needed"
        )
    return TrainedRun(directory, _best(directory))


def _best(directory: ExperimentDirectory) -> str:
    """Return the name of the configuration's run that is best on `valid`; ties: the first.

    If some have not finished, a warning says so. Raises UserError if none has, or if they are
    trained on several corpora.
    """
    experiment = load(directory.configuration)
    ends = {run.name: read_end(directory.run(run.name)) for run in experiment.runs()}
    finished = {
        name: end.valid_perplexity for name, end in ends.items() if isinstance(end, RunResult)
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
            *(directory.path, len(waiting), len(ends), waiting[0]),
        )
    return best
