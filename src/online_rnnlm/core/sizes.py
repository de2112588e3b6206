"""The model's sizes, and the shapes that follow from them; planning asks for them without numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from online_rnnlm.core.cells import load_cell

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.core.text import Text


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


def context_units(settings: RunSettings) -> int:
    """Number of slow context units; 0 in cells without them."""
    return settings.context_size if settings.cell == "slow_context" else 0


def sizes_of_run(settings: RunSettings, vocabulary: int, classes: int) -> Sizes:
    """The sizes of a run's model, given the numbers of the corpus's words and word classes."""
    return Sizes(
        vocabulary=vocabulary,
        hidden=settings.hidden_size,
        classes=classes,
        document=settings.document_size,
        cell=settings.cell,
        context=context_units(settings),
    )


def sizes_for(settings: RunSettings, text: Text) -> Sizes:
    """The sizes of a run's model on a corpus."""
    return sizes_of_run(settings, text.vocabulary_size, text.classes)


def goes_through_updates(settings: RunSettings) -> bool:
    """True if the gradients of the weights go back through the updates of a document vector."""
    return settings.document_size > 0 and settings.document_gradient == "through"
