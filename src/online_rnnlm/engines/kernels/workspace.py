"""The kernels' data: word classes, and scratch memory that is allocated once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.model.sizes import Sizes

Integers = NDArray[np.int64]
_SCORES_A_TOKEN = 64


class Classes(NamedTuple):
    """Word classes as runs of word ids."""

    of_word: Integers
    """(V,): every word's class."""
    offsets: Integers
    """(K + 1,): class c's words are the ids from offsets[c] to offsets[c + 1] - 1."""


def classes_from_offsets(offsets: Integers) -> Classes:
    """The classes whose runs of word ids begin at `offsets` (K + 1,), the last one their end."""
    return Classes(np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)), offsets)


class Workspace(NamedTuple):
    """Scratch memory for batches of at most B sentences, T steps and N tokens."""

    first: Integers
    """(T + 1,): each time step's first row."""
    inputs: Integers
    """(N,): previous words."""
    targets: Integers
    """(N,): words to predict."""
    starts: Integers
    """(K + 1,): each class's first place in `order`."""
    order: Integers
    """(N,): rows grouped by class; later the distinct previous words."""
    place: Integers
    """(N,): where a row's word scores begin."""
    slots: Integers
    """(V,): row of `grouped` that sums a word's gradients; -1 outside."""
    hidden: Any
    """(N, M): h."""
    errors: Any
    """(N, M): ∂L/∂h, then the error at the hidden units' inputs."""
    grouped: Any
    """(N, M): h in the order of classes; later h of the step before; later sums of gradients."""
    class_scores: Any
    """(N, K): scores of the classes, then P - 1 at the target."""
    word_scores: Any
    """(≥ 0,): scores of the candidate words, row after row, then P - 1 at the target."""
    class_errors: Any
    """(N, M): one class's part of ∂L/∂h; later ∂L_t/∂h_t through the sigmoid."""
    documents: Any
    """(N, D): d before every word."""
    grouped_documents: Any
    """(N, D): ∂L_t/∂d_t of a step; later d in the order of classes."""
    current: Any
    """(B, D): d of every sentence now."""
    slope: Any
    """(D,): ∂L_t/∂d_t."""
    log_probabilities: NDArray[np.float64]
    """(N,): log P of every target."""
    recurrent: Any
    """(M, M): W_hᵀ; later a gradient."""
    class_output: Any
    """(K, M): a gradient."""
    class_output_transposed: Any
    """(M, K): W_cᵀ."""
    class_document: Any
    """(D, K) or (0, K): a gradient."""
    word_output: Any
    """(L, M): a gradient, for the L words of the largest class."""
    word_document: Any
    """(D · L,) or (0,): a gradient, for the words of one class."""
    hidden_document: Any
    """(D, M) or (0, M): a gradient."""


class Capacity(NamedTuple):
    """What a workspace is made for."""

    sizes: Sizes
    sentences: int
    """B, sentences side by side."""
    steps: int
    """T, tokens of the longest sentence."""
    tokens: int
    """N, tokens of a batch."""

    @classmethod
    def for_sentences(cls, sizes: Sizes, lengths: Integers, batch_sentences: int) -> Capacity:
        """Enough for any batch of sentences with these `lengths` (tokens, `</s>` counted).

        A batch may hold one sentence several times, so that few sentences can make a full one.
        """
        steps = int(lengths.max(initial=0))
        # One row more: a sentence's states have the one before the first word, too.
        return cls(sizes, batch_sentences, steps, steps * batch_sentences + 1)

    def covers(self, other: Capacity) -> bool:
        """Whether a workspace of this capacity does for the other."""
        enough = self.steps >= other.steps and self.tokens >= other.tokens
        return enough and self[:2] == other[:2]


def allocate(capacity: Capacity, classes: Classes, dtype: DTypeLike) -> Workspace:
    """Scratch memory of a capacity."""
    sizes, sentences, steps, tokens = capacity
    v, m, k, d = sizes[:4]
    largest = int(np.diff(classes.offsets).max())

    def integers(size: int) -> Integers:
        return np.zeros(size, np.int64)

    def reals(*shape: int) -> Any:
        return np.zeros(shape, dtype)

    return Workspace(
        first=integers(steps + 1),
        inputs=integers(tokens),
        targets=integers(tokens),
        starts=integers(k + 1),
        order=integers(tokens),
        place=integers(tokens),
        slots=np.full(v, -1, np.int64),
        hidden=reals(tokens, m),
        errors=reals(tokens, m),
        grouped=reals(tokens, m),
        class_scores=reals(tokens, k),
        word_scores=reals(tokens * _SCORES_A_TOKEN),
        class_errors=reals(tokens, m),
        documents=reals(tokens, d),
        grouped_documents=reals(tokens, d),
        current=reals(sentences, d),
        slope=reals(d),
        log_probabilities=np.zeros(tokens),
        recurrent=reals(m, m),
        class_output=reals(k, m),
        class_output_transposed=reals(m, k),
        class_document=reals(sizes.output_document, k),
        word_output=reals(largest, m),
        word_document=reals(sizes.output_document * largest),
        hidden_document=reals(sizes.hidden_document, m),
    )
