"""Sentences in one file, the numbers of their articles in another beside it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from online_rnnlm.storage.files import replacing
from online_rnnlm.storage.paths import CorpusDirectory

Numbered = tuple[str, int]  # a sentence, and the number of its article


def write_numbered(sentences: Iterable[Numbered], text: Path) -> None:
    """Write a sentence a line and, beside the text, int32 (sentences,): the articles' numbers."""
    numbers = array("i")
    # The text takes its place last: where it is, its numbers are.
    with replacing(text) as lines, replacing(CorpusDirectory.articles_beside(text)) as beside:
        with lines.open("w", encoding="utf-8") as file:
            for sentence, number in sentences:
                file.write(sentence + "\n")
                numbers.append(number)
        with beside.open("wb") as out:
            np.save(out, np.array(numbers, dtype=np.int32))
