"""The table `choices`: all settings that were tried on `valid`, and those that were chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results, way_in
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    label,
    mean_over_seeds,
    number,
    spread_note,
)
from online_rnnlm.storage.runs import RunResult

TRAINING = "training"
"""The entry of the column `evaluation` for settings of training, which a search has tried."""
_KEYS = ["corpus", "model", "evaluation"]


def make(results: Results) -> Table:
    """Make the table: the chosen settings of each network in training and in each evaluation.

    The CSV has a row for each combination of settings that was tried, with each seed. The
    perplexity of one that diverged is NaN. Raises NothingToShowError if nothing was chosen.
    """
    tried = pd.DataFrame(_tried(results))
    if tried.empty or not tried["chosen"].any():
        raise NothingToShowError("Nothing that has finished chose settings.")
    groups = tried.groupby(_KEYS, sort=False)
    data = pd.DataFrame([_values(results, group) for _, group in groups if group["chosen"].any()])
    columns = [
        Column("Network", label("model"), text=True),
        Column("In", label("in"), text=True),
        Column("Chosen", label("chosen"), text=True),
        Column("At the edge of its grid", label("edges"), text=True),
        Column("Valid perplexity", number("valid_perplexity")),
    ]
    several = " Several values are those of the seeds in order." if results.several_seeds else ""
    of_search = (
        f"for training with seed {results.experiment.search_seed}, which nothing else uses; "
    )
    note = (
        f"Chosen on valid: {of_search if results.candidates else ''}for testing with each seed by "
        f"itself.{several} {spread_note(results)}"
    )
    tidy = tried.assign(settings=[settings_text([settings]) for settings in tried["settings"]])
    caption = "Settings chosen"
    return comparison_table(results, "choices", caption, data, columns, [note], tidy)


def _tried(results: Results) -> Iterator[dict[str, Any]]:
    """Yield each combination of settings that was tried: by the search, then in testing."""
    chosen = [results.chosen_candidate(row) for row in results.rows]
    for run, end in results.candidates:
        yield {
            "corpus": run.settings.corpus,
            "model": run.model,
            "evaluation": TRAINING,
            "seed": run.settings.seed,
            "settings": run.searched,
            "epochs": run.settings.max_epochs,
            "valid_perplexity": end.valid_perplexity if isinstance(end, RunResult) else math.nan,
            "chosen": run in chosen,
        }
    for finished in results.runs:
        for evaluation, record in finished.evaluations.items():
            for trial in record.curve:
                perplexity = trial.valid_perplexity
                yield {
                    "corpus": finished.run.settings.corpus,
                    "model": finished.run.model,
                    "evaluation": evaluation,
                    "seed": finished.seed,
                    "settings": trial.settings,
                    "valid_perplexity": math.nan if perplexity is None else perplexity,
                    "chosen": trial.settings == record.chosen,
                }


def _values(results: Results, tried: pd.DataFrame) -> dict[str, Any]:
    """Return the row of the settings chosen for a network in training, or in one evaluation."""
    best = tried[tried["chosen"]]
    name = best.iloc[0]["evaluation"]
    grid = [*tried["settings"]]
    chosen = [*best["settings"]]
    at_the_edge = dict.fromkeys(key for settings in chosen for key in edges(grid, settings))
    return {
        **tried.iloc[0][_KEYS],
        "in": name if name == TRAINING else f"testing {way_in(results.experiment, name)}",
        "chosen": settings_text(chosen),
        "edges": ", ".join(at_the_edge),
        **mean_over_seeds(results, "valid_perplexity", best["valid_perplexity"]),
    }


def settings_text(by_seed: Sequence[Mapping[str, Any]]) -> str:
    """Settings as `key value, key value`; if seeds differ, with each seed's value in order."""
    return ", ".join(f"{key} {values_text(by_seed, key)}" for key in keys_of(by_seed))


def keys_of(by_seed: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of the settings that any of the seeds has."""
    return [*dict.fromkeys(key for settings in by_seed for key in settings)]


def values_text(by_seed: Sequence[Mapping[str, Any]], key: str) -> str:
    """A setting's value, or that of each seed in order: `0.1`, `0.1 / 0.3 / 0.1`.

    A seed without it, which may be one for which no rate of the vector was better than that of its
    training, has `as in training`.
    """
    values = [settings.get(key, "as in training") for settings in by_seed]
    texts = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return " / ".join(texts if len(set(texts)) > 1 else texts[:1])


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
