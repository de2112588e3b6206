"""The figure `perplexity_by_parameters`: the gain from more parameters."""

from __future__ import annotations

from online_rnnlm.analysis.figures.costs import draw_against
from online_rnnlm.analysis.figures.drawing import Picture
from online_rnnlm.analysis.figures.points import PARAMETERS
from online_rnnlm.analysis.results import Results


def draw(results: Results) -> Picture:
    """Draw test perplexity against the number of parameters."""
    return draw_against(results, PARAMETERS)
