"""The table `choices`: all settings that were tried on `valid`, and those that were chosen."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.systems import of_seeds
from online_rnnlm.analysis.tables.table import Column, Row, Table, spread_note, table_of
from online_rnnlm.analysis.tables.values import mean, settings_text

TRAINING = "training"
"""The entry of the column `evaluation` for settings of training, which a search has tried."""


def make(results: Results) -> Table:
    """Make the table: the chosen settings of each network in training and in each evaluation.

    The CSV has a row for each combination of settings that was tried, with each seed. Raises
    NothingToShowError if nothing was chosen.
    """
    tried = [*_tried(results)]
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for one in tried:
        groups[one["corpus"], one["model"], one["evaluation"]].append(one)
    rows = [_chosen(results, group) for group in groups.values() if any(o["chosen"] for o in group)]
    if not rows:
        raise NothingToShowError("Nothing that has finished chose settings.")
    columns = [
        Column("Network", "model", text=True),
        Column("In", "where", text=True),
        Column("Chosen", "settings", text=True),
        Column("At the edge of its grid", "edges", text=True),
        Column("Valid perplexity", "valid_perplexity", mean),
    ]
    several = " Several values are those of the seeds in order." if results.several_seeds else ""
    of_search = (
        f"for training with seed {results.experiment.search_seed}, which nothing else uses; "
    )
    note = (
        f"Chosen on valid: {of_search if results.candidates else ''}for testing with each seed by "
        f"itself.{several} {spread_note(results)}"
    )
    lines = [one | {"settings": settings_text([one["settings"]])} for one in tried]
    notes = [note, *_diverged_note(results)]
    return table_of(results, "Settings chosen", rows, columns, notes, lines)


def _diverged_note(results: Results) -> list[str]:
    """A note that names the runs of the search that have diverged; none if none has."""
    named = []
    for run, end in results.candidates:
        if end.reason:
            where = f" on {run.settings.corpus}" if results.several_corpora else ""
            named.append(f"{run.label}{where}")
    return [f"Diverged in training, and so not chosen: {'; '.join(named)}."] if named else []


def _tried(results: Results) -> Iterator[Row]:
    """Yield a row for each combination of settings that was tried: in the search, then in testing.

    After a search, a row has the most epochs of a training, too, or None in testing. The perplexity
    is NaN if it diverged.
    """
    chosen = {network.first.run.chosen for network in results.networks}
    for run, end in results.candidates:
        yield {
            "corpus": run.settings.corpus,
            "model": run.network_name,
            "evaluation": TRAINING,
            "seed": run.settings.seed,
            "settings": run.searched,
            "epochs": run.settings.max_epochs,
            "valid_perplexity": math.nan if end.reason else end.reached,
            "chosen": run.name in chosen,
        }
    epochs = {"epochs": None} if results.candidates else {}
    for finished in results.runs:
        for evaluation, record in finished.evaluations.items():
            for trial in record.curve:
                perplexity = trial.valid_perplexity
                yield {
                    "corpus": finished.run.settings.corpus,
                    "model": finished.run.network_name,
                    "evaluation": evaluation,
                    "seed": finished.seed,
                    "settings": trial.settings,
                    **epochs,
                    "valid_perplexity": math.nan if perplexity is None else perplexity,
                    "chosen": trial.settings == record.chosen,
                }


def _chosen(results: Results, tried: Sequence[Row]) -> Row:
    """The choice among the settings tried for a network in training, or in one evaluation."""
    grid = [one["settings"] for one in tried]
    best = [one for one in tried if one["chosen"]]
    at_the_edge = dict.fromkeys(key for one in best for key in edges(grid, one["settings"]))
    evaluation = best[0]["evaluation"]
    in_training = evaluation == TRAINING
    return {
        "corpus": best[0]["corpus"],
        "model": best[0]["model"],
        "where": TRAINING if in_training else f"testing {results.in_words[evaluation]}",
        "settings": settings_text([one["settings"] for one in best]),
        "edges": ", ".join(at_the_edge),
        "valid_perplexity": of_seeds(one["valid_perplexity"] for one in best),
    }


def edges(tried: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> list[str]:
    """Return the settings whose chosen value is the lowest or the highest of three numbers or more.

    A search may try a setting in some of its runs only.
    """
    at_the_edge = []
    for key, value in chosen.items():
        grid = {settings[key] for settings in tried if key in settings}
        if isinstance(value, float | int) and len(grid) > 2 and value in (min(grid), max(grid)):
            at_the_edge.append(key)
    return at_the_edge
