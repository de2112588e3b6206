"""Training and scoring in padded batches: the loops that the plain graph and JAX have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from online_rnnlm.core.arrays import Array, Integers
from online_rnnlm.core.carried import Carried
from online_rnnlm.core.engines.base import Scores, TrainingState, empty_scores
from online_rnnlm.core.order import NOTHING

if TYPE_CHECKING:
    from online_rnnlm.core.order import Order
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.text import Split


class Found(NamedTuple):
    """The predictions of a padded batch of B segments."""

    log_probabilities: Array
    """(T, B)."""
    hidden: Any
    """(T, B, M); anything if hidden states are not asked for."""
    carried: Carried
    """The state after the last words."""


Learn = Callable[[TrainingState, Integers], "tuple[Any, TrainingState]"]
"""A function that makes an update by segments (B,), from the state before them in `carried`;
returns their log P and the new state."""
Predict = Callable[[Integers, Carried], Found]
"""A function that predicts the words of segments (B,) from the state before them."""


def train(learn: Learn, state: TrainingState, order: Order) -> tuple[float, TrainingState]:
    """Make an update by each batch; return log P of all words and the new state."""
    totals = []
    for segments, begins in zip(order.segments, order.begins, strict=True):
        before = state.carried.before(begins, order.first_kept)
        total, state = learn(state._replace(carried=before), segments)
        totals.append(total)
    # Reading a total waits for a GPU, so it is left until all batches have been sent.
    return float(sum(map(float, totals))), state


def score(
    predict: Predict,
    weights: Parameters,
    split: Split,
    order: Order,
    carried: Carried,
    *,
    hidden_states: bool,
) -> tuple[Scores, Carried]:
    """Predict one batch after the other; return the scores, and the state after the last."""
    scores = empty_scores(weights, split, hidden_states=hidden_states)
    for segments, begins in zip(order.segments, order.begins, strict=True):
        found = predict(segments, carried.before(begins, order.first_kept))
        carried = found.carried
        for lane, segment in enumerate(segments):
            if segment != NOTHING:
                words = slice(split.offsets[segment], split.offsets[segment + 1])
                length = words.stop - words.start
                scores.log_probabilities[words] = found.log_probabilities[:length, lane]
                scores.document_vectors[segment] = carried.vector[lane]
                if hidden_states:
                    scores.hidden_states[words] = found.hidden[:length, lane]
    return scores, carried.copy()
