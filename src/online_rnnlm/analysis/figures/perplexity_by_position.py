"""The figure `perplexity_by_position`: the vector's help from a sentence's start to its end."""

from __future__ import annotations

import numpy as np

from online_rnnlm.analysis.comparison import final_side, pieces_for
from online_rnnlm.analysis.figures.captions import only_first, pooled
from online_rnnlm.analysis.figures.drawing import Picture
from online_rnnlm.analysis.figures.lines import draw_lines, lines_of
from online_rnnlm.analysis.figures.tokens import Groups, Means, by_position
from online_rnnlm.analysis.pieces import PieceName
from online_rnnlm.analysis.results import Results
from online_rnnlm.corpora.corpus import load_split


def draw(results: Results) -> Picture:
    """Draw the best row, with its vector learning and held still, beside static rows.

    A second panel shows the ratio of the learning vector's perplexity to the others'.
    """
    vector = results.best_with_vector()
    split = load_split(results.directory.corpus(vector.corpus), "test")
    sides = [final_side(row) for row in (vector, *results.opponents(vector).shown)]
    pieces = pieces_for(results, *sides)
    groups = by_position(split, pieces)
    lines = lines_of(results, vector, sides[0], split.tokens)
    figure, ratios = draw_lines(groups, lines, "Position in the sentence")
    return Picture(figure, _caption(results, vector.label, groups, ratios[0], pieces.name))


def _caption(results: Results, model: str, groups: Groups, ratio: Means, drawn: PieceName) -> str:
    at = [f"{value:.2f}" for value in ratio.mean]
    first, last = (groups.names[ratio.present[place]] for place in (0, -1))
    lowest = groups.names[ratio.present[int(np.argmin(ratio.mean))]]
    return (
        "Test perplexity by the predicted token's position in its sentence, </s> and <unk> "
        f"counted{pooled(results)}; below, the perplexity of {model} with its vector learning as a "
        f"share of the others'. Shaded: 95 % bootstrap intervals over {drawn}s. Against the same "
        f"weights with the vector held still the ratio goes from {at[0]} at position {first} to "
        f"{at[-1]} at position {last}; it is lowest at {lowest}, with {min(at)}."
        f"{only_first(results)}"
    )
