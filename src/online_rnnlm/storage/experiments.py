"""The records of an experiment as a whole: the paper's claims, the audits, the captions of figures,
and the mark that nothing is missing."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

from online_rnnlm.storage.audits import Audit
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Digest, Part, Record

Interval = tuple[float, float]
"""The lower and the upper end of an interval."""
PieceName = Literal["sentence", "article", "block"]
Letter = Literal["a", "b", "c", "d", "e", "f"]
Verdict = Literal["supported", "refuted", "undecided"]


class ComparedSide(Part):
    """One of two systems that are compared: a network in one of its evaluations."""

    network: str
    """The network's name in tables."""
    evaluation: str
    """Name of the evaluation."""
    name: str
    """The network's name, with its adaptation if that is not the main one."""
    test_perplexity: float
    """Test perplexity, mean over the seeds."""
    parameters: int
    """Number of parameters, with those of models that are mixed in."""
    multiply_adds_per_word: float
    """Multiply-adds per token in testing."""
    seconds_per_word: float
    """Time per token in testing (s): processor time, median of the rounds in which the networks
    were timed in turn, or, of a network that was not, such as one with a rival, the time that its
    evaluations took."""


class Comparison(Part):
    """The difference between two systems on the test text, with its interval and test.

    Interval and p-value allow for chance in the text, whose pieces might have been others, and, if
    there are several seeds, in training, which might have had others.
    """

    ours: ComparedSide
    """The system that a claim calls the better one."""
    theirs: ComparedSide
    """The system that it is compared with."""
    change_percent: float
    """Change from the other system's perplexity to ours (%), of geometric means over the seeds;
    negative if ours is lower."""
    interval_percent: Interval
    """95 % interval of the change (%)."""
    nats_per_token: float
    """Entropy of the other system minus that of ours (nats per token)."""
    interval_nats_per_token: Interval
    """95 % interval of that difference (nats per token)."""
    p_value: float
    """Two-sided p-value of the hypothesis that there is no difference."""
    seeds: int
    """Number of seeds of either side."""
    drawn: PieceName
    """The pieces of text that count as drawn by chance: sentences, articles, or blocks of
    consecutive sentences."""
    pieces: int
    """Number of these pieces."""
    tokens: int
    """Number of test tokens."""
    seconds_change_percent: Interval | None = None
    """95 % interval of the change of the time per token (%), over the rounds in which both were
    timed; `null` if one was not."""


class Claim(Part):
    """One claim with its verdict."""

    letter: Letter
    """Letter of the claim."""
    claim: str
    """The claim in words."""
    case: str = ""
    """The case, if a claim has several."""
    corpus: str
    """The corpus."""
    row: str
    """The network that the claim is about."""
    comparison: Comparison
    """The two sides and their difference."""
    p_value_holm: float
    """The p-value, corrected for the number of the experiment's comparisons."""
    verdict: Verdict
    """The verdict."""


class UntestedClaim(Part):
    """One claim that the experiment cannot test."""

    letter: Letter
    """Letter of the claim."""
    claim: str
    """The claim in words."""
    case: str = ""
    """The case, if a claim has several and another case can be tested."""
    corpus: str
    """The corpus."""
    row: str
    """The network that the claim is about."""
    reason: str
    """Reason why it cannot be tested."""


class Claims(Record):
    """The paper's claims, each with its verdict on this experiment."""

    missing: ClassVar = "the claims have not been judged yet: run the experiment first"

    settings: Digest
    """sha256 of the experiment's settings that results can depend on, as JSON."""
    claims: tuple[Claim, ...]
    """The claims that are tested."""
    not_tested: tuple[UntestedClaim, ...]
    """The claims that cannot be tested."""


class Audits(Record):
    """The audits of an experiment's networks, each scored as for its number in the table."""

    missing: ClassVar = "the networks have not been audited yet: run the experiment first"

    audits: tuple[Audit, ...]
    """One for the first run of each row, if it has finished."""


class Captions(Record):
    """The captions of the figures."""

    missing: ClassVar = "draw the figures first"

    captions: dict[str, str]
    """Captions by the figures' names."""


class Complete(Record):
    """The mark of an experiment that lacks nothing: no run of a row and no evaluation has diverged,
    and all audits are passed."""

    trainings: int
    """Number of trainings, all of which have ended."""


def was_renamed(directory: ExperimentDirectory, name: str) -> bool:
    """True if the plan in a folder of results is that of an experiment of another name."""
    try:
        found = json.loads(directory.configuration.read_bytes())["experiment"]
    except (OSError, ValueError, LookupError, TypeError):  # none yet, or a damaged one
        return False
    return bool(found != name)
