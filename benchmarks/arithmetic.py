"""What the arithmetic alone would cost: FLOPs a word, and the bound that they set."""

from __future__ import annotations

from online_rnnlm.model.cost import multiply_adds_per_word
from online_rnnlm.model.parameters import Sizes

FLOPS_A_MULTIPLY_ADD = 2
BACKWARD_AND_FORWARD = 3


def scoring_flops(sizes: Sizes, mean_class_size: float) -> float:
    """FLOPs to predict a word and, where there is one, to update the document vector."""
    return FLOPS_A_MULTIPLY_ADD * multiply_adds_per_word(sizes, mean_class_size)


def training_flops(sizes: Sizes, mean_class_size: float) -> float:
    """FLOPs to learn from a word.

    Every product of the static network is done three times: forward, for the error of what went
    in, and for the gradient of the weights. The document vector's are done three times in all,
    for prediction already does two of them; its own step is done once.
    """
    static = multiply_adds_per_word(sizes._replace(document=0), mean_class_size)
    outputs = sizes.classes + mean_class_size
    online = BACKWARD_AND_FORWARD * outputs * sizes.document + sizes.document
    return FLOPS_A_MULTIPLY_ADD * (BACKWARD_AND_FORWARD * static + online)


def learning_flops(sizes: Sizes, mean_class_size: float, steps: int) -> float:
    """FLOPs to predict a word and let all parameters learn from it, through `steps` hidden states.

    As in training, but that the recurrent weights' two products backward are done at every step.
    """
    further_steps = (BACKWARD_AND_FORWARD - 1) * (steps - 1) * sizes.hidden**2
    return training_flops(sizes, mean_class_size) + FLOPS_A_MULTIPLY_ADD * further_steps


def bound(gflops: float, flops: float) -> float:
    """Words a second if nothing but matrix products at `gflops` GFLOP/s took time."""
    return gflops * 1e9 / flops
