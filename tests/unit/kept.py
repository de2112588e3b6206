"""Numbers of the kept evidence, as the tables show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from docs.generate.evidence import FOLDERS
from online_rnnlm.analysis.comparison import compared, percents_of_gains
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.tables.write import signed
from online_rnnlm.storage.claims import Claim, SeedDifference

ROOT = Path(__file__).parents[2]


@cache
def _table(folder: EvidenceFolder, name: str) -> pd.DataFrame:
    return folder.read_table(name)


def _without_sign(change: float) -> str:
    """A reduction in per cent."""
    assert change < 0
    return signed(change)[1:]


def _reduction(seeds: SeedDifference | None) -> str:
    """The interval of a reduction that holds over the seeds, in per cent without signs."""
    assert seeds is not None
    low, high = percents_of_gains(seeds.interval_nats_per_token)
    assert high < 0
    return f"{-high:.1f} to {-low:.1f}"


@dataclass(frozen=True)
class Kept:
    """The kept evidence of an experiment; a network is named by its model, `100/20` or so.

    The corpus is needed only if there are several.
    """

    experiment: str
    corpus: str = ""

    @property
    def _folder(self) -> EvidenceFolder:
        return EvidenceFolder(ROOT / FOLDERS / self.experiment)

    def row(self, model: str, evaluation: str = "") -> pd.Series:
        """The row of a network in the table of perplexities, or of one of its evaluations."""
        table = _table(self._folder, "updates" if evaluation else "perplexity")
        found = table["model"] == model
        if self.corpus:
            found &= table["corpus"] == self.corpus
        if evaluation:
            found &= table["evaluation"] == evaluation
        (only,) = (row for _, row in table[found].iterrows())
        return only

    def ppl(self, model: str, evaluation: str = "") -> str:
        """The mean test perplexity over the seeds, as the tables show it."""
        return f"{self.row(model, evaluation)['test_perplexity']:.1f}"

    def better(self, model: str, against: str) -> str:
        """The reduction of the test perplexity in per cent, without a sign."""
        one, other = (self.row(name)["test_perplexity"] for name in (model, against))
        return _without_sign(100 * (one / other - 1))

    def claim(self, number: int, model: str, against: str) -> Claim:
        """The record of a claim."""
        (claim,) = (
            claim
            for claim in self._folder.read_claims().claims
            if (claim.number, claim.model) == (number, model)
            and claim.against.startswith(against)
            and self.corpus in ("", claim.corpus)
        )
        return claim

    def claimed(self, number: int, model: str, against: str) -> str:
        """The change of a claim in per cent, with its sign."""
        return signed(self.claim(number, model, against).effect.change_percent)

    def over_seeds(self, number: int, model: str, against: str) -> str:
        """The interval over the seeds of a claim's reduction, in per cent without signs."""
        return _reduction(self.claim(number, model, against).seeds)

    def off(self, static: str, model: str, text: str = "test") -> tuple[str, str]:
        """By how many per cent a network with a vector has a lower perplexity than a static one.

        The second value is the interval over the seeds. Both are computed from the scores.
        """
        ours = self._folder.scores_of("wikipedia", model, "document_vector", text)
        theirs = self._folder.scores_of("wikipedia", static, "none", text)
        found = compared(ours, theirs)
        return _without_sign(found.effect["change_percent"]), _reduction(found.seeds)

    def words_per_second(self, model: str, evaluation: str) -> str:
        """Words per second in testing, all networks timed in turn, in thousands."""
        return f"{self.row(model, evaluation)['timed_words_per_second'] / 1000:.0f},000"

    def claimed_speeds(self, number: int, model: str, against: str) -> tuple[str, str]:
        """Words per second of both sides of a claim as they were tested, in thousands."""
        effect = self.claim(number, model, against).effect
        seconds = effect.seconds_per_word, effect.seconds_per_word_against
        ours, theirs = (f"{1 / (1000 * each):.0f},000" for each in seconds if each is not None)
        return ours, theirs

    def adds(self, model: str) -> float:
        """Multiply-adds a word in testing."""
        return float(self.row(model)["multiply_adds_per_word"])

    def more_adds(self, model: str, against: str) -> int:
        """The difference of two networks' multiply-adds, in per cent of the second one's."""
        return round(100 * (self.adds(model) / self.adds(against) - 1))

    def on(self, text: str, model: str, evaluation: str) -> str:
        """The mean test perplexity on a text of another kind, as the tables show it."""
        table = _table(self._folder, "other_texts")
        found = (table["text"] == text) & (table["model"] == model)
        (only,) = table[found & (table["evaluation"] == evaluation)]["test_perplexity"]
        return f"{only:.1f}"

    def outputs(self) -> float:
        """Outputs that are computed for a word: all classes, and the words of one.

        100/0 needs 100² + 100 n multiply-adds for n outputs.
        """
        return self.adds("100/0") / 100 - 100
