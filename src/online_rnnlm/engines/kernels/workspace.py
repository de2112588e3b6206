"""Memory for the kernels' intermediate results, allocated once. Every name has one meaning.

Scores are not needed once their deltas are known, and each delta replaces its score: `class_deltas`
is the same memory as `class_scores`, and `word_deltas` as `word_scores`. With memory of their own,
training took 3 to 5 % longer on a processor that has 512 KiB of cache for each core.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.engines.kernels import through
from online_rnnlm.engines.kernels.cells import KERNEL_CELLS
from online_rnnlm.engines.kernels.data import Classes, Integers, Text
from online_rnnlm.engines.kernels.layout import SECTION, measure
from online_rnnlm.model.parameters import Parameters, shapes
from online_rnnlm.model.sizes import Sizes


class Capacity(NamedTuple):
    """The sizes that a workspace is allocated for."""

    sizes: Sizes
    sentences: int
    """B, number of sentences side by side."""
    steps: int
    """T, number of tokens of the longest sentence."""
    candidates: int
    """The most candidate words of any sentence: the words of each target's class."""

    @classmethod
    def for_sentences(
        cls, sizes: Sizes, text: Text, classes: Classes, sentences: Integers, batch_sentences: int
    ) -> Capacity:
        """The capacity for any batch of these sentences (S,).

        A batch may hold one sentence several times, so a full batch is assumed.
        """
        return cls(sizes, batch_sentences, *measure(text, classes, sentences))

    def covers(self, other: Capacity) -> bool:
        """True if a workspace of this capacity suffices for the other."""
        enough = self.steps >= other.steps and self.candidates >= other.candidates
        return enough and self[:2] == other[:2]


class Workspace(NamedTuple):
    """Memory for batches of up to B sentences, T time steps, N = B T tokens and C candidate words.

    Rows are a batch's words, in the order of `layout` unless stated otherwise; a batch has up to S
    sections. All members of a team share it, but for what `for_members` copies.
    """

    sorted_lanes: Integers
    """(B,): the lanes of the batch's segments, those of the longest first."""
    lanes: Integers
    """(B,): the same, section after section: the order of all that belongs to segments."""
    laid_out: Integers
    """(2,): the batch's numbers of sections and of tokens."""
    first_lanes: Integers
    """(S + 1,): each section's first place in `lanes`."""
    steps: Integers
    """(S,): each section's number of time steps."""
    first_rows: Integers
    """(S, T + 1): the first row of each section's time steps."""
    places: Integers
    """(N,): places of the previous words in the text's stream."""
    inputs: Integers
    """(N,): previous words."""
    targets: Integers
    """(N,): words to predict."""
    class_starts: Integers
    """(K + 1,): each class's first place in `rows_by_class`."""
    rows_by_class: Integers
    """(N,): rows in the order of their targets' classes."""
    first_places: Integers
    """(K,): the first place in `rows_by_class` of each class's rows that are not predicted yet."""
    places_by_class: Integers
    """(N,): each row's place in `rows_by_class`."""
    first_candidates: Integers
    """(N,): index at which a row's `word_scores` and `word_deltas` begin."""
    first_row_of: Integers
    """(V,): the first row with that previous word; -1 if there is none, or if the word is done."""
    next_rows: Integers
    """(N,): the next row with the same previous word; -1 after the last."""

    hidden_before: Any
    """(B, H): `hidden` before the first words."""
    memory_before: Any
    """(B, M): `memory` before the first words; (B, 0) if the cell has none."""
    hidden_inputs: Any
    """(B, ·): inputs of the hidden units, or products with W_h, at one time step."""
    of_cell: Any
    """Arrays that only one kind of cell needs: `Scratch` of its module in `cells`."""
    memory: Any
    """(N, M): c, the memory of an LSTM; else (N, 0)."""
    hidden: Any
    """(N, H): h, or (h, s) for slow context units: it feeds the output layer."""
    output_inputs: Any
    """(N, H): `hidden` after dropout, which feeds the output layer; the same memory without."""
    previous_hidden: Any
    """(N, H): what the recurrent matrix is multiplied by, h of the word before; unset for first
    words that have none."""
    grouped_hidden: Any
    """(N, H): `output_inputs` in the order of `rows_by_class`; unset for words alone in their
    class."""
    class_scores: Any
    """(N, K): inputs of the softmax over classes."""
    word_scores: Any
    """(C,): inputs of the softmax over a class's words, row after row."""
    documents: Any
    """(N, D): d before every word."""
    grouped_documents: Any
    """(N, D): d before every word, in the order of `rows_by_class`."""
    document: Any
    """(B, D): the current d of every sentence."""
    log_probabilities: NDArray[np.float64]
    """(N,): log P of every target."""

    class_deltas: Any
    """(N, K): δ_c."""
    word_deltas: Any
    """(C,): δ_w, row after row."""
    hidden_gradient: Any
    """(N, H): ∂L/∂h, as far as it has been added up."""
    grouped_hidden_gradient: Any
    """(N, H): W_o[c]ᵀ δ_w in the order of `rows_by_class`."""
    hidden_deltas: Any
    """(N, ·): δ_h, the deltas of the rows of E."""
    recurrent_deltas: Any
    """(N, ·): the deltas of the products with W_h; the same memory as `hidden_deltas` if they are
    the same."""
    step_deltas: Any
    """(B, M): clip(∂L_t/∂h_t ⊙ h_t ⊙ (1 - h_t)), of the words of one time step."""
    document_gradient: Any
    """(B, D): ∂L_t/∂d_t of every sentence's current word."""
    through: through.Through
    """Memory for gradients that go back through the updates of the document vector."""
    gradients: Parameters
    """Gradients of the weights. E: that of one word. W_o: those of the words of one class,
    (L, H), L being the size of the largest. V_oᵀ: the same words', (D · L,), a matrix of D rows.
    The others: the share of each section, (S, ·, ·)."""

    recurrent_transposed: Any
    """(·, ·): W_hᵀ."""
    class_output_transposed: Any
    """(H, K): W_cᵀ."""


def allocate(
    capacity: Capacity,
    classes: Classes,
    dtype: DTypeLike,
    *,
    dropout: bool = False,
    goes_through: bool = False,
) -> Workspace:
    """Allocate a workspace of that capacity for batches, with reals of that dtype.

    `dropout` says whether states are left out before the output layer, and `goes_through` whether
    gradients go back through the updates of the document vector.
    """
    sizes, sentences, steps, _ = capacity
    v, m, k, d = sizes[:4]
    tokens, candidates = steps * sentences, capacity.candidates * sentences
    sections = -(-sentences // SECTION)
    output, every = sizes.output, shapes(sizes)
    width, recurrent = every.embeddings[1], every.recurrent
    cell = KERNEL_CELLS[sizes.cell]
    memory = m if cell.HAS_MEMORY else 0
    of_through = (tokens, sentences, candidates) if goes_through else (0, 0, 0)

    def reals(*shape: int) -> Any:
        return np.zeros(shape, dtype)

    class_scores, word_scores = reals(tokens, k), reals(candidates)
    hidden, hidden_deltas = reals(tokens, output), reals(tokens, width)
    return Workspace(
        sorted_lanes=_integers(sentences),
        lanes=_integers(sentences),
        laid_out=_integers(2),
        first_lanes=_integers(sections + 1),
        steps=_integers(sections),
        first_rows=np.zeros((sections, steps + 1), np.int64),
        places=_integers(tokens),
        inputs=_integers(tokens),
        targets=_integers(tokens),
        class_starts=_integers(k + 1),
        rows_by_class=_integers(tokens),
        first_places=_integers(k),
        places_by_class=_integers(tokens),
        first_candidates=_integers(tokens),
        first_row_of=np.full(v, -1, np.int64),
        next_rows=_integers(tokens),
        hidden_before=reals(sentences, output),
        memory_before=reals(sentences, memory),
        hidden_inputs=reals(sentences, recurrent[0]),
        of_cell=cell.allocate(sizes, tokens, sentences, dtype),
        memory=reals(tokens, memory),
        hidden=hidden,
        output_inputs=reals(tokens, output) if dropout else hidden,
        previous_hidden=reals(tokens, output),
        grouped_hidden=reals(tokens, output),
        class_scores=class_scores,
        word_scores=word_scores,
        documents=reals(tokens, d),
        grouped_documents=reals(tokens, d),
        document=reals(sentences, d),
        log_probabilities=np.zeros(tokens),
        class_deltas=class_scores,
        word_deltas=word_scores,
        hidden_gradient=reals(tokens, output),
        grouped_hidden_gradient=reals(tokens, output),
        hidden_deltas=hidden_deltas,
        recurrent_deltas=(
            reals(tokens, recurrent[0]) if cell.HAS_DELTAS_OF_PRODUCTS else hidden_deltas
        ),
        step_deltas=reals(sentences, m),
        document_gradient=reals(sentences, d),
        through=through.allocate(*of_through, (k, d, _largest(classes)), dtype),
        gradients=_gradients(sizes, sections, _largest(classes), dtype),
        recurrent_transposed=reals(*recurrent[::-1]),
        class_output_transposed=reals(output, k),
    )


def for_members(workspace: Workspace, number: int) -> list[Workspace]:
    """Return the workspace of each member of a team of that size.

    Each has memory of its own for what it computes of one class, section or part of a matrix. The
    first has that of the workspace itself.
    """
    return [workspace, *(_with_own_memory(workspace) for _ in range(number - 1))]


def _with_own_memory(workspace: Workspace) -> Workspace:
    products = np.empty_like(workspace.through.products)
    own = ("embeddings", "word_output", "word_document")
    gradients = {name: np.empty_like(getattr(workspace.gradients, name)) for name in own}
    return workspace._replace(
        first_places=np.empty_like(workspace.first_places),
        through=workspace.through._replace(products=products),
        gradients=workspace.gradients._replace(**gradients),
    )


def _integers(size: int) -> Integers:
    return np.zeros(size, np.int64)


def _largest(classes: Classes) -> int:
    """L, the number of words of the largest class."""
    return int(np.diff(classes.offsets).max())


def _gradients(sizes: Sizes, sections: int, largest: int, dtype: DTypeLike) -> Parameters:
    """Allocate `Workspace.gradients`."""
    every = Parameters(*((sections, *shape) for shape in shapes(sizes)))
    rows = every._replace(
        embeddings=every.embeddings[2:],
        word_output=(largest, sizes.output),
        word_document=(sizes.output_document * largest,),
    )
    return Parameters(*(np.zeros(shape, dtype) for shape in rows))
