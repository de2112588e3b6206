"""The cells: kinds of hidden layers, each a module of this package, loaded when a run names it.

A cell turns its states after one word into its states after the next word. The first of them is
h, which the output layer reads. `Cell` says what a cell's module has. Adding a cell costs that
module and its name in `config/training.py`.

The original Theano loads cells, too (`cross_check`): they keep to Python 3.8, numpy and PyTensor.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from online_rnnlm.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from online_rnnlm.model.parameters import Parameters
    from online_rnnlm.model.sizes import Sizes


class Cell(Protocol):
    """The hidden layer. Its parameters are matrices, and a bias is one with a single row.

    A job's requests are planned with the shapes and the cost: `step` alone may import PyTensor.
    """

    @property
    def GROUPS(self) -> Mapping[str, tuple[str, ...]]:
        """The names of its parameters, by the group with which they learn during testing.

        `embeddings`: what has a row for every previous word; `recurrent`: everything else.
        """

    def shapes(self, sizes: Sizes) -> dict[str, tuple[int, int]]:
        """The shape of each of its parameters.

        Every cell has `embeddings` (V, N), `recurrent` (any shape) and `hidden_document` (D, N),
        or (0, N) if d does not feed the hidden layer, with an N of its own.
        """

    def states(self, weights: Parameters) -> tuple[Any, ...]:
        """The length of each state, read off the weights: arrays or symbols. That of h is M."""

    def step(
        self,
        weights: Parameters,
        words: Any,
        states: tuple[Any, ...],
        from_document: Any,
        bounded: Callable[[Any], Any],
    ) -> tuple[Any, ...]:
        """The states after a word, from those before it; symbolic, with a row for each sentence.

        `words` (B,): ids of the previous words. `from_document` (B, N): d V_hᵀ. `bounded`: bounds
        the error that is propagated back through its argument, the input of a hidden unit.
        """

    def multiply_adds(self, sizes: Sizes) -> int:
        """Multiply-adds of one step: the products with its weights, `hidden_document`'s too."""


def cell_module(name: str) -> str:
    """The module, below the package, of a cell: `model.cells.sigmoid`."""
    return f"model.cells.{name}"


def load_cell(name: str) -> Cell:
    """The cell of that name; raises UserError if there is none."""
    module = f"{__name__}.{name}"
    try:
        return cast("Cell", import_module(module))
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        known = ", ".join(found.name for found in pkgutil.iter_modules(__path__))
        raise UserError(f"`cell: {name}`: no such cell; allowed: {known}") from None
