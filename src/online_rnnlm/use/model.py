"""A trained model: the object that `online_rnnlm.load` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, final_evaluation
from online_rnnlm.config.messages import WrongValue, first_message, key_of, refuse_unknown_keys
from online_rnnlm.config.testing import USUAL_STEPS, CacheName, LearnAfter, UnitOfText
from online_rnnlm.corpora.words import check_text
from online_rnnlm.engines.lanes import SENTENCES_A_CALL
from online_rnnlm.errors import UserError, WrongInputError, as_wrong_input
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage.records import ModelDescription, SentenceSplitter
from online_rnnlm.use.caching import cache_settings
from online_rnnlm.use.columns import frame_of, joined
from online_rnnlm.use.model_file import Contents
from online_rnnlm.use.network import Network, Request, first_diverged, learning_parts
from online_rnnlm.use.sampling import SamplingSettings, sample
from online_rnnlm.use.scored import ScoredPart, in_parts
from online_rnnlm.use.text import Preparation, Sentence, sentences_of

if TYPE_CHECKING:
    import pandas as pd


class Learning(TypedDict, total=False):
    """Options of what learns from a text: the ways to score of the project's evaluations."""

    updates: str | None
    """The parts that learn: `none`, `document_vector`, `all`, or names joined by `+`.

    By default, the vector does if the model has one.
    """
    unit_of_text: UnitOfText | None
    """The stretch of text after which all that was learnt is forgotten.

    `sentence`, `document` (an empty string ends one) or `stream` (the whole text); by default it is
    the unit of training.
    """
    learn_after: LearnAfter
    """The stretch of text after which weights take a step: `word` (the default) or `sentence`."""
    learning_rate: float | None
    """Rate of the weights, needed if they learn; if only the vector learns, the vector's."""
    steps: int | None
    """Number of hidden states that a word's loss is propagated back through if weights learn; 5."""
    cache: CacheName | None
    """A cache of the words just read, mixed with a model in which nothing learns."""
    cache_window: int | None
    """Number of words in the cache."""
    cache_weight: float | None
    """The cache's share of the mixture, from 0 to below 1."""
    cache_theta: float | None
    """Sharpness of a neural cache: with 0 it is a unigram cache."""


class Way(Learning, total=False):
    """Options of how a text is read, and of what learns from it."""

    tokenised: bool
    """True if the texts are sentences of tokens with spaces between them."""
    running: bool
    """True if a text can have several sentences."""


class TrainedModel:
    """A trained language model: it scores text, follows it with its vector, and makes text.

    Every call begins with the trained weights. A text is raw unless it is said to be tokenised:
    it is prepared as the training text was. Log-probabilities are natural logarithms (nats); each
    sentence has one more than words, the last one for its end, `</s>`. A word that is not in the
    vocabulary is scored as `<unk>`.

    The options of the methods are those of `Way`.

    All methods raise UserError, in one line, for text and options that cannot be used.
    """

    def __init__(self, contents: Contents, splitter: Callable[[], SentenceSplitter | None]) -> None:
        self._parts = contents, splitter
        self.description: ModelDescription = contents.description
        """Says which run made the model, with which settings and from which text."""
        self.network = Network(contents.description.settings, contents.corpus, contents.weights)
        """The network, for text that is encoded already."""
        self.preparation = Preparation(contents.description.preparation, splitter)
        """The preparation of text."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and pickles be made of the model's contents, without compiled code."""
        return _restored, self._parts

    @property
    def words(self) -> list[str]:
        """A copy of the vocabulary, `</s>` and `<unk>` among it, by the words' numbers."""
        return list(self.network.corpus.words)

    def request(self, **learning: Unpack[Learning]) -> Request:
        """Return the way to score that options mean; wrong ones raise WrongInputError."""
        settings, updates = self.network.settings, learning.get("updates")
        unit_of_text, steps = learning.get("unit_of_text"), learning.get("steps")
        own = final_evaluation(settings.document_size)
        try:
            refuse_unknown_keys(learning, Learning.__annotations__)
            request = Request(
                updates=own if updates is None else updates,
                unit_of_text=settings.unit_of_text if unit_of_text is None else unit_of_text,
                learn_after=learning.get("learn_after", "word"),
                learning_rate=learning.get("learning_rate"),
                steps=USUAL_STEPS if steps is None else steps,
                cache=cache_settings(
                    learning.get("cache"),
                    window=learning.get("cache_window"),
                    weight=learning.get("cache_weight"),
                    theta=learning.get("cache_theta"),
                ),
            )
        except ValidationError as error:
            raise WrongInputError(first_message(error)) from None
        except WrongValue as error:
            raise WrongInputError(f"`{key_of(error.place)}`: {error}") from None
        with as_wrong_input():
            learning_parts(request, settings.document_size)
        if steps is not None and not request.weights_learn:
            raise WrongInputError("`steps`: no weights learn with these `updates`: leave it out")
        return request

    def score_parts(
        self, sentences: Iterable[Sentence], request: Request, *, size: int = SENTENCES_A_CALL
    ) -> Iterator[ScoredPart]:
        """Score sentences part by part, in constant memory.

        A text that is one unit, or that is scored beside a cache, is one part and kept in memory.
        Raises UserError if the model diverges.
        """
        read = 0
        for part in in_parts(sentences, request.read_at_once, size):
            split = self.network.encode((one.words for one in part), [one.document for one in part])
            scores = self.network.score(split, request)
            wrong = first_diverged(split, scores.log_probabilities)
            if wrong is not None:
                raise UserError(
                    f"sentence {read + wrong}: diverged: the weights give it no probability; if "
                    "something learns, a smaller learning rate is needed"
                )
            read += len(part)
            corpus = self.network.corpus
            yield ScoredPart(part, split, corpus, scores.log_probabilities, scores.document_vectors)

    def score(
        self,
        texts: Iterable[str],
        **way: Unpack[Way],
    ) -> pd.DataFrame:
        """Score sentences; returns a row for each.

        The columns are `document` and `sentence`, numbers from 0; `tokens`, the number of words and
        the end; `unknown`, the number of words that are not in the vocabulary; `log_probability` of
        all tokens (nats), and `unknown_log_probability`, the unknown words' share of it;
        `perplexity`; `text`, the words as the model reads them. With `running`, a text may have
        several sentences, and each is a row.
        """
        tables, read = [], 0
        for part in self._scored(texts, way):
            tables.append(part.table(read))
            read += len(part.sentences)
        return frame_of(joined(tables)) if tables else _empty_table(self)

    def log_probabilities(
        self,
        texts: Iterable[str],
        **way: Unpack[Way],
    ) -> list[NDArray[np.float64]]:
        """Return log P (nats) of every word of each sentence, float64 (words + 1,), `</s>` last."""
        return [logs for part in self._scored(texts, way) for logs in part.by_sentence]

    def document_vectors(self, texts: Iterable[str], **way: Unpack[Way]) -> NDArray[np.floating]:
        """Return the document vector after the last word of each sentence, (sentences, D).

        Its type is that of the weights. Raises UserError if the model has no vector, or if it does
        not learn.
        """
        self.require_vector(self.request(**_without_layout(way)))
        found = [part.document_vectors for part in self._scored(texts, way)]
        size, dtype = self.description.settings.document_size, self.description.settings.precision
        return np.concatenate(found) if found else np.zeros((0, size), dtype)

    def sample(
        self,
        number: int = 1,
        *,
        prefix: str = "",
        tokenised: bool = False,
        seed: int = 1,
        temperature: float = 1.0,
        top_k: int | None = None,
        max_words: int = 100,
        static: bool = False,
        unknown: bool = False,
    ) -> list[str]:
        """Make sentences, each a string of words with spaces between them.

        `prefix` are the words that each begins with, and `tokenised` says that spaces divide them;
        the other settings are those of `SamplingSettings`.
        """
        check_text(prefix, "`prefix`")
        _require_boolean("tokenised", tokenised)
        layout = self.preparation.layout(tokenised=tokenised)
        begin = [word for words in self.preparation.sentences(prefix, layout) for word in words]
        try:
            chosen = SamplingSettings(
                number=number,
                seed=seed,
                temperature=temperature,
                top_k=top_k,
                max_words=max_words,
                static=static,
                unknown=unknown,
            )
        except ValidationError as error:
            raise WrongInputError(first_message(error)) from None
        return [" ".join(words) for words in sample(self.network, begin, chosen)]

    def require_vector(self, request: Request) -> None:
        """Raise WrongInputError unless the document vector learns when a text is scored so."""
        size = self.description.settings.document_size
        if DOCUMENT_VECTOR not in learning_parts(request, size):
            raise WrongInputError(
                "the document vector stays 0 with these `updates`"
                if size
                else "the model has no document vector: its `document_size` is 0"
            )

    def _scored(self, texts: Iterable[str], way: Way) -> Iterator[ScoredPart]:
        if isinstance(texts, str):
            raise WrongInputError("a list of texts is needed, not a single one: put it into a list")
        if not isinstance(texts, Iterable) or getattr(texts, "ndim", 1) == 0:
            raise WrongInputError(f"a list of texts is needed, not {texts!r}")
        # A mapping or a frame of pandas would give the names of its columns.
        if isinstance(texts, Mapping) or hasattr(texts, "columns"):
            kind = type(texts).__name__
            raise WrongInputError(f"a list of texts is needed, not a {kind}: give one column of it")
        for name in ("running", "tokenised"):
            _require_boolean(name, way.get(name, False))
        layout = self.preparation.layout(
            running=way.get("running", False), tokenised=way.get("tokenised", False)
        )
        request = self.request(**_without_layout(way))
        return self.score_parts(sentences_of(texts, self.preparation, layout), request)


def _restored(contents: Contents, splitter: Callable[[], SentenceSplitter | None]) -> TrainedModel:
    """Make a copied or unpickled model."""
    prepare_process()  # This process may not have loaded numerical libraries yet.
    return TrainedModel(contents, splitter)


def _require_boolean(name: str, value: Any) -> None:
    """Raise WrongInputError unless an option is True or False: texts such as `no` are true."""
    if not isinstance(value, bool):
        raise WrongInputError(f"`{name}`: True or False is needed, not {value!r}")


def _without_layout(way: Way) -> Learning:
    """Return the options without those of the text's layout."""
    return cast("Learning", {k: v for k, v in way.items() if k not in ("running", "tokenised")})


def _empty_table(model: TrainedModel) -> pd.DataFrame:
    """Make the table of no sentences, with the columns and types of others."""
    network = model.network
    split = network.encode([["x"]], [0])
    sentence = Sentence(["x"], 0)
    part = ScoredPart([sentence], split, network.corpus, np.zeros(2), np.zeros((1, 0)))
    return frame_of(part.table(0)).iloc[:0]
