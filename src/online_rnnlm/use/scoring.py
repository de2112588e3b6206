"""A network that scores text: in which way, and part by part.

The methods of a trained model, the command line, the audit and MLflow all score by a `TextScorer`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from online_rnnlm.core.lanes import SENTENCES_A_CALL
from online_rnnlm.core.way import Way
from online_rnnlm.errors import UserError
from online_rnnlm.use.model_file import Contents
from online_rnnlm.use.network import LoadedNetwork
from online_rnnlm.use.options import Options, way_for
from online_rnnlm.use.scored import ScoredPart, in_parts
from online_rnnlm.use.text import Layout, Preparation, Sentence, sentences_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextScorer:
    """A network, and the preparation of its text; every call begins with the trained weights."""

    network: LoadedNetwork
    preparation: Preparation

    @classmethod
    def of(cls, contents: Contents) -> TextScorer:
        """Make the scorer of a model."""
        about = contents.description
        return cls(
            LoadedNetwork(about.settings, contents.corpus, contents.weights),
            Preparation(about.preparation, contents.splitter),
        )

    def way(self, **options: Any) -> Way:
        """Return the way to score that options mean; they are those of `WayOptions`.

        Raises UserError for wrong ones.
        """
        return way_for(self.network.settings, options)

    def require_vector(self, way: Way) -> None:
        """Raise UserError unless the document vector learns when a text is scored so."""
        if not self.network.vector_learns(way):
            raise UserError(
                "the document vector stays 0 with these `updates`"
                if self.network.settings.document_size
                else "the model has no document vector: its `document_size` is 0"
            )

    def score_texts(
        self, texts: Iterable[str], options: Options, *, needs_vector: bool = False
    ) -> Iterator[ScoredPart]:
        """Score a list of texts, which are separate unless an option joins them.

        Raises UserError for what is no list of texts, for wrong options and, if a vector is needed,
        unless it learns.
        """
        # A mapping or a frame of pandas would give the names of its columns.
        is_list = isinstance(texts, Iterable) and not isinstance(texts, str | Mapping)
        if not is_list or hasattr(texts, "columns"):
            raise UserError(
                f"a list of texts is needed, not a {type(texts).__name__}: put a single text into "
                "a list; of a table, give one column"
            )
        given: dict[str, Any] = {**options}
        tokenised = bool(given.pop("tokenised", False))
        running = bool(given.pop("running", False))
        if running and (tokenised or self.preparation.rules.tokenised):
            raise UserError("`running`: tokenised text has a sentence a line and is not divided")
        layout: Layout = "tokenised" if tokenised else "running" if running else "lines"
        way = self.way(**given)
        if needs_vector:
            self.require_vector(way)
        separate = running or way.unit_of_text in (None, "sentence")
        sentences = sentences_of(texts, self.preparation, layout, separate=separate)
        return self.score_parts(sentences, self._of_separate_texts(way))

    def _of_separate_texts(self, way: Way) -> Way:
        """Return a way in which nothing lives on from one text of a list to the next.

        Where the unit of text is to be that of training, and that is a stream, each text is a
        document. Raises UserError if the vector would then live on within it, other than in
        training.
        """
        settings = self.network.settings
        if way.unit_of_text is not None or settings.unit_of_text != "stream":
            return way
        if settings.document_size and settings.carry == "state":
            raise UserError(
                "`unit_of_text`: a model that was trained with `carry: state` on a stream "
                "needs one, such as `stream`: a list of texts is several streams"
            )
        return replace(way, unit_of_text="document")

    def score_parts(
        self, sentences: Iterable[Sentence], way: Way, *, size: int = SENTENCES_A_CALL
    ) -> Iterator[ScoredPart]:
        """Score sentences in parts of about `size`, of which one is in memory at a time.

        A stream is one part. Raises UserError if the model diverges.
        """
        first = 0
        # With other steps than those of training, learning can ruin the model.
        may_be_ruined = way.groups or way.vector_rate is not None or way.after != 1
        log_frequencies = self.network.log_frequencies() if may_be_ruined else None
        gain = 0.0  # of log P over that by the words' frequencies
        for part in in_parts(sentences, self.network.unit_of(way), size):
            numbers = [n for n, sentence in enumerate(part, first) if sentence.words]
            texts = [sentence for sentence in part if sentence.words]
            split = self.network.encode(
                [text.words for text in texts], [text.document for text in texts]
            )
            scores = self.network.score(split, way, numbers)
            if log_frequencies is not None:
                by_frequency = log_frequencies[split.stream[1:]]
                gain += float((scores.log_probabilities - by_frequency).sum())
            unknown = np.equal(split.stream[1:], self.network.corpus.unk_id)
            yield ScoredPart(
                first, part, unknown, scores.log_probabilities, scores.document_vectors
            )
            first += len(part)
        if gain < 0:
            logger.warning(
                "learning ruins the model: the text is less likely than by the frequencies of its "
                "words: a smaller `learning_rate` is needed, or `learn_after: word`"
            )
