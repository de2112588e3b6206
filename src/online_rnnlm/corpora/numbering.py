"""Files of sentences, each with a file of the sentences' article numbers beside it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import numpy as np

from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import CorpusDirectory

Numbered = tuple[str, int]  # a sentence, and the number of its article


def write_numbered(sentences: Iterable[Numbered], text: Path) -> None:
    """Write one sentence per line and, beside the text, the article numbers, int32 (sentences,)."""
    numbers = array("i")
    # The text is put in place last, so wherever there is a text, there are its numbers.
    with replacing(text) as lines, replacing(CorpusDirectory.articles_beside(text)) as beside:
        with lines.open("w", encoding="utf-8") as file:
            for sentence, number in sentences:
                file.write(sentence + "\n")
                numbers.append(number)
        with beside.open("wb") as out:
            np.save(out, np.array(numbers, dtype=np.int32))


def digest_of_sentence(sentence: str) -> bytes:
    """Return 16 bytes that tell a sentence from all others."""
    return blake2b(sentence.encode(), digest_size=16).digest()
