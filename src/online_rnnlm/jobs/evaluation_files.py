"""The files of an evaluation."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.evaluations import main_adaptation
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.scoring import perplexity
from online_rnnlm.core.text import sum_by_sentence
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.jobs.network import Tested
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import Evaluation, SplitMetrics, Trial
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
    adaptation: Adaptation | None = None
    """The adaptation by which the run is tested; None for a rival."""
    tested_with: dict[str, Any] = field(default_factory=dict)
    """The settings of `testing` that decide its scores."""
    document_size: int = 0
    """Length of the vectors that it leaves if it has failed."""

    def write(self, found: Tested) -> None:
        """Write the findings of a test: the record comes last, when the other files are complete.

        If the network diverged on one of the corpus's own splits, the test has failed. A text of
        another kind on which it diverged is left out.
        """
        scored = dict(found.log_probabilities)
        for split, scores in found.log_probabilities.items():
            if perplexity(scores) is None:
                diverged = f"{self.run}, {self.evaluation}: diverged on {split}{found.advice}"
                if split in SPLITS:
                    self.write_failed(diverged, found.curve)
                    return
                logger.warning("%s", diverged)
                del scored[split]
        files = self._write_scores(scored, found.vectors)
        splits = {
            split: self._metrics(split, scores, found.seconds[split])
            for split, scores in scored.items()
        }
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
        if self.document_size and self.adaptation == main_adaptation(self.document_size):
            vectors = dict.fromkeys(HELD_OUT, np.zeros((0, self.document_size)))
        files = self._write_scores({}, vectors)
        record = Evaluation(**self._about(curve, files), reason=reason)
        records.write(self.experiment.evaluation(self.run, self.evaluation), record)

    def _about(self, curve: Sequence[Trial], files: Mapping[str, str]) -> dict[str, Any]:
        """Return what the record of an evaluation has, whether it has failed or not."""
        return {
            "run": self.run,
            "identity": self.identity,
            "evaluation": self.evaluation,
            "adaptation": self.adaptation,
            "tested_with": self.tested_with,
            "curve": tuple(curve),
            "files": files,
        }

    def _write_scores(self, logs: Mapping[str, Floats], vectors: Vectors) -> dict[str, str]:
        """Write the scores of the held-out texts and the vectors; where there are none, empty.

        Returns the sha256 of each file by name.
        """
        arrays: dict[Path, NDArray[Any]] = {}
        for split in self.corpus.held_out:
            file = self.experiment.token_scores(self.run, self.evaluation, split)
            arrays[file] = logs.get(split, np.zeros(0))
        for split, values in vectors.items():
            arrays[self.experiment.document_vectors(self.run, split)] = values
        for file, array in arrays.items():
            with replacing(file) as temporary, temporary.open("wb") as out:
                np.save(out, array.astype(np.float32))
        return {file.name: sha256_of(file) for file in arrays}

    def _metrics(self, name: str, log_probabilities: Floats, seconds: float) -> SplitMetrics:
        """Compute a split's metrics; a sentence's `</s>` is a token, but no word."""
        split = self.corpus.splits[name]
        unknown = split.stream[1:] == self.corpus.unk_id
        unknown_tokens = int(unknown.sum())
        # Added as `use.scoring.total` adds, to the last bit.
        total = sum_by_sentence(log_probabilities, split.lengths).sum()
        of_unknown = sum_by_sentence(log_probabilities * unknown, split.lengths).sum()
        return SplitMetrics(
            sentences=split.sentences,
            tokens=split.tokens,
            perplexity=math.exp(-total / split.tokens),
            perplexity_without_unk=math.exp((of_unknown - total) / (split.tokens - unknown_tokens)),
            oov_rate=unknown_tokens / (split.tokens - split.sentences),
            words_per_second=split.tokens / seconds,
        )
