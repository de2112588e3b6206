"""The list of all tables and figures, each with its section of the report and its requirements.

A new figure is a module `analysis/figures/<name>.py` with a function `draw`, and one entry in
`FIGURES`; a new table is a module `analysis/tables/<name>.py` with a function `make`, and one entry
in `TABLES`. The configuration decides which of them an experiment has; the workflow, the report and
MLflow's summary read it here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from online_rnnlm.config.evaluations import evaluations_of, online_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import MIXTURE


class Section(Enum):
    """The report sections that show tables and figures, in order; each value is a heading."""

    CLAIMS = "The claims"
    PERPLEXITY = "Perplexity"
    TESTING = "What learns during testing"
    GAIN = "Where the gain comes from"
    TRAINING = "How the models learn"
    VECTORS = "What the vectors hold"
    TEXT = "The text"
    SEARCH = "The search for settings"
    ENGINES = "The engines"


def vector_rows(experiment: Experiment) -> bool:
    """True if any row of the comparison has a document vector."""
    return any(run.settings.document_size for run in experiment.runs())


def static_rows(experiment: Experiment) -> bool:
    """True if any row of the comparison has no document vector."""
    return any(not run.settings.document_size for run in experiment.runs())


def text_in_order(experiment: Experiment) -> bool:
    """True if the sentences of any corpus follow one another as in the source's text."""
    return any(corpus.keeps_order for corpus in experiment.corpora.values())


def online_evaluations(experiment: Experiment) -> bool:
    """True if any row is tested with learning beyond that of a vector as in training."""
    sizes = {run.settings.document_size for run in experiment.runs()}
    names = (name for size in sizes for name in evaluations_of(size, experiment.testing))
    return any(map(online_evaluation, names))


def mixtures(experiment: Experiment) -> bool:
    """True if every row is mixed with its rivals."""
    return MIXTURE in experiment.testing.rivals


def searched_settings(experiment: Experiment) -> bool:
    """True if rows take settings from a search."""
    return bool(experiment.search)


Need = Callable[[Experiment], bool]


@dataclass(frozen=True)
class FigureEntry:
    """A figure, drawn by the function `draw` of its module if the experiment meets its `needs`."""

    name: str
    title: str
    section: Section
    needs: tuple[Need, ...] = ()

    @property
    def module(self) -> str:
        """The name of the figure's module, relative to the package."""
        return f"analysis.figures.{self.name}"


@dataclass(frozen=True)
class TableEntry:
    """A table, made by the function `make` of its module if the experiment meets its `needs`."""

    name: str
    section: Section
    needs: tuple[Need, ...] = ()
    verb: str = "tables"
    """The verb of the command line that writes the table."""
    on_request: bool = False
    """True if the table is made only where someone asks for it; the report shows it then."""

    @property
    def module(self) -> str:
        """The name of the table's module, relative to the package."""
        return f"analysis.tables.{self.name}"


FIGURES = (
    FigureEntry("perplexity_by_parameters", "Test perplexity against parameters", Section.CLAIMS),
    FigureEntry(
        "perplexity_by_multiply_adds",
        "Test perplexity against multiply-adds a word",
        Section.PERPLEXITY,
    ),
    FigureEntry("learning_curves", "Validation perplexity by epoch", Section.TRAINING),
    FigureEntry(
        "perplexity_by_position",
        "Test perplexity by position in the sentence",
        Section.GAIN,
        needs=(vector_rows,),
    ),
    FigureEntry(
        "perplexity_by_distance",
        "Test perplexity by the sentence's place in its article",
        Section.GAIN,
        needs=(vector_rows, text_in_order),
    ),
    FigureEntry(
        "gain_by_frequency",
        "Change of test perplexity by the frequency of the predicted word",
        Section.GAIN,
        needs=(vector_rows, static_rows),
    ),
    FigureEntry(
        "rate_curve",
        "Validation perplexity against the rate of learning during testing",
        Section.TESTING,
        needs=(online_evaluations,),
    ),
    FigureEntry("vector_map", "Map of document vectors", Section.VECTORS, needs=(vector_rows,)),
)
TABLES = (
    TableEntry("corpora", Section.TEXT),
    TableEntry("perplexity", Section.PERPLEXITY),
    TableEntry("mixtures", Section.PERPLEXITY, needs=(mixtures,)),
    TableEntry("gains", Section.GAIN, needs=(static_rows,)),
    TableEntry("updates", Section.TESTING, needs=(online_evaluations,)),
    TableEntry("search", Section.SEARCH, needs=(searched_settings,)),
    TableEntry("neighbours", Section.VECTORS, needs=(vector_rows,), verb="neighbours"),
    TableEntry("engines", Section.ENGINES, verb="engine_table", on_request=True),
)


def figures_of(experiment: Experiment) -> list[FigureEntry]:
    """The figures of an experiment; its configuration alone decides them."""
    return [figure for figure in FIGURES if _has(experiment, figure.needs)]


def tables_of(experiment: Experiment) -> list[TableEntry]:
    """The tables of an experiment; its configuration alone decides them."""
    return [table for table in TABLES if _has(experiment, table.needs) and not table.on_request]


def tables_on_request() -> list[TableEntry]:
    """The tables that every experiment can have, and that are made only on request."""
    return [table for table in TABLES if table.on_request]


def _has(experiment: Experiment, needs: Sequence[Need]) -> bool:
    return all(need(experiment) for need in needs)
