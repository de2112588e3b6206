"""Which tables and figures an experiment has: known from its configuration alone."""

from __future__ import annotations

from online_rnnlm.config.evaluations import evaluations_of, online_evaluation
from online_rnnlm.config.experiment import Experiment


def figure_names(experiment: Experiment) -> list[str]:
    """The names of the figures that `write_figures` draws, in the order of a report.

    Figures of the document vector need a row that has one; where its gain is shown, a static row
    beside it; where rates are, something more that learns during testing.
    """
    sizes = {run.settings.document_size for run in experiment.runs()}
    largest = max(sizes)
    return [
        *("perplexity_by_parameters", "perplexity_by_multiply_adds", "learning_curves"),
        *(["perplexity_by_position"] if largest else []),
        *(["gain_by_frequency"] if largest and 0 in sizes else []),
        *(["rate_curve"] if _learns_further(experiment) else []),
        *(["vector_map"] if largest else []),
    ]


def table_names(experiment: Experiment) -> list[str]:
    """The names of the tables that `write_tables` writes, in the order of a report."""
    updates = ["updates"] if _learns_further(experiment) else []
    return ["corpora", "perplexity", *updates, *(["search"] if experiment.search else [])]


def has_neighbours(experiment: Experiment) -> bool:
    """Whether `write_neighbours` has a table to write: some row has a document vector."""
    return any(run.settings.document_size for run in experiment.runs())


def _learns_further(experiment: Experiment) -> bool:
    """Whether in any evaluation more learns than a vector as it was trained to."""
    sizes = {run.settings.document_size for run in experiment.runs()}
    names = (name for size in sizes for name in evaluations_of(size, experiment.testing))
    return any(map(online_evaluation, names))
