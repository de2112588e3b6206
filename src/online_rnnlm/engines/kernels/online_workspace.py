"""Memory for the intermediate results of testing while weights learn, allocated once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.engines.kernels.data import Classes, Integers
from online_rnnlm.engines.kernels.workspace import Capacity


class OnlineWorkspace(NamedTuple):
    """Memory for one sentence at a time, of at most T words, in `online` and `learning`.

    Rows are the sentence's words, or those of a window: its last words.
    """

    hidden: Any
    """(T + 1, M): h before the sentence, and of every word at the time it was scored."""
    documents: Any
    """(T, D): d before every word."""
    document: Any
    """(D,): the current d."""

    window_hidden: Any
    """(T + 1, M): h before a window, and h of its words by the current weights."""
    hidden_inputs: Any
    """(1, M): inputs of the sigmoid for one word."""
    class_scores: Any
    """(T, K): inputs of the softmax over classes."""
    word_scores: Any
    """(C,): inputs of the softmax over a class's words, word after word."""
    log_probabilities: NDArray[np.float64]
    """(T,): log P of the window's targets."""

    class_deltas: Any
    """(T, K): δ_c."""
    word_deltas: Any
    """(C,): δ_w, word after word."""
    first_candidates: Integers
    """(T,): index at which a word's `word_deltas` begin."""
    hidden_gradient: Any
    """(T, M): ∂L/∂h, as far as it has been added up."""
    hidden_deltas: Any
    """(T, M): δ_h."""
    own_deltas: Any
    """(1, M): clip(∂L_t/∂h_t ⊙ h_t ⊙ (1 - h_t)) of one word."""
    document_gradient: Any
    """(D,): Σ ∂L_t/∂d_t."""


def allocate_online(capacity: Capacity, classes: Classes, dtype: DTypeLike) -> OnlineWorkspace:
    """Allocate a workspace of that capacity for testing while weights learn; B is 1."""
    sizes, _, steps, candidates = capacity
    _, m, k, d = sizes[:4]

    def reals(*shape: int) -> Any:
        return np.zeros(shape, dtype)

    class_scores, word_scores = reals(steps, k), reals(candidates)
    return OnlineWorkspace(
        hidden=reals(steps + 1, m),
        documents=reals(steps, d),
        document=reals(d),
        window_hidden=reals(steps + 1, m),
        hidden_inputs=reals(1, m),
        class_scores=class_scores,
        word_scores=word_scores,
        log_probabilities=np.zeros(steps),
        class_deltas=class_scores,
        word_deltas=word_scores,
        first_candidates=np.zeros(steps, np.int64),
        hidden_gradient=reals(steps, m),
        hidden_deltas=reals(steps, m),
        own_deltas=reals(1, m),
        document_gradient=reals(d),
    )
