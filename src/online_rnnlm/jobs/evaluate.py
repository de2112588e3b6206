"""The test of a trained run or of a rival: log-probabilities and the metrics computed from them."""

from __future__ import annotations

import hashlib
import logging
import math
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.config.evaluations import AS_TRAINED, FROZEN, decisive_settings
from online_rnnlm.config.testing import RunRivalName, TestingSettings
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import Corpus, load_corpus
from online_rnnlm.jobs.mixing import composed
from online_rnnlm.jobs.outcome import Failure, Floats, Network, Outcome
from online_rnnlm.jobs.scoring import outcome, timed
from online_rnnlm.rivals import OfCorpus, rival_in
from online_rnnlm.rivals.base import ComposedRival
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.evaluations import Costs, DivergedEvaluation, Evaluation, SplitMetrics
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.runs import RunDivergence, RunRecord, read_end

logger = logging.getLogger(__name__)


def evaluate(
    experiment: ExperimentDirectory,
    name: str,
    corpus_directory: CorpusDirectory,
    evaluation: Way | RunRivalName,
    testing: TestingSettings,
) -> None:
    """Test a run in a way, or with a rival, and write the evaluation's files.

    Raises UserError if the model or a part of a mixture is missing or damaged, or if the run was
    not trained on this corpus.
    """
    run = experiment.run(name)
    record, end = records.read(RunRecord, run.record), read_end(run)
    corpus = load_corpus(corpus_directory, testing.other_texts)
    way = evaluation if isinstance(evaluation, Way) else None
    called = evaluation.name if isinstance(evaluation, Way) else evaluation
    rival = rival_in(called, testing)
    result: Outcome | Failure
    if isinstance(end, RunDivergence):
        result = Failure(end.reason)
    elif isinstance(rival, ComposedRival):
        result = composed(experiment, record, rival, testing)
    else:
        weights = weight_files.read_trained(run, corpus.digest)
        network = Network(record.name, record.settings, corpus, weights)
        result = outcome(network, evaluation, testing)
    if isinstance(result, Failure) and evaluation == AS_TRAINED:
        nothing = np.zeros((0, record.settings.document_size))
        result = result._replace(document_vectors=dict.fromkeys(HELD_OUT, nothing))
    tested_with = decisive_settings(evaluation, testing)
    _write(experiment, name, record.identity, called, way, tested_with, corpus, result)


def evaluate_rival(experiment: ExperimentDirectory, name: str, of_corpus: OfCorpus) -> None:
    """Train a rival on its corpus's `train`, test it, and write its evaluation under `name`."""
    rival = of_corpus.rival
    corpus = load_corpus(experiment.corpus(of_corpus.corpus_folder), rival.testing.other_texts)
    identity = hashlib.sha256(f"{rival.name} {corpus.digest}".encode()).hexdigest()
    rival.fit(corpus)
    logger.info("%d parameters", rival.parameters)
    logs, seconds = timed(rival.score, {split: corpus.splits[split] for split in corpus.held_out})
    costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=rival.cost())
    result = Outcome(
        logs, seconds, costs, chosen=rival.chosen, curve=rival.curve, parameters=rival.parameters
    )
    _write(experiment, name, identity, FROZEN.name, None, {}, corpus, result)


def _write(
    experiment: ExperimentDirectory,
    name: str,
    identity: str,
    evaluation: str,
    way: Way | None,
    tested_with: dict[str, Any],
    corpus: Corpus,
    result: Outcome | Failure,
) -> None:
    """Write an evaluation's files: the record comes last, when the others are complete.

    Those of a failure are empty, but all are there.
    """
    logs = result.log_probabilities
    tables = {split: _sentence_table(corpus, split, logs[split]) for split in logs}
    no_sentence = _sentence_table(corpus, "valid", np.zeros(corpus.splits["valid"].tokens))[:0]
    sentences = pd.concat([*tables.values()] or [no_sentence], ignore_index=True)
    scores = experiment.sentence_scores(name, evaluation)
    with replacing(scores) as temporary:
        sentences.to_parquet(temporary, index=False)
    arrays = {
        experiment.token_scores(name, evaluation, split): logs.get(split, np.zeros(0))
        for split in corpus.held_out
    }
    for split, vectors in result.document_vectors.items():
        arrays[experiment.document_vectors(name, split)] = vectors
    for file, array in arrays.items():
        with replacing(file) as temporary, temporary.open("wb") as out:
            np.save(out, array.astype(np.float32))
    end: dict[str, Any] = {
        "run": name,
        "identity": identity,
        "evaluation": evaluation,
        "way": way,
        "tested_with": tested_with,
        "curve": tuple(result.curve),
        "files": {file.name: sha256_of(file) for file in (scores, *arrays)},
    }
    path = experiment.evaluation(name, evaluation)
    if isinstance(result, Failure):
        logger.warning("%s", result.reason)
        records.write(path, DivergedEvaluation(**end, reason=result.reason))
        return
    splits = {split: _metrics(table, result.seconds[split]) for split, table in tables.items()}
    for split, metrics in splits.items():
        logger.info("%s: perplexity %.2f", split, metrics.perplexity)
    record = Evaluation(
        **end,
        costs=result.costs,
        parameters=result.parameters,
        chosen=dict(result.chosen),
        mixtures=tuple(result.mixtures),
        splits=splits,
    )
    records.write(path, record)


def _sentence_table(corpus: Corpus, name: str, log_probabilities: Floats) -> pd.DataFrame:
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
