"""The surprisal of each word of a text, as research on reading uses it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.corpora.textfiles import BYTE_ORDER_MARK, SENTENCE_END
from online_rnnlm.errors import UserError
from online_rnnlm.use.scoring import TextScorer
from online_rnnlm.use.text import Sentence

if TYPE_CHECKING:
    import pandas as pd

FROZEN = "frozen"
LEARNING = "learning"
STATIC = "static"
_CHANGED = 9
"""A token is looked for at most this many characters after its expected place, since the tokeniser
may have changed the length of the text before it."""


def bits_of_tokens(
    scorer: TextScorer, sentences: Sequence[Sentence], static: TextScorer | None
) -> dict[str, NDArray[np.float64]]:
    """Return −log2 P of every token of a text, `</s>` among them, (tokens,), in several readings.

    Every sentence has words. The network reads the text with the vector `frozen` and, if it has
    one, `learning`; `static` is another network. Raises UserError if there is no text, or if the
    vocabulary of `static` is another one.
    """
    if not sentences:
        raise UserError("no text in it")
    network = scorer.network
    if static is not None and static.network.corpus.words != network.corpus.words:
        raise UserError(
            "the static model has another vocabulary: its words' probabilities do not compare"
        )
    readers = {FROZEN: scorer}
    if network.settings.document_size:
        readers[LEARNING] = scorer
    if static is not None:
        readers[STATIC] = static
    bits = {}
    for name, reader in readers.items():
        adaptation = reader.adaptation(frozen=name != LEARNING)
        logs = [part.log_probabilities for part in reader.score_parts(sentences, adaptation)]
        bits[name] = -np.concatenate(logs) / np.log(2)
    return bits


def surprisal(
    scorer: TextScorer, text: str, sentences: Sequence[Sentence], static: TextScorer | None
) -> pd.DataFrame:
    """Return a row for each word of a text, whose sentences are these (`TrainedModel.surprisal`).

    Raises UserError if there is no text.
    """
    import pandas as pd  # noqa: PLC0415

    sentences = [sentence for sentence in sentences if sentence.words]
    readings = bits_of_tokens(scorer, sentences, static)
    tokens = [token for sentence in sentences for token in sentence.words]
    lengths = [len(sentence.words) for sentence in sentences]
    words = list(re.finditer(r"\S+", text))
    word_of = _words_of_tokens(tokens, [word.group() for word in words])
    first_tokens = np.searchsorted(word_of, np.arange(len(words))).clip(max=len(tokens) - 1)
    in_sentence = pd.Series(np.repeat(np.arange(len(sentences)), lengths)[first_tokens])
    unknown = np.equal(scorer.network.ids(tokens), scorer.network.corpus.unk_id)
    table = pd.DataFrame(
        {
            "sentence": in_sentence,
            "position": in_sentence.groupby(in_sentence).cumcount(),
            "start": [word.start() for word in words],
            "end": [word.end() for word in words],
            "word": pd.Series([word.group() for word in words], dtype="str"),
            "tokens": np.bincount(word_of, minlength=len(words)),
            "known": np.bincount(word_of, unknown, len(words)) == 0,
        }
    )
    no_word = np.cumsum(np.add(lengths, 1)) - 1  # the ends of sentences
    for name in (STATIC, FROZEN, LEARNING):
        if name in readings:
            table[name] = np.bincount(word_of, np.delete(readings[name], no_word), len(words))
    table["entropy"] = _entropies(scorer, sentences)[first_tokens]
    return table


def _words_of_tokens(tokens: Sequence[str], words: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the word that each token begins in.

    Tokens and words have the same characters but for those that the tokeniser changes: case,
    composition and quotes.
    """
    changed = [_as_tokens(word) for word in words]
    ends = np.cumsum([len(word) for word in changed])
    characters = "".join(changed)
    starts = []
    at = 0
    for token in tokens:
        plain = _as_tokens("".join(token.split()))
        found = characters.find(plain, at, at + len(plain) + _CHANGED)
        starts.append(at if found < 0 else found)
        at = starts[-1] + len(plain)
    found_in: NDArray[np.int64] = np.searchsorted(ends, starts, side="right")
    return found_in.clip(max=len(words) - 1)


def _as_tokens(text: str) -> str:
    """Return a form of a text that is equal for a word and its tokens, even where the tokeniser has
    changed case, composition or quotes."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return composed.replace(BYTE_ORDER_MARK, "").replace("``", '"').replace("''", '"')


def _entropies(scorer: TextScorer, sentences: Sequence[Sentence]) -> NDArray[np.float64]:
    """Return the entropy of the next token before each token but the ends of sentences (bits)."""
    network = scorer.network
    start = state = network.start(scorer.adaptation())
    is_document = network.unit_of(start.adaptation) == "document"
    entropies = []
    before = sentences[0]
    for sentence in sentences:
        if is_document and sentence.document != before.document:
            state = start
        for word in sentence.words:
            entropies.append(network.entropy(state))
            _, state = network.read(state, [word])
        _, state = network.read(state, [SENTENCE_END])
        before = sentence
    bits: NDArray[np.float64] = np.array(entropies) / np.log(2)
    return bits
