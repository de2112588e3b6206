"""A network that scores text with an adaptation, part by part, and the parts that it has scored.

The methods of a trained model, the command line, the audit and MLflow all score by a `TextScorer`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.adaptation import NONE, Adaptation
from online_rnnlm.core.order import SENTENCES_A_PART, parts_of_documents
from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.core.text import sum_by_sentence
from online_rnnlm.corpora.textfiles import SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.use.model_file import Contents
from online_rnnlm.use.network import LoadedNetwork
from online_rnnlm.use.options import Options, adaptation_for, checked
from online_rnnlm.use.text import Preparation, Sentence, layout_of, sentences_of

if TYPE_CHECKING:  # pandas takes long to load.
    import pandas as pd

logger = logging.getLogger(__name__)
SUMMED = ["tokens", "unknown", "log_probability", "unknown_log_probability"]
"""The columns of sentences that are added up over a text."""


@dataclass(frozen=True)
class ScoredPart:
    """Some sentences, one after the other, and their scores."""

    first: int
    """Number of sentences before these."""
    sentences: list[Sentence]
    unknown: NDArray[np.bool_]
    """(tokens,): True for every word that is not in the vocabulary; an end is always known."""
    log_probabilities: NDArray[np.float64]
    """(tokens,): natural log P of every word, and of `</s>` after every sentence."""
    vectors: NDArray[np.floating]
    """(sentences with words, D): the document vector after their ends."""

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(S,): the number of tokens of each sentence, 0 for an empty text."""
        lengths = [len(words) + 1 if words else 0 for words, _ in self.sentences]
        return np.array(lengths, np.int64)

    @property
    def document_vectors(self) -> NDArray[np.floating]:
        """(S, D): the document vector after every sentence's end, `</s>`; 0 for an empty text."""
        spread = np.zeros((len(self.sentences), self.vectors.shape[1]), self.vectors.dtype)
        spread[self.lengths > 0] = self.vectors
        return spread

    @property
    def starts(self) -> NDArray[np.int64]:
        """(S,): the place of each sentence's first token."""
        return np.asarray(np.cumsum(self.lengths) - self.lengths)

    @property
    def by_sentence(self) -> list[NDArray[np.float64]]:
        """The log-probabilities of each sentence's words, `</s>` last."""
        return np.split(self.log_probabilities, self.starts[1:])

    @property
    def marked_texts(self) -> list[str]:
        """The sentences' texts, with brackets around the words that are not in the vocabulary."""
        flags = np.split(self.unknown, self.starts[1:])
        return [
            " ".join(marked(words, unknown))
            for (words, _), unknown in zip(self.sentences, flags, strict=True)
        ]

    def rows_of_words(self) -> pd.DataFrame:
        """Make a row for every word."""
        import pandas as pd  # noqa: PLC0415

        starts = np.repeat(self.starts, self.lengths)
        texts = [sentence.words for sentence in self.sentences if sentence.words]
        words = [word for text in texts for word in (*text, SENTENCE_END)]
        columns = {
            **{name: np.repeat(values, self.lengths) for name, values in self._numbers.items()},
            "position": np.arange(len(starts)) - starts,
            "word": pd.Series(words, dtype="str"),
            "known": ~self.unknown,
            "log_probability": self.log_probabilities,
        }
        return pd.DataFrame(columns)

    def rows_of_sentences(self) -> pd.DataFrame:
        """Make a row for every sentence."""
        import pandas as pd  # noqa: PLC0415

        sums = sum_by_sentence(self.log_probabilities, self.lengths)
        log_of_unknown = np.where(self.unknown, self.log_probabilities, 0.0)
        with np.errstate(invalid="ignore"):
            perplexity = np.exp(-sums / self.lengths)
        columns = {
            **self._numbers,
            "tokens": self.lengths,
            "unknown": sum_by_sentence(self.unknown, self.lengths, np.int64),
            "log_probability": sums,
            "unknown_log_probability": sum_by_sentence(log_of_unknown, self.lengths),
            "perplexity": perplexity,
            "text": pd.Series([" ".join(words) for words, _ in self.sentences], dtype="str"),
        }
        return pd.DataFrame(columns)

    @property
    def _numbers(self) -> dict[str, NDArray[np.int64]]:
        """The number of each sentence's document, and its own, by the names of their columns."""
        documents = np.array([sentence.document for sentence in self.sentences], np.int64)
        return {"document": documents, "sentence": np.arange(len(documents)) + self.first}


def total(tables: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Add up tables that have the columns `SUMMED` of a text's sentences; some have words.

    Returns `sentences`, their number without empty ones, the sums of the columns but the last,
    `perplexity`, `perplexity_without_unknown`, and `oov_rate`, the share of the words, ends not
    counted, that are not in the vocabulary. They are those of the project's own evaluations.
    """
    import pandas as pd  # noqa: PLC0415

    table = pd.concat(tables)
    table = table[table["tokens"] > 0]  # empty texts would change how sums are rounded
    tokens, unknown, log, log_of_unknown = (np.array(table[name]).sum().item() for name in SUMMED)
    return {
        "sentences": len(table),
        "tokens": tokens,
        "unknown": unknown,
        "log_probability": log,
        "perplexity": math.exp(-log / tokens),
        "perplexity_without_unknown": math.exp((log_of_unknown - log) / (tokens - unknown)),
        "oov_rate": unknown / (tokens - len(table)),
    }


def marked(words: Iterable[str], unknown: Iterable[bool]) -> list[str]:
    """Return words, with brackets around those that are not in the vocabulary."""
    pairs = zip(words, unknown, strict=False)  # the end of a sentence can have a flag, but no word
    return [f"[{word}]" if is_unknown else word for word, is_unknown in pairs]


def in_parts(
    sentences: Iterable[Sentence], unit: UnitOfText, size: int = SENTENCES_A_PART
) -> Iterator[list[Sentence]]:
    """Cut a text into parts of about `size` sentences; a stream is one part.

    Documents that are units of text stay whole, as in the evaluations.
    """
    if unit == "document":
        return parts_of_documents(sentences, lambda sentence: sentence.document, size)
    left = iter(sentences)
    number = size if unit == "sentence" else None
    return iter(lambda: list(islice(left, number)), [])


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

    def adaptation(self, *, frozen: bool = False, **options: Any) -> Adaptation:
        """Return the adaptation that these options mean; they are those of `AdaptationOptions`.

        If `frozen`, nothing is updated. Raises UserError for wrong ones.
        """
        return adaptation_for(
            self.network.settings, options | ({"updates": NONE} if frozen else {})
        )

    def score_texts(
        self, texts: Iterable[str], options: Options, *, needs_vector: bool = False
    ) -> Iterator[ScoredPart]:
        """Score a list of texts, which are separate unless an option joins them.

        Raises UserError for what is no list of texts, for wrong options and, if a vector is needed,
        unless it learns.
        """
        settings = self.network.settings
        # A mapping or a frame of pandas would give the names of its columns.
        is_list = isinstance(texts, Iterable) and not isinstance(texts, str | Mapping)
        if not is_list or hasattr(texts, "columns"):
            raise UserError(
                f"a list of texts is needed, not a {type(texts).__name__}: put a single text into "
                "a list; of a table, give one column"
            )
        given = checked(options, Options)
        tokenised = given.pop("tokenised", False)
        running = given.pop("running", False)
        if running and (tokenised or self.preparation.rules.tokenised):
            raise UserError("`running`: tokenised text has a sentence a line and is not divided")
        layout = layout_of(tokenised=tokenised, running=running)
        adaptation = adaptation_for(settings, given)
        if needs_vector and not settings.document_size:
            raise UserError("the model has no document vector: its `document_size` is 0")
        if needs_vector and not adaptation.updates_vector:
            raise UserError("the document vector does not learn, so it stays 0")
        separate = running or adaptation.unit_of_text in (None, "sentence")
        sentences = sentences_of(texts, self.preparation, layout, separate=separate)
        if adaptation.unit_of_text is None and settings.unit_of_text == "stream":
            # The texts of a list are separate: each is a document.
            adaptation = replace(adaptation, unit_of_text="document")
        return self.score_parts(sentences, adaptation)

    def score_parts(
        self, sentences: Iterable[Sentence], adaptation: Adaptation, *, size: int = SENTENCES_A_PART
    ) -> Iterator[ScoredPart]:
        """Score sentences in parts of about `size`, of which one is in memory at a time.

        A stream is one part. Raises UserError if the model diverges.
        """
        first = 0
        # With other steps than those of training, learning can ruin the model.
        may_be_ruined = (
            adaptation.weights or adaptation.vector_rate is not None or adaptation.after != 1
        )
        log_frequencies = self.network.log_frequencies() if may_be_ruined else None
        gain = 0.0  # of log P over that by the words' frequencies
        for part in in_parts(sentences, self.network.unit_of(adaptation), size):
            numbers = [n for n, sentence in enumerate(part, first) if sentence.words]
            texts = [sentence for sentence in part if sentence.words]
            split = self.network.encode(
                [text.words for text in texts], [text.document for text in texts]
            )
            scores = self.network.score(split, adaptation, numbers)
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
