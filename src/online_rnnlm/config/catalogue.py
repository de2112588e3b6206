"""The list of all tables and figures, each with its section of the report and its requirements.

A new figure is a function in a module of `analysis/figures/`, and one entry in `FIGURES`; a new
table is a module `analysis/tables/<name>.py` with a function `make`, and one entry in `TABLES`. The
configuration decides which of them an experiment has; the workflow, the report and MLflow's summary
read it here.
"""

from __future__ import annotations

from collections.abc import Callable
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


def vector_rows(experiment: Experiment) -> bool:
    """True if any row of the comparison has a document vector."""
    return any(run.settings.document_size for run in experiment.runs())


def static_rows(experiment: Experiment) -> bool:
    """True if any row of the comparison has no document vector."""
    return any(not run.settings.document_size for run in experiment.runs())


def several_corpora(experiment: Experiment) -> bool:
    """True if rows are trained on more than one corpus."""
    return len(experiment.corpora) > 1


def text_in_order(experiment: Experiment) -> bool:
    """True if the sentences of any corpus follow one another as in the source's text."""
    return any(corpus.keeps_order for corpus in experiment.corpora.values())


def online_evaluations(experiment: Experiment) -> bool:
    """True if any row has an evaluation that `testing.updates` adds."""
    return any(way.unit_of_text is not None for way in ways_of(experiment).values())


def mixtures(experiment: Experiment) -> bool:
    """True if rows are mixed with their rivals."""
    return MIXTURE in experiment.testing.rivals


def choices(experiment: Experiment) -> bool:
    """True if settings of training are searched, or any evaluation tries some."""
    tries_some = experiment.searched or experiment.testing.rivals_of_runs
    return online_evaluations(experiment) or bool(tries_some)


def other_texts(experiment: Experiment) -> bool:
    """True if networks are tested on texts of another kind."""
    return bool(experiment.testing.other_texts)


Need = Callable[[Experiment], bool]


@dataclass(frozen=True)
class Entry:
    """A figure, or a table, which an experiment has if it meets the `needs`."""

    name: str
    section: Section
    needs: tuple[Need, ...] = ()
    drawn_by: str = ""
    """For a figure, the module in `analysis/figures/` and its function, as in
    `networks.draw_systems`; a table is made by the function `make` of the module of its name."""


_PAIRS = (vector_rows, static_rows)
FIGURES = (
    Entry("test_perplexity", Section.FIRST, (), "networks.draw_systems"),
    Entry("perplexity_by_cost", Section.PERPLEXITY, (), "networks.draw_costs"),
    Entry("learning_curves", Section.TRAINING, (), "networks.draw_learning"),
    Entry("gain_by_epoch", Section.TRAINING, _PAIRS, "networks.draw_gain_by_epoch"),
    Entry("perplexity_by_position", Section.GAIN, (vector_rows,), "tokens.draw_position"),
    Entry(
        "perplexity_by_distance", Section.GAIN, (vector_rows, text_in_order), "tokens.draw_distance"
    ),
    Entry("gain_by_frequency", Section.GAIN, _PAIRS, "tokens.draw_frequency"),
    Entry("gain_by_text_size", Section.GAIN, (*_PAIRS, several_corpora), "networks.draw_sizes"),
)
TABLES = (
    Entry("corpora", Section.TEXT),
    Entry("perplexity", Section.PERPLEXITY),
    Entry("comparisons", Section.PERPLEXITY, _PAIRS),
    Entry("equal_perplexity", Section.PERPLEXITY, _PAIRS),
    Entry("mixtures", Section.PERPLEXITY, (mixtures,)),
    Entry("lengths", Section.GAIN, (*_PAIRS, text_in_order)),
    Entry("other_texts", Section.GAIN, (other_texts,)),
    Entry("updates", Section.TESTING, (online_evaluations,)),
    Entry("learning", Section.TRAINING),
    Entry("choices", Section.SEARCH, (choices,)),
    Entry("neighbours", Section.VECTORS, (vector_rows,)),
)


def figures_of(experiment: Experiment) -> list[Entry]:
    """The figures of an experiment; its configuration alone decides them."""
    return [figure for figure in FIGURES if all(need(experiment) for need in figure.needs)]


def tables_of(experiment: Experiment) -> list[Entry]:
    """The tables of an experiment; its configuration alone decides them."""
    return [table for table in TABLES if all(need(experiment) for need in table.needs)]
