"""Print the word error rate of hypotheses: `word-error-rate.py SAID BEST`, a sentence a line.

The number of words that must be put in, taken out or replaced, divided by that of the words said.
"""

import sys
from pathlib import Path


def errors(said: list[str], best: list[str]) -> int:
    """Return the edit distance of two sentences (Levenshtein), in words."""
    row = list(range(len(best) + 1))
    for place, word in enumerate(said, 1):
        row, before = [place], row
        for other, guess in enumerate(best, 1):
            row.append(min(before[other] + 1, row[-1] + 1, before[other - 1] + (word != guess)))
    return row[-1]


texts = (
    [line.split() for line in Path(name).read_text("utf-8").splitlines()] for name in sys.argv[1:]
)
pairs = list(zip(*texts, strict=True))
print(f"{sum(errors(*pair) for pair in pairs) / sum(len(said) for said, _ in pairs):.1%}")
