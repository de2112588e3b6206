"""A trained model: the object that `online_rnnlm.load` returns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.core.settings import UnitOfText
from online_rnnlm.corpora.textfiles import check_text
from online_rnnlm.errors import UserError
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.storage.paths import SUPPLIED_MODEL, SUPPLIED_STATIC_MODEL
from online_rnnlm.use.model_file import Contents, ModelDescription
from online_rnnlm.use.network import State
from online_rnnlm.use.options import Options, SamplingOptions, checked
from online_rnnlm.use.places import contents_at
from online_rnnlm.use.sampling import sample
from online_rnnlm.use.scoring import ScoredPart, TextScorer
from online_rnnlm.use.show import ShownText, show
from online_rnnlm.use.surprisal import surprisal
from online_rnnlm.use.text import Sentence, layout_of, sentences_of

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


def load(model: str | Path | None = None) -> TrainedModel:
    """Load a trained model; by default the one that comes with the project.

    `model` is the path of a file that `online-rnnlm export` wrote, of the folder of an experiment's
    results, whose best model on `valid` is meant, or of the folder of one of its runs; or an
    address of MLflow, `models:/NAME@best` or `runs:/ID/model`, in the store that the variable
    `MLFLOW_TRACKING_URI` names. Raises UserError, in one line, if it is none of these, or damaged.
    """
    prepare_process()
    if model is None:
        if not SUPPLIED_MODEL.is_file():
            raise UserError("no model comes with this installation: name one")
        supplied = TrainedModel(contents_at(SUPPLIED_MODEL), SUPPLIED_STATIC_MODEL)
        logger.info("the model that comes with the project: %s", supplied.description.in_short())
        return supplied
    return TrainedModel(contents_at(model))


class NextWord(NamedTuple):
    """A word that may come next."""

    word: str
    log_probability: float
    """Natural log P."""


class TrainedModel:
    """A trained language model: it scores text, follows it with its vector, and makes text.

    Every call begins with the trained weights, and several threads may call at the same time. A
    text is raw unless it is said to be tokenised: it is prepared as the training text was.
    Log-probabilities are natural logarithms (nats); each sentence has one more than words, the last
    one for its end, `</s>`. An empty text has none. A word that is not in the vocabulary is scored
    as `<unk>`.

    Texts are sentences, or, with `running`, texts of several sentences; with `tokenised`, tokens
    with spaces between them. They are separate: nothing is carried over from one text to the next,
    and the sentences of a running text are one document. But with `unit_of_text="document"`
    sentences that follow one another are a document, which an empty text ends, and with `"stream"`
    all texts are one. The other `options` say what learns from the text (`options.Options`). By
    default the vector learns, if there is one.

    All methods raise UserError, in one line, for text and options that cannot be used.
    """

    def __init__(self, contents: Contents, static: Path | None = None) -> None:
        self._static = static
        self.description: ModelDescription = contents.description
        """Says which run made the model, with which settings and from which text."""
        self.scorer = TextScorer.of(contents)
        """The scorer of texts, with any options."""
        self.network = self.scorer.network
        """The network, for text that is encoded already."""
        self.preparation = self.scorer.preparation
        """The preparation of text."""

    def __repr__(self) -> str:
        """Return the network, its vocabulary, its text and its perplexity in one line."""
        return f"<{type(self).__name__} {self.description.in_short()}>"

    @cached_property
    def companion(self) -> TrainedModel | None:
        """The static model that comes with the project's own, to compare with; else None."""
        return TrainedModel(contents_at(self._static)) if self._static else None

    @property
    def words(self) -> list[str]:
        """A copy of the vocabulary, with `</s>` and `<unk>`, in the order of the words' ids."""
        return list(self.network.corpus.words)

    def score(self, texts: Iterable[str], **options: Unpack[Options]) -> pd.DataFrame:
        """Score sentences; returns a row for each.

        The columns are `document` and `sentence`, numbers from 0; `tokens`, the number of words and
        the end; `unknown`, the number of words that are not in the vocabulary; `log_probability` of
        all tokens (nats), and `unknown_log_probability`, the unknown words' share of it;
        `perplexity`; `text`, the words as the model reads them. With `running`, a text may have
        several sentences, and each is a row. An empty text has a row with 0 tokens. A separate
        text's number is that of its document. The rows of a pandas Series keep its index.
        """
        return self._table(texts, options, ScoredPart.rows_of_sentences)

    def score_words(self, texts: Iterable[str], **options: Unpack[Options]) -> pd.DataFrame:
        """Score sentences; returns a row for each word, and for each `</s>`.

        The columns are `document`, `sentence`, `position` in it, `word`, `known` and
        `log_probability` (nats).
        """
        return self._table(texts, options, ScoredPart.rows_of_words)

    def _table(
        self,
        texts: Iterable[str],
        options: Options,
        rows: Callable[[ScoredPart], pd.DataFrame],
    ) -> pd.DataFrame:
        import pandas as pd  # noqa: PLC0415

        no_part = ScoredPart(0, [], np.zeros(0, np.bool_), np.zeros(0), np.zeros((0, 0)))
        tables = [rows(no_part), *map(rows, self.scorer.score_texts(texts, options))]
        table = pd.concat(tables, ignore_index=True)
        if isinstance(texts, pd.Series):
            table.index = texts.index[table["document" if options.get("running") else "sentence"]]
        return table

    def log_probabilities(
        self, texts: Iterable[str], **options: Unpack[Options]
    ) -> list[NDArray[np.float64]]:
        """Return log P (nats) of every word of each sentence, float64 (words + 1,), `</s>` last."""
        return [
            logs for part in self.scorer.score_texts(texts, options) for logs in part.by_sentence
        ]

    def document_vectors(
        self, texts: Iterable[str], **options: Unpack[Options]
    ) -> NDArray[np.floating]:
        """Return the document vector after the end of each sentence, `</s>`, (sentences, D).

        That of an empty text is 0. Its type is that of the weights. Raises UserError if the model
        has no vector, or if it does not learn.
        """
        parts = self.scorer.score_texts(texts, options, needs_vector=True)
        settings = self.description.settings
        none = np.zeros((0, settings.document_size), settings.precision)
        return np.concatenate([none, *(part.document_vectors for part in parts)])

    def show(self, text: str, static: TrainedModel | None = None) -> ShownText:
        """Show how surprising each word of a text is, with the vector frozen and learning.

        A raw text is divided into sentences. `static` is a model with the same vocabulary that
        reads the text, too; the model that comes with the project brings one. A notebook shows the
        result in colours.
        """
        return show(self.scorer, self._sentences(text), self._scorer_of(static))

    def surprisal(self, text: str, static: TrainedModel | None = None) -> pd.DataFrame:
        """Return how surprising each word of a text is, and how uncertain the model was before it.

        A row is a word of the text as it stands, between white space. Its columns are `sentence`
        and `position` in it, from 0; `start` and `end`, the places of its characters in the text;
        `word`; `tokens`, the number of tokens that the model reads it as; `known`, whether all of
        them are in the vocabulary; the sum over its tokens of −log2 P, in bits, by the `static`
        model (as in `show`), with the vector `frozen`, and with it `learning`; and `entropy`, that
        of the next token before the word's first, in bits. The end of a sentence is no word.
        """
        return surprisal(self.scorer, text, self._sentences(text), self._scorer_of(static))

    def _scorer_of(self, static: TrainedModel | None) -> TextScorer | None:
        """Return the scorer of a static model, by default of the one that comes with this one."""
        if static is not None and not isinstance(static, TrainedModel):
            raise UserError(f"`static`: a model that `load` returns is needed, not {static!r}")
        compared = static or self.companion
        return compared.scorer if compared else None

    def _sentences(self, text: str) -> list[Sentence]:
        """Divide a raw text into its sentences; an empty line ends a document."""
        check_text(text, "`text`", one_line=False)
        return list(sentences_of(text.splitlines(), self.preparation, "running"))

    def start(
        self,
        *,
        frozen: bool = False,
        unit_of_text: UnitOfText | None = None,
        learning_rate: float | None = None,
    ) -> State:
        """Return the state before a text; the vector learns if there is one, unless `frozen`."""
        adaptation = self.scorer.adaptation(
            frozen=frozen, unit_of_text=unit_of_text, learning_rate=learning_rate
        )
        return self.network.start(adaptation)

    def continue_(self, state: State, words: Sequence[str]) -> tuple[NDArray[np.float64], State]:
        """Read words after a state; return log P (nats) of each, (n,), and the state after them.

        `words` are as the model reads them: tokenised, and in lower case if the training text was;
        `</s>` ends a sentence. The result is that of scoring the text in one piece, up to rounding.
        """
        if isinstance(words, str) or not isinstance(words, Iterable):
            kind = type(words).__name__
            raise UserError(f"a list of words is needed, such as ['the', 'cat'], not a {kind}")
        words = [*words]
        for place, word in enumerate(words):
            if not isinstance(word, str):
                raise UserError(f"word {place} (from 0): text is needed, not {word!r}")
        return self.network.read(state, words)

    def next_word(self, state: State) -> NDArray[np.float64]:
        """Return log P (nats) that each word of the vocabulary comes next, in its order, (V,)."""
        return np.asarray(self.network.next_word([state])[0])

    def likeliest(self, state: State, number: int = 10) -> list[NextWord]:
        """Return the words that are likeliest to come next, the likeliest first."""
        _check_number(number)
        logs = self.next_word(state)
        words = self.network.corpus.words
        best = np.argsort(-logs, kind="stable")[:number].tolist()
        return [NextWord(words[word], float(logs[word])) for word in best]

    def entropy(self, state: State) -> float:
        """Return the entropy of the next word (nats)."""
        return self.network.entropy(state)

    def sample(
        self,
        number: int = 1,
        *,
        prefix: str = "",
        tokenised: bool = False,
        frozen: bool = False,
        **options: Unpack[SamplingOptions],
    ) -> list[str]:
        """Make sentences, each a string of words with spaces between them.

        `prefix` are the words that each begins with, and `tokenised` says that spaces divide them.
        Each sentence begins with the trained weights and, before the prefix, a vector of 0; with
        `frozen`, the vector does not learn from what is said. The `options` say how words are drawn
        (`options.SamplingOptions`).
        """
        _check_number(number)
        how = checked(options, SamplingOptions)
        begin = self.beginning(prefix, tokenised=tokenised)
        _, state = self.continue_(self.start(frozen=frozen), begin)
        return [" ".join(words) for words in sample(self.network, number, begin, state, how)]

    def beginning(self, prefix: str, *, tokenised: bool = False) -> list[str]:
        """Return the words of a text that may continue, as the model reads them."""
        check_text(prefix, "`prefix`")
        return self.preparation.words(prefix, layout_of(tokenised=tokenised))


def _check_number(number: object) -> None:
    """Raise UserError unless a number of things can be asked for."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UserError(f"`number`: a whole number above 0 is needed, not {number!r}")
