"""The words of a tokenised sentence, as the pipeline and a served model read them."""

from __future__ import annotations

from online_rnnlm.corpora.corpus import SENTENCE_END, UNKNOWN
from online_rnnlm.errors import UserError


def words_of(sentence: str) -> list[str]:
    """Divide a tokenised sentence at its white space; `<UNK>` is read as `<unk>`.

    White space is what Unicode calls so, a no-break space included. Raises UserError, without the
    place in the text, if the sentence contains `</s>`.
    """
    words = sentence.replace(UNKNOWN.upper(), UNKNOWN).split()
    if SENTENCE_END in words:
        raise UserError(
            f"`{SENTENCE_END}` is reserved: every sentence's end stands for it already, "
            "take it out of the text"
        )
    return words
