"""The configuration of an experiment, as a typed model.

`workflow/schemas/config.schema.yaml` and `config/README.md` are made from the class below and from
those of the other modules of this package.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from online_rnnlm.config.base import Name, NaturalInt, Settings
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.messages import first_message
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.tracking import TrackingSettings
from online_rnnlm.config.training import RunSettings

ROW_NAME_KEYS = frozenset({"hidden_size", "cell", "document_size", "document_layer"})
"""Settings that are a part of a run's name: they tell rows apart."""
HARDWARE_KEYS = frozenset({"engine", "device", "precision"})
"""Settings that decide the hardware that a run requires, which is known before the search ends."""
RUN_KEYS = frozenset(RunSettings.model_fields) - {"corpus", "seed"}


class Experiment(Settings):
    """One experiment: its corpora, the rows to compare and the seeds."""

    experiment: Name = Field(
        description="Name of the experiment; everything is written to `results/<experiment>/`."
    )
    downloads: Path = Field(
        default=Path("results/downloads"), description="Folder for downloaded files."
    )
    corpora: dict[Name, CorpusSettings] = Field(
        min_length=1, description="The corpora, by name; every row is trained on each."
    )
    seeds: list[NaturalInt] = Field(
        default=[1], min_length=1, description="Every row is trained once with each seed."
    )
    training: dict[str, Any] = Field(
        default={}, description="Training settings that all rows share; see below."
    )
    rows: list[dict[str, Any]] = Field(
        min_length=1,
        description="The rows of the comparison, each with its own training settings; see below.",
    )
    search: dict[str, list[Any]] = Field(
        default={},
        description="Training settings to search, each with a list of values. Every row is trained "
        "with every combination of the settings that concern it, and its runs then take the "
        "combination with the best validation perplexity.",
    )
    search_seed: NaturalInt = Field(
        default=0, description="Seed of the runs of the search; it must be none of `seeds`."
    )
    testing: TestingSettings = Field(
        default=TestingSettings(), description="Further evaluations, and rivals to compare with."
    )
    tracking: TrackingSettings = Field(
        default=TrackingSettings(), description="The MLflow store that the runs are entered into."
    )

    @model_validator(mode="after")
    def _runs_are_valid(self) -> Experiment:
        for label, part in self._parts():
            unknown = sorted(set(part) - RUN_KEYS)
            if unknown:
                allowed = ", ".join(sorted(RUN_KEYS))
                raise ValueError(f"`{label}`: unknown key `{unknown[0]}`; allowed: {allowed}")
        self._search_is_possible()
        names = [run.name for run in self.trainings()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"`rows`: two rows make the same run `{twice[0]}`")
        if not names:
            raise ValueError("`rows`: no run: a list of values is empty")
        return self

    def _search_is_possible(self) -> None:
        for key in sorted(self.search):
            if key in ROW_NAME_KEYS:
                raise ValueError(
                    f"`search`: `{key}` tells rows apart: give it to `rows`, as a list"
                )
            if key in HARDWARE_KEYS:
                raise ValueError(
                    f"`search`: `{key}` decides what hardware a run requires: "
                    "give it to `training`, or to a row"
                )
        if self.search and self.search_seed in self.seeds:
            raise ValueError("`search_seed`: must be none of `seeds`")

    def _parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "training", self.training
        yield "search", self.search
        yield from ((f"rows.{i}", row) for i, row in enumerate(self.rows))

    def trainings(self) -> list[PlannedRun]:
        """Return every run: first those of the search, then those of the rows."""
        return [*self.search_runs(), *self.runs()]

    def runs(self) -> list[PlannedRun]:
        """Return the runs of the rows: corpora × rows × seeds."""
        return [
            run
            for corpus, place, row in self._rows()
            for candidates in [[run.name for run in self._candidates(corpus, place, row)]]
            for run in (
                _run(place, row, corpus=corpus, seed=seed, candidates=candidates)
                for seed in self.seeds
            )
        ]

    def search_runs(self) -> list[PlannedRun]:
        """Return the runs of the search: corpora × rows × searched values."""
        return [
            run
            for corpus, place, row in self._rows()
            for run in self._candidates(corpus, place, row)
        ]

    def _rows(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the rows as (corpus, place in the configuration, settings).

        A row whose settings are lists gives one row for each combination of their values.
        """
        for corpus in self.corpora:
            for index, row in enumerate(self.rows):
                lists = [v if isinstance(v, list) else [v] for v in row.values()]
                for values in itertools.product(*lists):
                    one = dict(zip(row, values, strict=True))
                    yield corpus, f"rows.{index}", {**self.training, **one}

    def _candidates(self, corpus: str, place: str, row: dict[str, Any]) -> Iterator[PlannedRun]:
        """Yield a row's runs in the search; a static row skips the document vector's settings."""
        static = not row.get("document_size", 0)
        search = {k: v for k, v in self.search.items() if not (static and _is_of_vector(k))}
        if not search:
            return
        for values in itertools.product(*search.values()):
            searched = dict(zip(search, values, strict=True))
            yield _run(place, row, corpus=corpus, seed=self.search_seed, searched=searched)


def _is_of_vector(key: str) -> bool:
    return key.startswith("document_")


def _run(
    place: str,
    row: dict[str, Any],
    *,
    corpus: str,
    seed: int,
    searched: dict[str, Any] | None = None,
    candidates: Sequence[str] = (),
) -> PlannedRun:
    searched = searched or {}
    settings = _run_settings({**row, **searched, "corpus": corpus, "seed": seed}, place)
    return PlannedRun(settings=settings, searched=searched, candidates=tuple(candidates))


def _run_settings(values: dict[str, Any], where: str) -> RunSettings:
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        raise ValueError(first_message(error, where)) from None
