"""The list of all tables and figures, each with its section of the report and its requirements.

A new figure is a function in a module of `analysis/figures/`, and one entry in `FIGURES`; a new
table is a module `analysis/tables/<name>.py` with a function `make`, and one entry in `TABLES`. The
configuration decides which of them an experiment has; the workflow, the report and MLflow's summary
read it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from online_rnnlm.config.evaluations import ways_of
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import MIXTURE


class Section(Enum):
    """The report sections that show tables and figures, in order; each value is a heading."""

    FIRST = "What was found"
    PERPLEXITY = "Perplexity"
    TESTING = "What learns during testing"
    GAIN = "Where the gain comes from"
    TRAINING = "How the models learn"
    VECTORS = "What the vectors hold"
    TEXT = "The text"
    SEARCH = "The search for settings"


class Need(Enum):
    """The conditions on which an experiment has a table or a figure."""

    VECTOR_ROWS = "a row of the comparison with a document vector"
    STATIC_ROWS = "a row of the comparison without a document vector"
    SEVERAL_CORPORA = "rows that are trained on more than one corpus"
    TEXT_IN_ORDER = "a corpus whose sentences follow one another as in the source's text"
    UPDATES = "an evaluation that `testing.updates` adds"
    MIXTURES = "rows that are mixed with their rivals"
    CHOICES = "settings of training that are searched, or evaluations that try some"
    OTHER_TEXTS = "texts of another kind to test on"


def needs_met(experiment: Experiment) -> set[Need]:
    """Return what an experiment has; its configuration alone decides it."""
    testing = experiment.testing
    sizes = [row.settings.document_size for row in experiment.planned_rows]
    has_updates = any(way.unit_of_text for way in ways_of(experiment).values())
    met = {
        Need.VECTOR_ROWS: any(sizes),
        Need.STATIC_ROWS: not all(sizes),
        Need.SEVERAL_CORPORA: len(experiment.corpora) > 1,
        Need.TEXT_IN_ORDER: any(corpus.keeps_order for corpus in experiment.corpora.values()),
        Need.UPDATES: has_updates,
        Need.MIXTURES: MIXTURE in testing.rivals,
        Need.CHOICES: has_updates or bool(experiment.searched or testing.rivals_of_runs),
        Need.OTHER_TEXTS: bool(testing.other_texts),
    }
    return {need for need, is_met in met.items() if is_met}


@dataclass(frozen=True)
class Entry:
    """A figure, or a table, which an experiment has if it meets the `needs`."""

    name: str
    section: Section
    needs: tuple[Need, ...] = ()
    drawn_by: str = ""
    """For a figure, the module in `analysis/figures/` and its function, as in
    `networks.draw_systems`; a table is made by the function `make` of the module of its name."""
    wide: bool = False
    """True for a figure that fills the page, and scrolls on a narrow one."""


_PAIRS = (Need.VECTOR_ROWS, Need.STATIC_ROWS)
FIGURES = (
    Entry("test_perplexity", Section.FIRST, (), "networks.draw_systems"),
    Entry("perplexity_by_cost", Section.PERPLEXITY, (), "networks.draw_costs", wide=True),
    Entry("learning_curves", Section.TRAINING, (), "networks.draw_learning"),
    Entry("gain_by_epoch", Section.TRAINING, _PAIRS, "networks.draw_gain_by_epoch"),
    Entry(
        "perplexity_by_position",
        Section.GAIN,
        (Need.VECTOR_ROWS,),
        "tokens.draw_position",
    ),
    Entry(
        "perplexity_by_distance",
        Section.GAIN,
        (Need.VECTOR_ROWS, Need.TEXT_IN_ORDER),
        "tokens.draw_distance",
    ),
    Entry("gain_by_frequency", Section.GAIN, _PAIRS, "tokens.draw_frequency"),
    Entry(
        "gain_by_text_size", Section.GAIN, (*_PAIRS, Need.SEVERAL_CORPORA), "networks.draw_sizes"
    ),
)
TABLES = (
    Entry("corpora", Section.TEXT),
    Entry("perplexity", Section.PERPLEXITY),
    Entry("comparisons", Section.PERPLEXITY, _PAIRS),
    Entry("equal_perplexity", Section.PERPLEXITY, _PAIRS),
    Entry("mixtures", Section.PERPLEXITY, (Need.MIXTURES,)),
    Entry("lengths", Section.GAIN, (*_PAIRS, Need.TEXT_IN_ORDER)),
    Entry("other_texts", Section.GAIN, (Need.OTHER_TEXTS,)),
    Entry("updates", Section.TESTING, (Need.UPDATES,)),
    Entry("learning", Section.TRAINING),
    Entry("choices", Section.SEARCH, (Need.CHOICES,)),
    Entry("neighbours", Section.VECTORS, (Need.VECTOR_ROWS,)),
)


def figures_of(experiment: Experiment) -> list[Entry]:
    """The figures of an experiment; its configuration alone decides them."""
    met = needs_met(experiment)
    return [figure for figure in FIGURES if met.issuperset(figure.needs)]


def tables_of(experiment: Experiment) -> list[Entry]:
    """The tables of an experiment; its configuration alone decides them."""
    met = needs_met(experiment)
    return [table for table in TABLES if met.issuperset(table.needs)]
