"""The cells: kinds of hidden layers, each a module of this package, loaded when a run names it.

A cell computes its state after the next word from its state after the word before. The state is h,
which feeds the output layer, and a memory beside it, such as an LSTM's c, which may have no
elements; `slow_context` has further units beside h in h. `Cell` describes the contents of a cell's
module. A new cell takes such a module and its name in `config/training.py`.

The package's own cells have no bias: a word's row of E takes its place.

Cells keep to Python 3.8, numpy and PyTensor, as the original Theano loads them, too
(`engines.theano_engine`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from online_rnnlm.core.graph import Model
    from online_rnnlm.core.parameters import Parameters
    from online_rnnlm.core.sizes import Sizes


class Words(NamedTuple):
    """The previous words of B sentences, symbolic."""

    ids: Any
    """Their ids, (B,)."""
    embedded: Any
    """Their rows of E after dropout, (B, N)."""


class Cell(Protocol):
    """The hidden layer. All its parameters are matrices; a bias is a matrix with a single row.

    The shapes serve to plan jobs, so only `step` may import numpy and PyTensor.
    """

    def shapes(self, sizes: Sizes) -> dict[str, tuple[int, int]]:
        """The shapes of its two parameters: `embeddings` (V, N) and `recurrent`.

        N is the cell's own number, and so is the shape of `recurrent`, which holds all weights that
        are multiplied at every step.
        """

    def memory_size(self, weights: Parameters) -> Any:
        """The length of the memory, read from the weights (arrays or symbols)."""

    def step(
        self,
        weights: Parameters,
        words: Words,
        hidden: Any,
        memory: Any,
        model: Model,
    ) -> tuple[Any, Any]:
        """h and the memory after a word, from those before it; symbolic, a row for each sentence.

        h has the width of what feeds the output layer, `Sizes.output`.

        `model.bounded` is to be applied to the inputs of the hidden units and gates: it bounds the
        deltas propagated back through them.
        """


def load_cell(name: str) -> Cell:
    """Load the cell of that name."""
    return cast("Cell", import_module(f"{__name__}.{name}"))
