"""The files of an evaluation."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import main_way
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.core.way import Way
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.jobs.network import Floats, Tested
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import DivergedEvaluation, Evaluation, SplitMetrics, Trial
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, ExperimentDirectory

logger = logging.getLogger(__name__)

Vectors = Mapping[str, NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class EvaluationFiles:
    """The files of one evaluation, of a run or of a corpus's rival."""

    experiment: ExperimentDirectory
    corpus: Corpus
    run: str
    """Name of the run, or of the rival's folder."""
    identity: str
    evaluation: str
    """Name of the evaluation."""
    way: Way | None = None
    """The way in which the run is tested; None for a rival."""
    tested_with: dict[str, Any] = field(default_factory=dict)
    """The settings of `testing` that decide its numbers."""
    document_size: int = 0
    """Length of the vectors that it leaves if it has failed."""

    def write(self, found: Tested) -> None:
        """Write the findings of a test: the record comes last, when the other files are complete.

        If what learns diverged on one of the corpus's own splits, the test has failed. A text of
        another kind on which it diverged is left out.
        """
        tables = {}
        for split, scores in found.log_probabilities.items():
            diverged = f"{self.run}, {self.evaluation}: diverged on {split}{found.advice}"
            if perplexity(scores) is not None:
                tables[split] = self._sentence_table(split, scores)
            elif split in SPLITS:
                self.write_failed(diverged, found.curve)
                return
            else:
                logger.warning("%s", diverged)
        files = self._write_scores(tables, found.log_probabilities, found.vectors)
        splits = {split: _metrics(table, found.seconds[split]) for split, table in tables.items()}
        for split, metrics in splits.items():
            logger.info("%s: perplexity %.2f", split, metrics.perplexity)
        record = Evaluation(
            **self._about(found.curve, files),
            costs=found.costs,
            parameters=found.parameters,
            chosen=dict(found.chosen),
            mixtures=tuple(found.mixtures),
            splits=splits,
        )
        records.write(self.experiment.evaluation(self.run, self.evaluation), record)

    def write_failed(self, reason: str, curve: Sequence[Trial] = ()) -> None:
        """Write the files of an evaluation that has failed: they are empty but for the record,
        which has the reason, one line."""
        logger.warning("%s", reason)
        vectors = {}
        if self.document_size and self.way == main_way(self.document_size):
            vectors = dict.fromkeys(HELD_OUT, np.zeros((0, self.document_size)))
        files = self._write_scores({}, {}, vectors)
        record = DivergedEvaluation(**self._about(curve, files), reason=reason)
        records.write(self.experiment.evaluation(self.run, self.evaluation), record)

    def _about(self, curve: Sequence[Trial], files: Mapping[str, str]) -> dict[str, Any]:
        """Return what the record of an evaluation has, whether it has failed or not."""
        return {
            "run": self.run,
            "identity": self.identity,
            "evaluation": self.evaluation,
            "way": self.way,
            "tested_with": self.tested_with,
            "curve": tuple(curve),
            "files": files,
        }

    def _write_scores(
        self, tables: Mapping[str, pd.DataFrame], logs: Mapping[str, Floats], vectors: Vectors
    ) -> dict[str, str]:
        """Write the scores and vectors, those of texts without a table empty.

        Returns the sha256 of each file by name.
        """
        no_sentence = self._sentence_table("valid", np.zeros(self.corpus.splits["valid"].tokens))
        sentences = pd.concat([*tables.values()] or [no_sentence[:0]], ignore_index=True)
        table = self.experiment.sentence_scores(self.run, self.evaluation)
        with replacing(table) as temporary:
            sentences.to_parquet(temporary, index=False)
        arrays: dict[Path, NDArray[Any]] = {}
        for split in self.corpus.held_out:
            file = self.experiment.token_scores(self.run, self.evaluation, split)
            arrays[file] = logs[split] if split in tables else np.zeros(0)
        for split, values in vectors.items():
            arrays[self.experiment.document_vectors(self.run, split)] = values
        for file, array in arrays.items():
            with replacing(file) as temporary, temporary.open("wb") as out:
                np.save(out, array.astype(np.float32))
        return {file.name: sha256_of(file) for file in (table, *arrays)}

    def _sentence_table(self, name: str, log_probabilities: Floats) -> pd.DataFrame:
        """Make the table of `<evaluation>.parquet`, which has one row per sentence."""
        split = self.corpus.splits[name]
        unknown = split.stream[1:] == self.corpus.unk_id
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
