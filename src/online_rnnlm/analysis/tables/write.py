"""All tables of an experiment that are made from its figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from online_rnnlm.analysis.names import table_names
from online_rnnlm.analysis.published import Published, load_published
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.corpora import corpora_table
from online_rnnlm.analysis.tables.perplexity import perplexity_table
from online_rnnlm.analysis.tables.rendering import Table, write_table
from online_rnnlm.analysis.tables.search import search_table
from online_rnnlm.analysis.tables.updates import updates_table
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage.paths import ExperimentDirectory


def write_tables(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write all tables of an experiment; `published` is `config/published.yaml`."""
    results = collect(experiment, directory)
    for table in tables(results, load_published(published)):
        write_table(table, directory)


def tables(results: Results, published: Published) -> list[Table]:
    """The tables that `table_names` names, in its order."""
    make: dict[str, Callable[[Results], Table]] = {
        "corpora": corpora_table,
        "perplexity": partial(perplexity_table, published=published),
        "updates": updates_table,
        "search": search_table,
    }
    return [make[name](results) for name in table_names(results.experiment)]
