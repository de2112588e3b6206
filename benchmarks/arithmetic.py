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


def flops_by_part(sizes: Sizes, mean_class_size: float) -> dict[str, float]:
    """The FLOPs of `training_flops` by the part of the kernel that does them.

    Parts without products, and AdaGrad's steps and exponentials anywhere, count as none.
    """
    m, k, c, d = sizes.hidden, sizes.classes, mean_class_size, sizes.document
    multiply_adds = {
        "hidden states": m * m,
        "scores of classes": k * m,
        "scores of words": c * m,
        "softmax, document vectors": 2 * (k + c) * d + d,
        "errors through classes": k * m,
        "update word outputs": 2 * c * m + c * d,
        "update class outputs": k * m + k * d,
        "back through time": m * m,
        "update recurrent": m * m,
    }
    return {name: FLOPS_A_MULTIPLY_ADD * float(count) for name, count in multiply_adds.items()}


def learning_flops(sizes: Sizes, mean_class_size: float, steps: int) -> float:
    """FLOPs to predict a word and let all parameters learn from it, through `steps` hidden states.

    As in training, but that the recurrent weights' two products backward are done at every step.
    """
    further_steps = (BACKWARD_AND_FORWARD - 1) * (steps - 1) * sizes.hidden**2
    return training_flops(sizes, mean_class_size) + FLOPS_A_MULTIPLY_ADD * further_steps


def bound(gflops: float, flops: float) -> float:
    """Words a second if nothing but matrix products at `gflops` GFLOP/s took time."""
    return gflops * 1e9 / flops
