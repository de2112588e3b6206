"""The test of a trained run or of a rival: log-probabilities and the metrics computed from them."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, further_evaluations
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.errors import UserError
from online_rnnlm.evaluation.mixing import composed
from online_rnnlm.evaluation.outcome import Failure, Floats, Outcome
from online_rnnlm.evaluation.scoring import outcome
from online_rnnlm.rivals import mixed_rivals, modules_for, rival_in
from online_rnnlm.rivals.base import ComposedRival
from online_rnnlm.storage import records
from online_rnnlm.storage.code import code_digest
from online_rnnlm.storage.files import check, replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.records import (
    Evaluation,
    FailedEvaluation,
    FurtherEvaluation,
    FurtherEvaluations,
    RunDivergence,
    RunRecord,
    SplitMetrics,
)
from online_rnnlm.storage.runs import read_end

logger = logging.getLogger(__name__)

_COLUMNS = {
    **{"split": "str", "sentence": "int32", "tokens": "int32", "log_probability": "float64"},
    **{"unk_tokens": "int32", "unk_log_probability": "float64"},
}
"""The columns of `<evaluation>.parquet` and their types."""


def evaluate(
    experiment: ExperimentDirectory,
    name: str,
    corpus_directory: CorpusDirectory,
    evaluation: str,
    testing: TestingSettings,
) -> None:
    """Test a run in the way that an evaluation's name says, and write the evaluation's files.

    The metrics are written last. If there are none, because the run or what learns has diverged,
    the files are empty, and the reason takes the place of the metrics. Raises UserError if the run
    was not trained on this corpus.
    """
    run = experiment.run(name)
    record = records.read(RunRecord, run.record)
    end = read_end(run)
    if isinstance(end, RunDivergence):
        _write_failure(experiment, name, record, evaluation, Failure(end.reason))
        return
    corpus = load_corpus(corpus_directory)
    rival = rival_in(evaluation, testing)
    if isinstance(rival, ComposedRival):
        result = composed(experiment, name, record, rival, testing)
    else:
        result = outcome(record, run, corpus, evaluation, testing)
    if isinstance(result, Failure):
        _write_failure(experiment, name, record, evaluation, result)
    else:
        write(experiment, name, record.identity, evaluation, corpus, result)


def evaluate_further(
    experiment: ExperimentDirectory,
    name: str,
    corpus_directory: CorpusDirectory,
    evaluations: Sequence[str],
    testing: TestingSettings,
) -> None:
    """Test a run in all these ways, then write their names to a file.

    Evaluations that an interrupted process has finished are not repeated. What fails is recorded,
    and UserError raised, as by `evaluate`.
    """
    record = records.read(RunRecord, experiment.run(name).record)
    for evaluation in evaluations:
        made_by = _made_by(record.settings, testing, evaluation)
        mark = FurtherEvaluation(identity=record.identity, made_by=made_by)
        marker = _marker(experiment, name, evaluation)
        if _is_made(experiment, name, evaluation, marker, mark):
            continue
        marker.unlink(missing_ok=True)  # so that it never stands beside files of another making
        evaluate(experiment, name, corpus_directory, evaluation, testing)
        records.write(marker, mark)
    made = FurtherEvaluations(
        identity=record.identity,
        made_by=_made_by(record.settings, testing, *evaluations),
        evaluations=tuple(evaluations),
    )
    records.write(experiment.further_evaluations(name), made)


def _marker(experiment: ExperimentDirectory, name: str, evaluation: str) -> Path:
    """The mark of a run's further evaluation."""
    return experiment.further_evaluations(name).with_name(f"{evaluation}.json")


def refuse_other_testing(
    experiment: ExperimentDirectory, name: str, testing: TestingSettings
) -> None:
    """Raise UserError if `evaluate_further` made a run's evaluations by other settings or code."""
    settings = records.read(RunRecord, experiment.run(name).record).settings
    for evaluation in further_evaluations(settings.document_size, testing):
        marker = _marker(experiment, name, evaluation)
        found = records.read_if_there(FurtherEvaluation, marker)
        if found is not None and found.made_by != _made_by(settings, testing, evaluation):
            raise UserError(
                f"`testing`: has other settings than {experiment.evaluation(name, evaluation)} was "
                "made by, or the code has changed: run the experiment first"
            )


def _is_made(
    experiment: ExperimentDirectory,
    name: str,
    evaluation: str,
    marker: Path,
    mark: FurtherEvaluation,
) -> bool:
    """True if an evaluation's files exist, are undamaged and were made in the same way."""
    file = experiment.evaluation(name, evaluation)
    try:
        found = records.read_one_of_if_there((Evaluation, FailedEvaluation), file)
        if found is None or records.read_if_there(FurtherEvaluation, marker) != mark:
            return False
        files = [file.with_name(other) for other in found.files]
        for other in files:
            check(other, found.files, file)
        return all(other.is_file() for other in files)
    except UserError as error:
        logger.warning("%s", error)
        return False


def _made_by(settings: RunSettings, testing: TestingSettings, *evaluations: str) -> str:
    """Return the digest of all that decides these evaluations: rates, grids and code."""
    which = {"updates", "learn_after", "unit_of_text", "rivals", "kneser_ney_order"}
    parts = ",".join(rival.name for rival in mixed_rivals(evaluations, testing))
    modules = [*chosen_modules(settings), *modules_for(evaluations, testing)]
    code = code_digest("evaluation.evaluate:evaluate", *modules)
    decides = testing.model_dump_json(exclude=which) + parts + code
    return hashlib.sha256(decides.encode()).hexdigest()


def write(
    experiment: ExperimentDirectory,
    name: str,
    identity: str,
    evaluation: str,
    corpus: Corpus,
    result: Outcome,
) -> None:
    """Write an evaluation's files; the metrics come last, when the others are complete."""
    tables = {s: sentence_table(corpus, s, logs) for s, logs in result.log_probabilities.items()}
    sentences = pd.concat(tables.values(), ignore_index=True)
    tokens = {split: result.log_probabilities[split] for split in HELD_OUT}
    files = _write_scores(experiment, name, evaluation, sentences, tokens, result.document_vectors)
    splits = {split: _metrics(table, result.seconds[split]) for split, table in tables.items()}
    for split, metrics in splits.items():
        logger.info("%s, %s, %s: perplexity %.2f", name, evaluation, split, metrics.perplexity)
    record = Evaluation(
        run=name,
        identity=identity,
        evaluation=evaluation,
        costs=result.costs,
        parameters=result.parameters,
        chosen=dict(result.chosen),
        curve=tuple(result.curve),
        files=files,
        mixtures=tuple(result.mixtures),
        splits=splits,
    )
    records.write(experiment.evaluation(name, evaluation), record)


def _write_failure(
    experiment: ExperimentDirectory,
    name: str,
    record: RunRecord,
    evaluation: str,
    found: Failure,
) -> None:
    nothing = np.zeros((0, record.settings.document_size))
    vectors = dict.fromkeys(HELD_OUT, nothing) if evaluation == DOCUMENT_VECTOR else {}
    write_failure(experiment, name, record.identity, evaluation, found, vectors)


def write_failure(
    experiment: ExperimentDirectory,
    name: str,
    identity: str,
    evaluation: str,
    found: Failure,
    document_vectors: Mapping[str, NDArray[Any]] = MappingProxyType({}),
) -> None:
    """Write the files of an evaluation without metrics: they are empty, but all are there."""
    logger.warning("%s", found.reason)
    sentences = pd.DataFrame({key: pd.Series([], dtype=kind) for key, kind in _COLUMNS.items()})
    tokens = dict.fromkeys(HELD_OUT, np.zeros(0))
    failed = FailedEvaluation(
        run=name,
        identity=identity,
        evaluation=evaluation,
        curve=tuple(found.curve),
        files=_write_scores(experiment, name, evaluation, sentences, tokens, document_vectors),
        status=found.status,
        reason=found.reason,
    )
    records.write(experiment.evaluation(name, evaluation), failed)


def _write_scores(
    experiment: ExperimentDirectory,
    name: str,
    evaluation: str,
    sentences: pd.DataFrame,
    tokens: Mapping[str, Floats],
    vectors: Mapping[str, NDArray[Any]],
) -> dict[str, str]:
    """Write the scores of sentences and tokens and the vectors; return their sha256 by name."""
    scores = experiment.sentence_scores(name, evaluation)
    with replacing(scores) as temporary:
        sentences.to_parquet(temporary, index=False)
    arrays = {experiment.token_scores(name, evaluation, s): logs for s, logs in tokens.items()}
    for split, found in vectors.items():
        arrays[experiment.document_vectors(name, split)] = found
    for file, array in arrays.items():
        _write_array(file, array.astype(np.float32))
    return {file.name: sha256_of(file) for file in (scores, *arrays)}


def sentence_table(corpus: Corpus, name: str, log_probabilities: Floats) -> pd.DataFrame:
    """Make the table of `<evaluation>.parquet`, which has one row per sentence."""
    split = corpus.splits[name]
    unknown = split.stream[1:] == corpus.unk_id
    starts = split.offsets[:-1]
    return pd.DataFrame(
        {
            "split": pd.Series([name] * split.sentences, dtype="str"),
            "sentence": np.arange(split.sentences, dtype=np.int32),
            "tokens": np.diff(split.offsets).astype(np.int32),
            "log_probability": np.add.reduceat(log_probabilities, starts),
            "unk_tokens": np.add.reduceat(unknown, starts, dtype=np.int32),
            "unk_log_probability": np.add.reduceat(log_probabilities * unknown, starts),
        }
    )


def _metrics(table: pd.DataFrame, seconds: float) -> SplitMetrics:
    """Compute a split's metrics; a sentence's `</s>` is a token, but no word."""
    sums = table[["tokens", "log_probability", "unk_tokens", "unk_log_probability"]].sum()
    known = sums["tokens"] - sums["unk_tokens"]
    without_unk = sums["log_probability"] - sums["unk_log_probability"]
    return SplitMetrics(
        sentences=len(table),
        tokens=int(sums["tokens"]),
        perplexity=math.exp(-sums["log_probability"] / sums["tokens"]),
        perplexity_without_unk=math.exp(-without_unk / known),
        oov_rate=float(sums["unk_tokens"] / (sums["tokens"] - len(table))),
        words_per_second=float(sums["tokens"] / seconds),
    )


def _write_array(file: Path, array: NDArray[Any]) -> None:
    with replacing(file) as temporary, temporary.open("wb") as out:
        np.save(out, array)
