"""The list of all tables and figures, each with its section of the report and its requirements.

The configuration decides which of them an experiment has; the workflow and the report read it here,
without the libraries that make a table or draw a figure. A table is made by the function `make` of
`analysis/tables/<name>.py`, and a figure is drawn by a function that its entry names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.rivals import CORPUS_RIVALS, MIXTURE


class Section(Enum):
    """The report sections that show tables and figures, in order; each value is a heading."""

    FIRST = "What was found"
    PERPLEXITY = "Perplexity"
    GAIN = "Where the gain comes from"
    TRAINING = "How the models learn"
    VECTORS = "What the vectors hold"
    TEXT = "The text"
    SEARCH = "How settings were chosen"


Need = Literal[
    "rows with a vector",
    "static rows",
    "text in order",
    "updates",
    "mixtures",
    "choices",
    "other texts",
]
"""The requirements of tables and figures; `those_of` says which of them an experiment meets."""


@dataclass(frozen=True)
class Entry:
    """A figure, or a table, and what an experiment needs to have it."""

    name: str
    section: Section
    needs: tuple[Need, ...] = ()
    wide: bool = False
    """True for a figure that fills the page, and scrolls on a narrow one."""
    of_text: bool = False
    """True if it is made of the text or of single tokens' scores, which evidence does not keep."""
    drawn_by: str = ""
    """The function that draws a figure, with its file in `analysis/figures`: `file:function`."""


_PAIRS: tuple[Need, ...] = ("rows with a vector", "static rows")
FIGURES = (
    Entry("updates", Section.FIRST, ("updates",), wide=True, drawn_by="updates:draw_updates"),
    Entry("test_perplexity", Section.FIRST, drawn_by="systems:draw_systems"),
    Entry("perplexity_by_cost", Section.PERPLEXITY, wide=True, drawn_by="systems:draw_costs"),
    Entry("learning_curves", Section.TRAINING, drawn_by="epochs:draw_learning"),
    Entry("gain_by_epoch", Section.TRAINING, _PAIRS, drawn_by="epochs:draw_gain_by_epoch"),
    Entry(
        "perplexity_by_position",
        Section.GAIN,
        ("rows with a vector",),
        of_text=True,
        drawn_by="tokens:draw_position",
    ),
    Entry(
        "perplexity_by_distance",
        Section.GAIN,
        ("rows with a vector", "text in order"),
        of_text=True,
        drawn_by="tokens:draw_distance",
    ),
    Entry(
        "gain_by_frequency", Section.GAIN, _PAIRS, of_text=True, drawn_by="tokens:draw_frequency"
    ),
)
PERPLEXITY = Entry("perplexity", Section.PERPLEXITY)
"""The table that an experiment is made for; the report shows it in two, if it has rivals."""
TABLES = (
    Entry("updates", Section.FIRST, ("updates",)),
    Entry("corpora", Section.TEXT),
    PERPLEXITY,
    Entry("comparisons", Section.PERPLEXITY, _PAIRS),
    Entry("equal_perplexity", Section.PERPLEXITY, _PAIRS),
    Entry("mixtures", Section.PERPLEXITY, ("mixtures",)),
    Entry("lengths", Section.GAIN, (*_PAIRS, "text in order")),
    Entry("other_texts", Section.GAIN, ("other texts",)),
    Entry("learning", Section.TRAINING),
    Entry("choices", Section.SEARCH, ("choices",)),
    Entry("neighbours", Section.VECTORS, ("rows with a vector",), of_text=True),
)


def those_of(entries: Iterable[Entry], experiment: Experiment) -> list[Entry]:
    """Return those of `TABLES` or `FIGURES` that an experiment has; its configuration decides."""
    sizes = [network.settings.document_size for network in experiment.networks]
    has: dict[Need, bool] = {
        "rows with a vector": any(sizes),
        "static rows": not all(sizes),
        "text in order": any(corpus.keeps_order for corpus in experiment.corpora.values()),
        "updates": experiment.has_updates,
        "mixtures": MIXTURE in experiment.rivals,
        "choices": experiment.has_updates
        or bool(experiment.searched or {*experiment.rivals} - {*CORPUS_RIVALS}),
        "other texts": bool(experiment.testing.other_texts),
    }
    return [entry for entry in entries if all(has[need] for need in entry.needs)]
