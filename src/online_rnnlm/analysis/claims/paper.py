"""The paper's five claims in words, and two more, which a user of the model would ask.

The settings are not the paper's, so each claim is tested as an idea, not on the paper's numbers.
"""

from __future__ import annotations

from typing import NamedTuple

SAME_HIDDEN, MORE_PARAMETERS, MULTIPLY_ADDS, VECTOR_ALONE, LEARNING, BEST_RIVAL, BEST_SYSTEM = (
    range(1, 8)
)
AT_ITS_COST, AT_ANY_COST = "at its cost or less", "at any cost"
"""The cases of the claim on the best rival."""
AS_LARGE = 1.01
"""A rival at the vector's cost may have 1 % more parameters: those of about one hidden unit. The
smallest static network with at least as many parameters as the vector's has some more, too."""
MARGIN_PERCENT = 1.0
"""A perplexity up to this much higher still counts as equally good; the value is assumed."""
ONE_SEED = (
    "There is one seed: the verdicts allow for chance in the test text, but not for chance in "
    "training."
)


class PaperClaim(NamedTuple):
    """One of the claims."""

    name: str
    """A short form of the claim in words; better is a lower test perplexity."""
    text: str
    """The claim as a sentence, with `{model}` and `{against}` in place of the two sides."""


CLAIMS = {
    SAME_HIDDEN: PaperClaim(
        "better than a static network of as many units",
        "{model}, its vector learning, has a lower test perplexity than {against}, the static "
        "network of as many hidden units.",
    ),
    MORE_PARAMETERS: PaperClaim(
        "better than a static network of as many parameters",
        "{model}, its vector learning, has a lower test perplexity than {against}, a static "
        "network of at least as many parameters.",
    ),
    MULTIPLY_ADDS: PaperClaim(
        "less computation than that static network",
        "{model} has its lower test perplexity with fewer multiply-adds and in less time per "
        "word than {against}.",
    ),
    VECTOR_ALONE: PaperClaim(
        "the vector alone learns as well as all weights by plain steps",
        "{model}: learning only the document vector during testing is better than, or as good as, "
        "learning everything by plain gradient steps, at a fraction of the cost.",
    ),
    LEARNING: PaperClaim(
        "better learning than frozen",
        "{model}: the gain needs learning during testing, as the same weights do worse "
        "with a frozen vector.",
    ),
    BEST_RIVAL: PaperClaim(
        "better than a static network with one rival",
        "{model}, its vector learning, has a lower test perplexity than {against}.",
    ),
    BEST_SYSTEM: PaperClaim(
        "the best with a vector is better than the best without",
        "{model} has a lower test perplexity than {against}.",
    ),
}
