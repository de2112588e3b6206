"""Numbers of the kept evidence, as the tables show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from docs.generate.evidence import FOLDERS
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.tables.write import signed

ROOT = Path(__file__).parents[2]


@cache
def _table(folder: EvidenceFolder, name: str) -> pd.DataFrame:
    return folder.read_table(name)


@dataclass(frozen=True)
class Kept:
    """The kept evidence of an experiment; a network is named by its model, `100/20` or so."""

    experiment: str

    @property
    def _folder(self) -> EvidenceFolder:
        return EvidenceFolder(ROOT / FOLDERS / self.experiment)

    def row(self, model: str, evaluation: str = "", corpus: str = "") -> pd.Series:
        """The row of a network in the table of perplexities, or of one of its evaluations."""
        table = _table(self._folder, "updates" if evaluation else "perplexity")
        found = table["model"] == model
        if evaluation:
            found &= table["evaluation"] == evaluation
        if corpus:
            found &= table["corpus"] == corpus
        (only,) = (row for _, row in table[found].iterrows())
        return only

    def ppl(self, model: str, evaluation: str = "", corpus: str = "") -> str:
        """The mean test perplexity over the seeds, as the tables show it."""
        return f"{self.row(model, evaluation, corpus)['test_perplexity']:.1f}"

    def sd(self, model: str) -> str:
        """The standard deviation of the test perplexity over the seeds."""
        return f"{self.row(model)['test_perplexity_sd']:.1f}"

    def change(self, model: str, against: str, digits: int = 1, corpus: str = "") -> str:
        """The change of the test perplexity in per cent, with its sign."""
        one, other = (self.row(name, corpus=corpus)["test_perplexity"] for name in (model, against))
        percent = 100 * (one / other - 1)
        return signed(percent) if digits else f"{percent:.0f}".replace("-", "−")

    def better(self, model: str, against: str, digits: int = 1) -> str:
        """The reduction of the test perplexity in per cent, without a sign."""
        change = self.change(model, against, digits)
        assert change.startswith("−")
        return change[1:]

    def claimed(self, number: int, model: str, against: str) -> str:
        """The change of a claim in per cent, with its sign."""
        (claim,) = (
            claim
            for claim in self._folder.read_claims().claims
            if (claim.number, claim.model) == (number, model) and claim.against.startswith(against)
        )
        return signed(claim.effect.change_percent)

    def adds(self, model: str, evaluation: str = "", corpus: str = "") -> float:
        """Multiply-adds a word in testing."""
        return float(self.row(model, evaluation, corpus)["multiply_adds_per_word"])

    def times_as_many(self, model: str, against: str, evaluation: str = "") -> float:
        """The ratio of the multiply-adds of a network, or of its evaluation, to another's."""
        return self.adds(model, evaluation) / self.adds(against)

    def outputs(self, corpus: str = "", hidden: int = 100) -> float:
        """Outputs that are computed for a word: all classes, and the words of one.

        A static network needs M² + M n multiply-adds for n outputs.
        """
        return self.adds(f"{hidden}/0", corpus=corpus) / hidden - hidden
