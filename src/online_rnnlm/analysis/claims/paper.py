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
MARGIN_PERCENT = 1.0
"""A perplexity up to this much higher still counts as equally good; the value is assumed."""
SOURCE = (
    "By updating only a small part of the model during testing it achieves better results with "
    "faster execution and fewer parameters (a paraphrase of the author's own summary of the "
    "paper, EMNLP 2015)."
)
ONE_SEED = (
    "There is one seed: the verdicts allow for chance in the test text, but not for chance in "
    "training."
)
OURS = "This project's own question; it is no claim of the paper's."


class PaperClaim(NamedTuple):
    """One of the claims."""

    kind: str
    """The claim's name in `claims.json`."""
    name: str
    """A short form of the claim in words; better is a lower test perplexity."""
    text: str
    """The claim as a sentence, with `{model}` and `{against}` in place of the two sides."""
    test: str
    """The test of the claim in words."""


CLAIMS = {
    SAME_HIDDEN: PaperClaim(
        "lower_perplexity_same_hidden",
        "better than a static network of as many units",
        "{model}, its vector learning, has a lower test perplexity than {against}, the static "
        "network of as many hidden units.",
        "test perplexity, the vector learning, against the static network's",
    ),
    MORE_PARAMETERS: PaperClaim(
        "lower_perplexity_more_parameters",
        "better than a static network of as many parameters",
        "{model}, its vector learning, has a lower test perplexity than {against}, a static "
        "network of at least as many parameters.",
        "test perplexity, the vector learning, against the smallest such static network's",
    ),
    MULTIPLY_ADDS: PaperClaim(
        "less_computation",
        "less computation than that static network",
        "{model} has its lower test perplexity with fewer multiply-adds and in less time per "
        "word than {against}.",
        "multiply-adds per word in testing, counted from the equations, and processor time per "
        "word, measured side by side; supported only if the lower perplexity against the same "
        "static network is",
    ),
    VECTOR_ALONE: PaperClaim(
        "vector_alone_suffices",
        "learning the vector alone is enough",
        "{model}: learning only the document vector during testing is better than, or as good as, "
        "learning everything, at a fraction of the cost.",
        f"non-inferiority of test perplexity with a margin of {MARGIN_PERCENT:g} %, and fewer "
        "multiply-adds and fewer parameters touched per word; everything learns after every word, "
        "with the rate that is best on `valid`, and both keep what they learn for the same unit of "
        "text; "
        "`equivalence` says whether the two differ by less than the margin on either side",
    ),
    LEARNING: PaperClaim(
        "learning_not_parameters",
        "better learning than frozen",
        "{model}: the gain needs learning during testing, as the same weights do worse "
        "with a frozen vector.",
        "test perplexity of the same weights, the vector learning against frozen",
    ),
    BEST_RIVAL: PaperClaim(
        "lower_perplexity_than_rivals",
        "better than a static network with one rival",
        "{model}, its vector learning, has a lower test perplexity than {against}.",
        "not a claim of the paper's, but a user's question: test perplexity, only the vector "
        "learning, against static networks with a cache, with weights that learn or with an n-gram "
        "model mixed in, but with no more than one of these; both sides are what is best on "
        "`valid`; the best rival with the vector's multiply-adds and parameters or fewer, and the "
        "best at any cost",
    ),
    BEST_SYSTEM: PaperClaim(
        "best_system_has_a_vector",
        "the best with a vector is better than the best without",
        "{model} has a lower test perplexity than {against}.",
        "not a claim of the paper's, but a user's question: test perplexity of the best of all "
        "networks with a vector against the best of all static ones, each with whatever learns or "
        "is mixed in; both sides are what is best on `valid`",
    ),
}
