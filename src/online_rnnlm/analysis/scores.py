"""The scores of the tested texts, by which systems are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from online_rnnlm.analysis.significance import Floats, Ints, Pieces, pieces_of
from online_rnnlm.analysis.systems import TestedNetwork
from online_rnnlm.config.plan import Plan
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.core.text import sum_by_sentence
from online_rnnlm.errors import UserError
from online_rnnlm.storage.evaluations import token_scores
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory


class PieceScores(NamedTuple):
    """The scores of two systems by piece of a text."""

    ours: Floats
    """(seeds, pieces): natural log P of the first system."""
    theirs: Floats
    """(its seeds, pieces): that of the second one."""
    tokens: Ints
    """(pieces,): number of tokens."""


@dataclass(frozen=True)
class Scores:
    """The log-probabilities that an experiment's evaluations have left in their files.

    Two systems are compared by pieces of a text, each of which is made of one or more units.
    """

    experiment: Plan
    directory: ExperimentDirectory

    def of_units(self, run: str, evaluation: str, text: str) -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each unit of a text: of each sentence.

        There is none if what learns diverged on it. Raises UserError for the scores of another
        text.
        """
        scores = token_scores(self.directory, run, evaluation, text)
        files = self.directory.corpus(self._corpus_folders[run])
        lengths = np.diff(np.load(files.offsets(text))) if scores.size else np.zeros(0, np.int64)
        if lengths.sum() != scores.size:
            path = self.directory.token_scores(run, evaluation, text)
            raise UserError(
                f"{path}: has scores of {scores.size} tokens, but {files.path} has {lengths.sum()} "
                f"in `{text}`"
            )
        sums = sum_by_sentence(scores, lengths)
        return pd.DataFrame({"tokens": lengths, "log_probability": sums})

    @cached_property
    def _corpus_folders(self) -> dict[str, str]:
        """The names of the folders of their corpora, by run or rival."""
        runs = {run.name: run.corpus_folder for run in self.experiment.runs()}
        rivals = self.experiment.corpus_rivals
        return runs | {name: rival.corpus_folder for name, rival in rivals.items()}

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The pieces of a text that do not depend on each other, for systems that keep things for a
        unit of text, as `pieces_of` chooses them."""
        articles = np.load(self.files_of(corpus).split_articles(text))
        return pieces_of(articles, kept_for, in_order=self.is_in_order(corpus, text))

    def files_of(self, corpus: str) -> CorpusDirectory:
        """The folder of a corpus."""
        return self.directory.corpus(self.experiment.digits.folder_of(corpus))

    def is_in_order(self, corpus: str, text: str) -> bool:
        """True if a text is not shuffled."""
        experiment = self.experiment
        return experiment.corpora[corpus].keeps_order or text in experiment.testing.other_texts

    def by_piece(
        self, pieces: Pieces, ours: TestedNetwork, theirs: TestedNetwork, text: str = "test"
    ) -> PieceScores:
        """The scores of two systems by piece of the test text, or of another text.

        Raises UserError if the text is a single piece, or if its units are not as long for one
        system as for the other: it was then not the same text.
        """
        where = f"{self.directory.path}: corpus `{ours.corpus}`"
        if pieces.count < 2:
            raise UserError(f"{where}: to compare two models, `{text}` needs two sentences or more")
        logs = []
        lengths = []
        for side in (ours, theirs):
            runs = [run.name for run in side.network.runs]
            by_seed = [self.of_units(run, side.evaluation, text) for run in runs]
            lengths.append(by_seed[0]["tokens"].to_numpy())
            sums = [pieces.sums(scores["log_probability"].to_numpy()) for scores in by_seed]
            logs.append(np.array(sums))
        if not np.array_equal(lengths[0], lengths[1]):
            names = f"`{ours.network.first.name}` and `{theirs.network.first.name}`"
            raise UserError(f"{where}: {names} were tested on different sentences")
        tokens = pieces.sums(lengths[0]).astype(np.int64)
        return PieceScores(logs[0], logs[1], tokens)
