"""The figure `perplexity_by_multiply_adds`: the gain from more arithmetic in testing."""

from __future__ import annotations

from online_rnnlm.analysis.figures.costs import draw_against
from online_rnnlm.analysis.figures.drawing import Picture
from online_rnnlm.analysis.figures.points import MULTIPLY_ADDS
from online_rnnlm.analysis.results import Results


def draw(results: Results) -> Picture:
    """Draw test perplexity against multiply-adds per word in testing, learning included."""
    return draw_against(results, MULTIPLY_ADDS)
