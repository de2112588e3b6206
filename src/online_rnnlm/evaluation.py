"""Testing a trained run: perplexities and per-sentence log-probabilities of every split."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from online_rnnlm.configuration import RunSettings
from online_rnnlm.corpora.corpus import Corpus, Split, load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.model import engine, parameters
from online_rnnlm.model.engine import Scorer
from online_rnnlm.model.parameters import Parameters
from online_rnnlm.model.state import Scores
from online_rnnlm.runs import (
    SPLITS,
    CorpusDirectory,
    ExperimentDirectory,
    RunDirectory,
    read_json,
    replacing,
    write_json,
)

logger = logging.getLogger(__name__)

SENTENCES_A_CALL = 4096
"""So many sentences are scored between two movements of the progress bar."""


def evaluate(
    experiment: ExperimentDirectory, name: str, corpus_directory: CorpusDirectory, updates: str
) -> None:
    """Test the run of that name on all splits; `updates` is what learns: `none`, `document_vector`.

    Writes the sentences' scores, the test sentences' document vectors where they learn, and the
    figures last. Raises UserError if the run was not trained on this corpus.
    """
    run = experiment.run(name)
    description = read_json(run.run)
    settings = RunSettings.model_validate(description["settings"])
    corpus = load_corpus(corpus_directory)
    _check_corpus(run, description, corpus, corpus_directory)
    weights = parameters.read(run.model)
    score = engine.scorer(settings, corpus)
    rate = settings.document_rate if updates == "document_vector" else 0.0
    figures, tables = {}, []
    for split in SPLITS:
        scores, seconds = _score_split(score, weights, corpus.splits[split], rate, split)
        table = sentence_table(corpus, split, scores)
        figures[split] = _figures(table, seconds)
        tables.append(table)
        logger.info("%s, %s: perplexity %.2f", name, split, figures[split]["perplexity"])
        if split == "test" and rate:
            _write_vectors(experiment.document_vectors(name), scores)
    with replacing(experiment.sentence_scores(name, updates)) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)
    about = {"run": name, "identity": description["identity"], "updates": updates}
    write_json(experiment.evaluation(name, updates), {**about, "splits": figures})


def _check_corpus(
    run: RunDirectory, description: dict[str, Any], corpus: Corpus, directory: CorpusDirectory
) -> None:
    if description["corpus_digest"] != corpus.digest:
        raise UserError(f"{run.run}: trained on another corpus than {directory.path} now holds")


def _score_split(
    score: Scorer, weights: Parameters, split: Split, rate: float, label: str
) -> tuple[Scores, float]:
    """Score all sentences of a split; returns the seconds it took, too."""
    numbers = np.arange(split.sentences)
    score(weights, split, numbers[:1], rate)  # loads the compiled code: not to be timed
    began = time.perf_counter()
    parts = []
    with tqdm(total=split.sentences, desc=label, unit="sentence", disable=None) as bar:
        for begin in range(0, split.sentences, SENTENCES_A_CALL):
            part = numbers[begin : begin + SENTENCES_A_CALL]
            parts.append(score(weights, split, part, rate))
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
