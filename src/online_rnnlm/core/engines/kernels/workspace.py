"""Memory for the kernels' intermediate results, allocated once. Every name has one meaning.

Scores are not needed once their deltas are known, and each delta replaces its score: `class_deltas`
is the same memory as `class_scores`, and `word_deltas` as `word_scores`. With memory of their own,
training took 3 to 5 % longer on a processor that has 512 KiB of cache for each core.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from online_rnnlm.core.engines.kernels.cells import KERNEL_CELLS
from online_rnnlm.core.engines.kernels.data import (
    Classes,
    Integers,
    Shape,
    Text,
    arrays_for,
    integers,
    reals,
)
from online_rnnlm.core.engines.kernels.layout import SECTION, measure
from online_rnnlm.core.parameters import Parameters, shapes
from online_rnnlm.core.sizes import Sizes


class Workspace(NamedTuple):
    """Memory for batches of up to B sentences, T time steps, N = B T tokens and C candidate words.

    Rows are a batch's words, in the order of `layout` unless stated otherwise; a batch has up to S
    sections. V, M, K and D are the model's sizes, L the number of words of the largest class, and E
    the width of a row of E. All members of a team share the memory, but for what `for_members`
    copies.
    """

    of_cell: Any
    """Arrays that only one kind of cell needs: `Scratch` of its module in `cells`."""
    gradients: Parameters
    """Gradients of the weights. E: that of one word. W_o: memory for that of W_o or V_o of the
    words of one class. V_oᵀ: none. The others: the share of each section, (S, ·, ·)."""

    sorted_lanes: Integers = integers("B")
    """The lanes of the batch's segments, those of the longest first."""
    lanes: Integers = integers("B")
    """The same, section after section: the order of all that belongs to segments."""
    laid_out: Integers = integers("2")
    """The batch's numbers of sections and of tokens."""
    first_lanes: Integers = integers("S + 1")
    """Each section's first place in `lanes`."""
    steps: Integers = integers("S")
    """Each section's number of time steps."""
    first_rows: Integers = integers("S", "T + 1")
    """The first row of each section's time steps."""
    places: Integers = integers("N")
    """Places of the previous words in the text's stream."""
    inputs: Integers = integers("N")
    """Previous words."""
    targets: Integers = integers("N")
    """Words to predict."""
    class_starts: Integers = integers("K + 1")
    """Each class's first place in `rows_by_class`."""
    rows_by_class: Integers = integers("N")
    """Rows in the order of their targets' classes."""
    places_by_class: Integers = integers("N")
    """Each row's place in `rows_by_class`."""
    first_candidates: Integers = integers("N")
    """Index at which a row's `word_scores` and `word_deltas` begin."""
    first_row_of: Integers = integers("V")
    """The first row with that previous word; -1 if there is none, or if the word is done."""
    next_rows: Integers = integers("N")
    """The next row with the same previous word; -1 after the last."""

    hidden_before: Any = reals("B", "M")
    """`hidden` before the first words."""
    memory_before: Any = reals("B", "memory")
    """`memory` before the first words."""
    hidden_inputs: Any = reals("B", "E")
    """Inputs of the hidden units at one time step."""
    memory: Any = reals("N", "memory")
    """c, the memory of an LSTM; other cells have none."""
    hidden: Any = reals("N", "M")
    """h."""
    output_inputs: Any = reals("N", "M")
    """`hidden` after dropout, which feeds the output layer; the same memory without."""
    previous_hidden: Any = reals("N", "M")
    """The factors of the recurrent matrix, h of the word before; 0 for first words without one."""
    grouped_hidden: Any = reals("N", "M")
    """`output_inputs` in the order of `rows_by_class`; unset for words alone in their class."""
    class_scores: Any = reals("N", "K")
    """Inputs of the softmax over classes."""
    word_scores: Any = reals("C")
    """Inputs of the softmax over a class's words, row after row."""
    documents: Any = reals("N", "D")
    """d before every word."""
    grouped_documents: Any = reals("N", "D")
    """d before every word, in the order of `rows_by_class`."""
    document: Any = reals("B", "D")
    """The current d of every sentence."""
    waiting: Integers = integers("B")
    """The number of words since the last step of every sentence's d."""
    log_probabilities: NDArray[np.float64] = Shape(("N",), np.float64)  # type: ignore[assignment]
    """log P of every target."""

    class_deltas: Any = reals("0", "K")
    """δ_c: `class_scores`."""
    word_deltas: Any = reals("0")
    """δ_w, row after row: `word_scores`."""
    hidden_gradient: Any = reals("N", "M")
    """∂L/∂h, as far as it has been added up."""
    grouped_hidden_gradient: Any = reals("N", "M")
    """W_o[c]ᵀ δ_w in the order of `rows_by_class`."""
    hidden_deltas: Any = reals("N", "E")
    """δ_h, the deltas of the rows of E and of the products with W_h."""
    document_gradient: Any = reals("B", "D")
    """∂L_t/∂d_t of every sentence, summed over the words since the last step of d."""

    recurrent_transposed: Any = reals("M", "E")
    """W_hᵀ."""
    class_output_transposed: Any = reals("M", "K")
    """W_cᵀ."""
    class_document_transposed: Any = reals("K", "D")
    """V_c."""
    word_output_transposed: Any = reals("V", "M or 0")
    """W_o[c]ᵀ of every class that has occurred, in the place of W_o[c]; empty unless `by_rows`."""
    is_transposed: Integers = integers("K")
    """1 for each class that has occurred, else 0; all are 0 unless `by_rows`."""
    by_rows: bool = False
    """True for testing with fixed weights: no segment changes the bits of another (`rows`)."""


def allocate(
    sizes: Sizes,
    text: Text,
    classes: Classes,
    sentences: Integers,
    batch_sentences: int,
    dtype: DTypeLike,
    *,
    more_steps: int = 0,
    by_rows: bool = False,
    dropout: bool = False,
) -> Workspace:
    """Allocate a workspace for any batch of up to B of these sentences (S,), with reals of a dtype.

    A batch may hold one sentence several times, so a full batch of the largest is assumed.
    `more_steps` are added to the longest. `by_rows` is that of `Workspace`. `dropout` says whether
    states are left out before the output layer.
    """
    steps, candidates = measure(text, classes, sentences)
    steps += more_steps
    tokens, candidates = steps * batch_sentences, candidates * batch_sentences
    sections, largest = -(-batch_sentences // SECTION), int(np.diff(classes.offsets).max())
    every, cell = shapes(sizes), KERNEL_CELLS[sizes.cell]
    v, m, k, d = sizes[:4]
    of = {"0": 0, "2": 2, "V": v, "M": m, "K": k, "D": d, "K + 1": k + 1}
    of |= {"B": batch_sentences, "N": tokens, "C": candidates, "S": sections, "S + 1": sections + 1}
    of |= {"T + 1": steps + 1, "E": every.embeddings[1]}
    of |= {"memory": m * cell.HAS_MEMORY, "M or 0": m * by_rows}
    gradients = Parameters(*((sections, *shape) for shape in every))._replace(
        embeddings=every.embeddings[1:],
        word_output=(largest * max(m, d),),
        word_document=(0,),
    )
    space = Workspace(
        of_cell=cell.Scratch(**arrays_for(cell.Scratch, of, dtype)),
        gradients=Parameters(*(np.zeros(shape, dtype) for shape in gradients)),
        **arrays_for(Workspace, of, dtype),
    )
    space.first_row_of[:] = -1
    return space._replace(
        by_rows=by_rows,
        output_inputs=space.output_inputs if dropout else space.hidden,
        class_deltas=space.class_scores,
        word_deltas=space.word_scores,
    )


def for_members(workspace: Workspace, number: int) -> list[Workspace]:
    """Return the workspace of each member of a team of that size.

    Each has memory of its own for the gradients of a word's row of E and of a class's words. The
    first has that of the workspace itself.
    """
    found = [workspace]
    for _ in range(number - 1):
        names = ("embeddings", "word_output")
        own = {name: np.empty_like(getattr(workspace.gradients, name)) for name in names}
        gradients = workspace.gradients._replace(**own)
        found.append(workspace._replace(gradients=gradients))
    return found
