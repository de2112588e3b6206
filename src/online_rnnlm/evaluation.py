"""Testing a trained run: perplexities and per-sentence log-probabilities of every split."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from online_rnnlm.configuration import RunSettings, TestingSettings
from online_rnnlm.corpora.corpus import Corpus, Split, load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.model import engine, parameters
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.state import OnlineSettings, Scores, Sentences
from online_rnnlm.runs import (
    SPLITS,
    CorpusDirectory,
    ExperimentDirectory,
    RunDirectory,
    read_json,
    replacing,
    write_json,
)
from online_rnnlm.updates import DOCUMENT_VECTOR, changes_weights, parts_named

logger = logging.getLogger(__name__)

SENTENCES_A_CALL = 4096
"""So many sentences are scored between two movements of the progress bar."""

MAX_ENTROPY = 100.0
"""Nats a token, beyond which testing counts as diverged; unknown weights give log V, about 10."""

Score = Callable[[Split, Sentences], Scores]


def evaluate(
    experiment: ExperimentDirectory,
    name: str,
    corpus_directory: CorpusDirectory,
    updates: str,
    testing: TestingSettings,
) -> None:
    """Test the run of that name; `updates` is what learns: a name of `updates.name_of`.

    Writes the sentences' scores, the test sentences' document vectors where only they learn, and
    the figures last. Raises UserError if the run was not trained on this corpus, or if the weights
    that learn diverge.
    """
    run = experiment.run(name)
    description = read_json(run.run)
    settings = RunSettings.model_validate(description["settings"])
    corpus = load_corpus(corpus_directory)
    _check_corpus(run, description, corpus, corpus_directory)
    weights = parameters.read(run.model)
    figures, tables = {}, []
    for split in splits_of(updates):
        # Every split starts from the trained weights: what the one before has taught is gone.
        score = _scoring(settings, corpus, weights, updates, testing)
        scores, seconds = _score_split(score, corpus.splits[split], split)
        table = sentence_table(corpus, split, scores)
        if changes_weights(updates):
            _check_scores(table, f"{name}, {updates} learning on {split}")
        figures[split] = _figures(table, seconds)
        tables.append(table)
        logger.info("%s, %s: perplexity %.2f", name, split, figures[split]["perplexity"])
        if split == "test" and updates == DOCUMENT_VECTOR:
            _write_vectors(experiment.document_vectors(name), scores)
    with replacing(experiment.sentence_scores(name, updates)) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    about = {"run": name, "identity": description["identity"], "updates": updates}
    if changes_weights(updates):
        about["testing"] = testing.model_dump(mode="json", exclude={"updates"})
    write_json(experiment.evaluation(name, updates), {**about, "splits": figures})


def splits_of(updates: str) -> tuple[str, ...]:
    """The splits that are tested: weights that learn would only be taught `train` again."""
    return tuple(s for s in SPLITS if s != "train") if changes_weights(updates) else SPLITS


def _scoring(
    settings: RunSettings,
    corpus: Corpus,
    weights: Parameters,
    updates: str,
    testing: TestingSettings,
) -> Score:
    """A function that scores sentences in order, starting from these weights."""
    parts = parts_named(updates, settings.document_size)
    rate = settings.document_rate if DOCUMENT_VECTOR in parts else 0.0
    if not changes_weights(updates):
        return partial(engine.scorer(settings, corpus), weights, document_rate=rate)
    groups = parts - {DOCUMENT_VECTOR}
    online = OnlineSettings(groups, testing.learning_rate, rate, testing.steps)
    return engine.online_scorer(settings, corpus, weights, online).score


def _check_scores(table: pd.DataFrame, what: str) -> None:
    """Raise UserError if no perplexity comes out: the weights have learnt too fast."""
    # Not pandas' sum, which leaves NaN out.
    entropy = -table["log_probability"].to_numpy().sum() / table["tokens"].sum()
    if not entropy < MAX_ENTROPY:
        raise UserError(f"{what}: diverged; try a smaller `testing.learning_rate`")


def _check_corpus(
    run: RunDirectory, description: dict[str, Any], corpus: Corpus, directory: CorpusDirectory
) -> None:
    if description["corpus_digest"] != corpus.digest:
        raise UserError(f"{run.run}: trained on another corpus than {directory.path} now holds")


def _score_split(score: Score, split: Split, label: str) -> tuple[Scores, float]:
    """Score all sentences of a split; returns the seconds it took, too."""
    numbers = np.arange(split.sentences)
    score(split, numbers[:0])  # loads the compiled code: not to be timed, and teaches nothing
    began = time.perf_counter()
    parts = []
    with tqdm(total=split.sentences, desc=label, unit="sentence", disable=None) as bar:
        for begin in range(0, split.sentences, SENTENCES_A_CALL):
            part = numbers[begin : begin + SENTENCES_A_CALL]
            parts.append(score(split, part))
            bar.update(len(part))
    seconds = time.perf_counter() - began
    return Scores(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))), seconds


def sentence_table(corpus: Corpus, name: str, scores: Scores) -> pd.DataFrame:
    """A row a sentence: what `<updates>.parquet` holds."""
    split = corpus.splits[name]
    unknown = (split.stream[1:] == corpus.unk_id).astype(np.int64)
    return pd.DataFrame(
        {
            "split": pd.Series([name] * split.sentences, dtype="str"),
            "sentence": np.arange(split.sentences, dtype=np.int32),
            "tokens": np.diff(split.offsets).astype(np.int32),
            "log_probability": scores.log_probabilities,
            "unk_tokens": np.add.reduceat(unknown, split.offsets[:-1]).astype(np.int32),
            "unk_log_probability": scores.unk_log_probabilities,
        }
    )


def _figures(table: pd.DataFrame, seconds: float) -> dict[str, float]:
    """A split's figures; a sentence's `</s>` is a token, but no word."""
    sums = table[["tokens", "log_probability", "unk_tokens", "unk_log_probability"]].sum()
    known = sums["tokens"] - sums["unk_tokens"]
    return {
        "sentences": len(table),
        "tokens": int(sums["tokens"]),
        "perplexity": math.exp(-sums["log_probability"] / sums["tokens"]),
        "perplexity_without_unk": math.exp(
            -(sums["log_probability"] - sums["unk_log_probability"]) / known
        ),
        "oov_rate": float(sums["unk_tokens"] / (sums["tokens"] - len(table))),
        "words_per_second": sums["tokens"] / seconds,
    }


def _write_vectors(file: Path, scores: Scores) -> None:
    with replacing(file) as temporary, temporary.open("wb") as out:
        np.save(out, scores.document_vectors.astype(np.float32))
