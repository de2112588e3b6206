"""The model's sizes."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """The sizes that decide every parameter's shape."""

    vocabulary: int
    """V, words."""
    hidden: int
    """M, hidden units."""
    classes: int
    """K, word classes."""
    document: int
    """D, length of the document vector; 0 is the static baseline."""
    document_layer: str = "output"
    """What d feeds: `output`, `hidden` or `both`; `output` if there is none."""

    @property
    def output_document(self) -> int:
        """Elements of d that the output layer sees: D or 0."""
        return self.document if self.document_layer != "hidden" else 0

    @property
    def hidden_document(self) -> int:
        """Elements of d that the hidden layer sees: D or 0."""
        return self.document if self.document_layer != "output" else 0
