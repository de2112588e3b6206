"""A model of an experiment's results: that of one run, or the best one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.loading import load
from online_rnnlm.corpora.corpus import Corpus, load_vocabulary, read_statistics
from online_rnnlm.corpora.encoding import preparation_of
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.errors import UserError, WrongInputError
from online_rnnlm.model import weight_files
from online_rnnlm.storage import records
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory, ExperimentDirectory, RunDirectory
from online_rnnlm.storage.receipts import refuse_changed
from online_rnnlm.storage.records import (
    Evaluation,
    FailedEvaluation,
    ModelDescription,
    RunDivergence,
    RunRecord,
    RunResult,
    SentenceSplitter,
)
from online_rnnlm.storage.runs import read_end, read_result
from online_rnnlm.use.model_file import SUFFIX, Contents

logger = logging.getLogger(__name__)


class TrainedRun:
    """A finished run in a folder of results, with all that a model's file needs.

    Raises UserError if a file is missing or damaged, or if the run has not finished.
    """

    def __init__(self, experiment: ExperimentDirectory, name: str) -> None:
        self._directory, self._run = experiment, experiment.run(name)
        self._record = records.read(RunRecord, self._run.record)
        self._files = experiment.corpus(self._record.settings.corpus)

    @cached_property
    def _corpus_settings(self) -> CorpusSettings:
        name = self._record.settings.corpus
        settings = _configuration(self._directory).corpora.get(name)
        if settings is None:
            raise UserError(f"{self._directory.configuration}: has no corpus `{name}`")
        return settings

    @cached_property
    def _corpus(self) -> Corpus:
        return load_vocabulary(self._files)

    @cached_property
    def description(self) -> ModelDescription:
        """The description of the model, for which its weights are not read."""
        self._refuse_changed()
        corpus, result, record = self._corpus, read_result(self._run), self._record
        about = read_statistics(self._files)
        return ModelDescription(
            run=record.name,
            identity=record.identity,
            settings=record.settings,
            # The configuration may have changed since the corpus was prepared.
            preparation=about.preparation or preparation_of(self._corpus_settings),
            source=about.source,
            corpus_digest=corpus.digest,
            vocabulary_size=corpus.vocabulary_size,
            classes=corpus.classes,
            parameters=result.parameters,
            epochs=result.epochs,
            ended=result.ended,
            perplexity=self._perplexity(result),
            packages=record.packages,
        )

    def _refuse_changed(self) -> None:
        """Raise UserError if somebody has edited a record that the model is described by."""
        settings, run = self._record.settings, self._run
        name = final_evaluation(settings.document_size)
        tested = self._directory.evaluation(run.path.name, name)
        for rule, of, files in (
            ("encode", settings.corpus, [self._files.statistics]),
            ("train", run.path.name, [run.record, run.result]),
            ("evaluate", run.path.name, [tested]),
            ("evaluate_online", run.path.name, [tested]),
        ):
            refuse_changed(self._directory, rule, of, files)

    @cached_property
    def contents(self) -> Contents:
        """The model without its splitter, which takes a while to train."""
        weights = weight_files.read_trained(self._run, self._corpus)
        return Contents(self.description, self._corpus, weights, splitter=None)

    def _perplexity(self, result: RunResult) -> dict[str, float]:
        """Return the perplexity on `valid` and, if the run has been tested, on `test`."""
        name = final_evaluation(self._record.settings.document_size)
        path = self._directory.evaluation(self._run.path.name, name)
        tested = records.read_one_of_if_there((Evaluation, FailedEvaluation), path)
        if not isinstance(tested, Evaluation) or tested.identity != self._record.identity:
            return {"valid": result.valid_perplexity}
        return {split: tested.splits[split].perplexity for split in HELD_OUT}

    def splitter(self) -> SentenceSplitter | None:
        """Train Punkt on the text that it was trained on for the corpus.

        Returns None for a tokenised text. Raises UserError if the text is no longer there.
        """
        if self.description.preparation.tokenised:
            return None
        from online_rnnlm.corpora.tokenisation import train_punkt  # noqa: PLC0415
        from online_rnnlm.use.splitter import of_punkt  # noqa: PLC0415

        files = _texts(self._directory, self._corpus_settings, self._files)
        return of_punkt(train_punkt(self.description.preparation, *files))

    @property
    def vocabulary(self) -> bytes:
        """The text of the corpus's `vocabulary.tsv`."""
        return self._files.vocabulary.read_bytes()


def _texts(
    directory: ExperimentDirectory, settings: CorpusSettings, corpus: CorpusDirectory
) -> list[Path]:
    """Return the files that the corpus's sentence splitter is trained on."""
    source = source_of(settings.source)
    downloads = _configuration(directory).downloads
    files = source.text_files(downloads)["train"] if source.ready else [corpus.articles]
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: missing: the ends of sentences are learnt from it")
    return files


def _configuration(directory: ExperimentDirectory) -> Experiment:
    path = directory.configuration
    if not path.is_file():
        raise UserError(f"{path}: missing: start the experiment again, which writes it")
    return load(path)


def find_run(folder: Path) -> TrainedRun:
    """Find the model that a folder means: that of a run, or the best of an experiment.

    Raises WrongInputError if it is no folder of results, and UserError if its files are damaged.
    """
    if RunDirectory(folder).record.is_file():
        inside = folder.resolve()
        experiment = ExperimentDirectory(inside.parent.parent)
        if experiment.run(inside.name).path != inside:
            raise WrongInputError(
                f"{folder}: a run's folder without its experiment, which has the vocabulary: give "
                "the folder in the results, or a file that `online-rnnlm export` wrote"
            )
        return TrainedRun(experiment, inside.name)
    if folder.suffix == SUFFIX and folder.is_file():
        raise WrongInputError(f"{folder}: is the file of a model already, and no results")
    directory = ExperimentDirectory(folder)
    if not directory.runs.is_dir():
        raise WrongInputError(
            f"{folder}: no model: the folder of an experiment's results, such as results/demo, of "
            "one of its runs, or a file that `online-rnnlm export` wrote is needed"
        )
    return TrainedRun(directory, _best(directory))


def _best(directory: ExperimentDirectory) -> str:
    """Return the name of the configuration's run that is best on `valid`; ties: the first.

    If some have not finished, a warning says so. Raises WrongInputError if none has, or if they are
    trained on several corpora.
    """
    asked = Asked(directory)
    ended = {name: read_end(directory.run(name)) for name in asked.rows}
    trained = {name: end for name, end in ended.items() if isinstance(end, RunResult)}
    finished = {
        name: end.valid_perplexity
        for name, end in trained.items()
        if asked.asks_for(name, records.read(RunRecord, directory.run(name).record))
    }
    if not finished:
        raise WrongInputError(f"{directory.path}: {_nothing_finished(directory, list(trained))}")
    if asked.corpora > 1:
        example = directory.run(next(iter(finished))).path
        raise WrongInputError(
            f"{directory.path}: has models of several corpora, which do not compare: name a run, "
            f"such as {example}"
        )
    _warn_of_others(directory, ended, finished)
    return min(finished, key=finished.__getitem__)


def _warn_of_others(
    directory: ExperimentDirectory, ended: Mapping[str, object], finished: Collection[str]
) -> None:
    """Warn of runs of the configuration that have neither finished nor diverged."""
    others = [
        name
        for name, end in ended.items()
        if name not in finished and not isinstance(end, RunDivergence)
    ]
    if others:
        logger.warning(
            "%s: %d of %d runs have not finished, such as %s: the best of the others is used",
            *(directory.path, len(others), len(ended), others[0]),
        )


def _nothing_finished(directory: ExperimentDirectory, others: Sequence[str]) -> str:
    """Say that no run of the configuration has finished; `others` have finished with other ones."""
    if not others:
        return "no run has finished"
    example = directory.run(others[0]).path
    return (
        "no run has finished with the settings and the text of its configuration: start the "
        f"experiment again, or name a run of an earlier configuration, such as {example}"
    )
