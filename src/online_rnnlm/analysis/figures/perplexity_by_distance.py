"""The figure `perplexity_by_distance`: the vector's help from an article's start to its end."""

from __future__ import annotations

from collections.abc import Sequence

from online_rnnlm.analysis.comparison import Side, final_side, pieces_for
from online_rnnlm.analysis.figures.captions import only_first, pooled
from online_rnnlm.analysis.figures.drawing import Picture
from online_rnnlm.analysis.figures.lines import draw_lines, lines_of
from online_rnnlm.analysis.figures.tokens import Groups, Means, by_distance
from online_rnnlm.analysis.missing import NothingToShowError
from online_rnnlm.analysis.pieces import PieceName, are_known
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.row import Row
from online_rnnlm.config.evaluations import DOCUMENT_VECTOR, OnlineEvaluation
from online_rnnlm.corpora.corpus import load_split


def draw(results: Results) -> Picture:
    """Draw what `perplexity_by_position` does, by the sentence's place in its article.

    The vector is kept for the article, if the row was trained or tested so. Raises
    NothingToShowError for a text whose articles are not known.
    """
    vector = results.best_with_vector()
    split = load_split(results.directory.corpus(vector.corpus), "test")
    if not are_known(split.articles):
        raise NothingToShowError("The articles of the test text are not known.")
    learning = _kept_for_longest(vector)
    opponents = results.opponents(vector).shown
    pieces = pieces_for(results, learning, *map(final_side, opponents))
    groups = by_distance(split, pieces)
    lines = lines_of(results, vector, learning, split.tokens)
    figure, ratios = draw_lines(groups, lines, "Sentence of the article")
    against = [f"the static {static.label}" for static in opponents]
    compared = zip(ratios, ["the same weights with the vector held still", *against], strict=True)
    return Picture(figure, _caption(results, learning, groups, list(compared), pieces.name))


def _kept_for_longest(vector: Row) -> Side:
    """The row with its vector kept for the article, or else as it was trained."""
    kept = OnlineEvaluation(DOCUMENT_VECTOR, "word", "document").name
    trained = vector.settings.unit_of_text == "document" or kept not in vector.evaluations
    return final_side(vector) if trained else Side(vector, kept)


def _caption(
    results: Results,
    learning: Side,
    groups: Groups,
    compared: Sequence[tuple[Means, str]],
    drawn: PieceName,
) -> str:
    """Say what the figure shows; `compared` are the ratios to others, and the others' names."""
    ratio, against = compared[:2][-1]  # a static row, if there is one
    first, last = (groups.names[ratio.present[place]] for place in (0, -1))
    return (
        "Test perplexity by the sentence's place in its article, </s> and <unk> counted"
        f"{pooled(results)}; the vector of {learning.row.label} is kept for the "
        f"{learning.kept_for}. Below, its perplexity as a share of the others'. Shaded: 95 % "
        f"bootstrap intervals over {drawn}s. Against {against} the ratio goes from "
        f"{ratio.mean[0]:.2f} at sentence {first} to {ratio.mean[-1]:.2f} at sentence {last}."
        f"{only_first(results)}"
    )
