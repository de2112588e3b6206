"""What a prediction costs: multiply-adds a word, counted from the equations."""

from __future__ import annotations

from online_rnnlm.model.parameters import Sizes


def multiply_adds_per_word(sizes: Sizes, mean_class_size: float) -> float:
    """Multiply-adds to predict one word and, where there is one, to update the document vector.

    `mean_class_size` is the number of words in the target's class, averaged over the text.
    W_h h costs M²; the outputs are K classes and the words of one class, each M from the hidden
    state and D from the document vector, and D again for the vector's gradient; the vector's
    step costs D. An embedding is looked up, not multiplied.
    """
    outputs = sizes.classes + mean_class_size
    hidden = sizes.hidden**2 + outputs * sizes.hidden
    return hidden + 2 * outputs * sizes.document + sizes.document
