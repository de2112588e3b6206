"""A trained model: the object that `online_rnnlm.load` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from online_rnnlm.config.base import Settings
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.messages import first_message
from online_rnnlm.corpora.textfiles import check_text
from online_rnnlm.engines.lanes import SENTENCES_A_CALL
from online_rnnlm.errors import WrongInputError, as_wrong_input
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage.records import ModelDescription, SentenceSplitter
from online_rnnlm.use.model_file import Contents
from online_rnnlm.use.network import Network, Request
from online_rnnlm.use.sampling import SamplingSettings, sample
from online_rnnlm.use.scored import ScoredPart, in_parts
from online_rnnlm.use.show import ShownText, show
from online_rnnlm.use.text import Preparation, Sentence, sentences_of

if TYPE_CHECKING:
    import pandas as pd

AnySettings = TypeVar("AnySettings", bound=Settings)


class TrainedModel:
    """A trained language model: it scores text, follows it with its vector, and makes text.

    Every call begins with the trained weights. A text is raw unless it is said to be tokenised:
    it is prepared as the training text was. Log-probabilities are natural logarithms (nats); each
    sentence has one more than words, the last one for its end, `</s>`. A word that is not in the
    vocabulary is scored as `<unk>`.

    Texts are sentences, or, with `running`, texts of several sentences; with `tokenised`, tokens
    with spaces between them. The other `options` are the fields of `network.Request`: what learns
    from the text, or a cache beside the model. By default the vector learns, if there is one.

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

    def request(self, **options: Any) -> Request:
        """Return the way to score that options mean, which are fields of `Request`.

        One that is None has its default. Raises WrongInputError for wrong ones.
        """
        settings = self.network.settings
        given = {"updates": final_evaluation(settings.document_size)}
        given |= {key: value for key, value in options.items() if value is not None}
        request = _checked(Request, given)
        if "steps" in given and not request.weights_learn:
            raise WrongInputError("`steps`: no weights learn with these `updates`: leave it out")
        with as_wrong_input():
            request.refuse_useless(settings)
        return request

    def score_parts(
        self, sentences: Iterable[Sentence], request: Request, *, size: int = SENTENCES_A_CALL
    ) -> Iterator[ScoredPart]:
        """Score sentences part by part, in constant memory.

        A text that is one unit, or that is scored beside a cache, is one part and kept in memory.
        Raises UserError if the model diverges.
        """
        read = 0
        for part in in_parts(sentences, self.network.unit_at_once(request), size):
            split = self.network.encode((one.words for one in part), [one.document for one in part])
            scores = self.network.score(split, request, read)
            read += len(part)
            corpus = self.network.corpus
            yield ScoredPart(part, split, corpus, scores.log_probabilities, scores.document_vectors)

    def score(self, texts: Iterable[str], **options: Any) -> pd.DataFrame:
        """Score sentences; returns a row for each.

        The columns are `document` and `sentence`, numbers from 0; `tokens`, the number of words and
        the end; `unknown`, the number of words that are not in the vocabulary; `log_probability` of
        all tokens (nats), and `unknown_log_probability`, the unknown words' share of it;
        `perplexity`; `text`, the words as the model reads them. With `running`, a text may have
        several sentences, and each is a row.
        """
        import pandas as pd  # noqa: PLC0415

        network, nothing = self.network, np.zeros(0)
        none = ScoredPart([], network.encode([]), network.corpus, nothing, nothing)
        tables, read = [none.table(0)], 0
        for part in self._scored(texts, **options):
            tables.append(part.table(read))
            read += len(part.sentences)
        return pd.concat(tables, ignore_index=True)

    def log_probabilities(self, texts: Iterable[str], **options: Any) -> list[NDArray[np.float64]]:
        """Return log P (nats) of every word of each sentence, float64 (words + 1,), `</s>` last."""
        parts = self._scored(texts, **options)
        return [logs for part in parts for logs in part.by_sentence]

    def document_vectors(self, texts: Iterable[str], **options: Any) -> NDArray[np.floating]:
        """Return the document vector after the last word of each sentence, (sentences, D).

        Its type is that of the weights. Raises UserError if the model has no vector, or if it does
        not learn.
        """
        parts = self._scored(texts, needs_vector=True, **options)
        found = [part.document_vectors for part in parts]
        size, dtype = self.description.settings.document_size, self.description.settings.precision
        return np.concatenate(found) if found else np.zeros((0, size), dtype)

    def show(self, text: str, static: TrainedModel | None = None) -> ShownText:
        """Show how surprising each word of a text is, with the vector frozen and learning.

        A raw text is divided into sentences. `static` is a model with the same vocabulary that
        reads the text, too. A notebook shows the result in colours.
        """
        layout = self.preparation.layout(running=not self.preparation.rules.tokenised)
        return show(self, list(sentences_of(text.splitlines(), self.preparation, layout)), static)

    def sample(
        self,
        number: int = 1,
        *,
        prefix: str = "",
        tokenised: bool = False,
        **settings: Any,
    ) -> list[str]:
        """Make sentences, each a string of words with spaces between them.

        `prefix` are the words that each begins with, and `tokenised` says that spaces divide them;
        the other settings are those of `sampling.SamplingSettings`.
        """
        check_text(prefix, "`prefix`")
        layout = self.preparation.layout(tokenised=tokenised)
        begin = [word for words in self.preparation.sentences(prefix, layout) for word in words]
        chosen = _checked(SamplingSettings, {"number": number, **settings})
        return [" ".join(words) for words in sample(self.network, begin, chosen)]

    def require_vector(self, request: Request) -> None:
        """Raise WrongInputError unless the document vector learns when a text is scored so."""
        size = self.description.settings.document_size
        if not self.network.vector_learns(request):
            raise WrongInputError(
                "the document vector stays 0 with these `updates`"
                if size
                else "the model has no document vector: its `document_size` is 0"
            )

    def _scored(
        self,
        texts: Iterable[str],
        *,
        tokenised: bool = False,
        running: bool = False,
        needs_vector: bool = False,
        **options: Any,
    ) -> Iterator[ScoredPart]:
        # A mapping or a frame of pandas would give the names of its columns.
        if isinstance(texts, str | Mapping) or hasattr(texts, "columns"):
            raise WrongInputError(
                f"a list of texts is needed, not a {type(texts).__name__}: put a single one into a "
                "list; give one column of several"
            )
        layout = self.preparation.layout(running=running, tokenised=tokenised)
        request = self.request(**options)
        if needs_vector:
            self.require_vector(request)
        return self.score_parts(sentences_of(texts, self.preparation, layout), request)


def _restored(contents: Contents, splitter: Callable[[], SentenceSplitter | None]) -> TrainedModel:
    """Make a copied or unpickled model."""
    prepare_process()  # This process may not have loaded numerical libraries yet.
    return TrainedModel(contents, splitter)


def _checked(kind: type[AnySettings], values: Mapping[str, Any]) -> AnySettings:
    """Return settings with these values; wrong ones raise WrongInputError."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise WrongInputError(first_message(error)) from None
