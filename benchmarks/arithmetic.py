"""FLOPs per word of the model's arithmetic, and the bound on the speed that they imply."""

from __future__ import annotations

from online_rnnlm.model.cost import (
    multiply_adds_per_word,
    training_multiply_adds_per_word,
    update_multiply_adds_per_word,
)
from online_rnnlm.model.parameters import GROUPS
from online_rnnlm.model.sizes import Sizes

FLOPS_A_MULTIPLY_ADD = 2


def scoring_flops(sizes: Sizes, mean_class_size: float) -> float:
    """Return the FLOPs to predict a word and to update the document vector, if there is one."""
    return FLOPS_A_MULTIPLY_ADD * multiply_adds_per_word(sizes, mean_class_size)


def training_flops(sizes: Sizes, mean_class_size: float, *, goes_through: bool = False) -> float:
    """Return the FLOPs to learn from a word.

    `goes_through` says whether gradients go back through the updates of the document vector.
    """
    return FLOPS_A_MULTIPLY_ADD * training_multiply_adds_per_word(
        sizes, mean_class_size, goes_through=goes_through
    )


def flops_by_part(sizes: Sizes, mean_class_size: float) -> dict[str, float]:
    """Return the FLOPs of `training_flops` by the part of the kernel that computes them.

    Only products count. Parts without products are left out, and so are AdaGrad's steps and the
    exponentials of the other parts.
    """
    m, k, c, d = sizes.hidden, sizes.classes, mean_class_size, sizes.document
    multiply_adds = {
        "hidden states": m * m,
        "scores of classes": k * m,
        "scores of words": c * m,
        "softmax, document vectors": 2 * (k + c) * d + d,
        "back through classes": 2 * k * m + k * d,
        "update outputs": 2 * c * m + c * d,
        "back through time": 2 * m * m,
    }
    return {name: FLOPS_A_MULTIPLY_ADD * float(count) for name, count in multiply_adds.items()}


def learning_flops(sizes: Sizes, mean_class_size: float, steps: int) -> float:
    """Return the FLOPs to predict a word and to update all weights through `steps` states."""
    learning = update_multiply_adds_per_word(sizes, mean_class_size, GROUPS, steps)
    return FLOPS_A_MULTIPLY_ADD * (multiply_adds_per_word(sizes, mean_class_size) + learning)


def bound(gflops: float, flops: float) -> float:
    """Return the words per second if only matrix products took time, at `gflops` GFLOP/s."""
    return gflops * 1e9 / flops
