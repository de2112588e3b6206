"""The model's sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from online_rnnlm.config.training import RunSettings
    from online_rnnlm.corpora.corpus import Corpus


class Sizes(NamedTuple):
    """The sizes that determine every parameter's shape."""

    vocabulary: int
    """V, words."""
    hidden: int
    """M, hidden units."""
    classes: int
    """K, word classes."""
    document: int
    """D, length of the document vector; 0 for the static baseline."""
    document_layer: str = "output"
    """The layer that d feeds: `output`, `hidden` or `both`; `output` if D is 0."""
    cell: str = "sigmoid"
    """Name of the hidden layer's kind, a module of `cells`."""
    context: int = 0
    """C, slow context units; only the cell `slow_context` has any."""

    @property
    def output(self) -> int:
        """Number of elements of the state that feeds the output layer: M + C."""
        return self.hidden + self.context

    @property
    def output_document(self) -> int:
        """Number of elements of d that feed the output layer: D or 0."""
        return self.document if self.document_layer != "hidden" else 0

    @property
    def hidden_document(self) -> int:
        """Number of elements of d that feed the hidden layer: D or 0."""
        return self.document if self.document_layer != "output" else 0

    def without_document(self) -> Sizes:
        """The sizes of the same model with D = 0."""
        return self._replace(document=0, document_layer="output")


def sizes_of_run(settings: RunSettings, vocabulary: int, classes: int) -> Sizes:
    """The sizes of a run's model, given the numbers of the corpus's words and word classes."""
    layer = settings.document_layer if settings.document_size else "output"
    return Sizes(
        vocabulary,
        settings.hidden_size,
        classes,
        settings.document_size,
        layer,
        settings.cell_name,
        settings.context_size,
    )


def sizes_for(settings: RunSettings, corpus: Corpus) -> Sizes:
    """The sizes of a run's model on a corpus."""
    return sizes_of_run(settings, corpus.vocabulary_size, corpus.classes)
