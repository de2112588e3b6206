"""The model's sizes, and the shapes that follow from them; planning asks for them without numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from online_rnnlm.core.cells import load_cell

if TYPE_CHECKING:
    from online_rnnlm.core.settings import NetworkSettings


class Sizes(NamedTuple):
    """The sizes that determine every parameter's shape."""

    vocabulary: int
    """V, words."""
    hidden: int
    """M, hidden units."""
    classes: int
    """K, word classes."""
    document: int
    """D, length of the document vector; 0 for a static network."""
    cell: str = "sigmoid"
    """Name of the hidden layer's kind, a module of `cells`."""
    context: int = 0
    """C, slow context units; 0 in other cells than `slow_context`."""

    @classmethod
    def of(cls, network: NetworkSettings, vocabulary: int, classes: int) -> Sizes:
        """Return the sizes of a network, given the numbers of words and of word classes."""
        return cls(
            vocabulary=vocabulary,
            hidden=network.hidden_size,
            classes=classes,
            document=network.document_size,
            cell=network.cell,
            context=network.context_units,
        )

    @property
    def output(self) -> int:
        """Number of values that the output layer reads beside the document vector, M + C."""
        return self.hidden + self.context

    def without_document(self) -> Sizes:
        """The sizes of the same model with D = 0."""
        return self._replace(document=0)


def shapes_by_name(sizes: Sizes) -> dict[str, tuple[int, int]]:
    """The shape of every parameter, by its name."""
    output = {
        "class_output": (sizes.classes, sizes.output),
        "word_output": (sizes.vocabulary, sizes.output),
        "class_document": (sizes.document, sizes.classes),
        "word_document": (sizes.document, sizes.vocabulary),
    }
    return {**output, **load_cell(sizes.cell).shapes(sizes)}


def count(sizes: Sizes) -> int:
    """Number of trained values; the document vectors are not counted."""
    return sum(rows * columns for rows, columns in shapes_by_name(sizes).values())
