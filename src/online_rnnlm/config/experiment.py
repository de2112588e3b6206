"""The configuration of an experiment, as a typed model.

`workflow/schemas/config.schema.yaml` and `config/README.md` are made from the class below and from
those of the other modules of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from online_rnnlm.config.base import NOT_BOOLEAN, Distinct, FilePath, Name, Seed, Settings
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engine_table import EngineTableSettings
from online_rnnlm.config.evaluations import (
    refuse_rivals_without_kernels,
    refuse_tests_of_nothing,
)
from online_rnnlm.config.listed import Row, Search, Values
from online_rnnlm.config.messages import WrongValue
from online_rnnlm.config.plan import PlannedRow, plan_rows, refuse_equal_names
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.tracking import TrackingSettings

MOST_THREADS = 64


class Experiment(Settings):
    """One experiment: its corpora, the rows to compare and the seeds."""

    experiment: Name = Field(
        description="Name of the experiment; everything is written to `results/<experiment>/`."
    )
    downloads: FilePath = Field(
        default=Path("results/downloads"), description="Folder for downloaded files."
    )
    corpora: dict[Name, CorpusSettings] = Field(
        min_length=1, description="The corpora, by name; every row is trained on each."
    )
    seeds: Annotated[list[Seed], Distinct] = Field(
        default=[1], min_length=1, description="Every row is trained once with each seed."
    )
    training: Values = Field(
        default={}, description="Training settings that all rows share; see below."
    )
    threads: Annotated[int, Field(ge=1, le=MOST_THREADS), NOT_BOOLEAN] = Field(
        default=1,
        description="Number of threads, each on a core of its own, that train a run of the engine "
        "`kernel` together; other engines use one. No job uses more cores than Snakemake or the "
        "cluster gives it. The results are the same to the bit for every number. Many runs finish "
        "soonest side by side, each with one thread; a single large one with several. A batch of "
        "64 sentences has work for two in its recurrent parts, and for more in its products.",
    )
    rows: list[Row] = Field(
        min_length=1,
        description="The rows of the comparison, each with its own training settings; see below.",
    )
    search: Search = Field(
        default={},
        description="Training settings to search, each with a list of values. Every row is trained "
        "with every combination of the settings that concern it, and its runs then take the "
        "combination with the best validation perplexity.",
    )
    search_seed: Seed = Field(
        default=0, description="Seed of the runs of the search; it must be none of `seeds`."
    )
    testing: TestingSettings = Field(
        default=TestingSettings(), description="Further evaluations, and rivals to compare with."
    )
    engine_table: EngineTableSettings = Field(
        default=EngineTableSettings(),
        description="The table of engines that `make engines` makes.",
    )
    tracking: TrackingSettings = Field(
        default=TrackingSettings(), description="The MLflow store that the runs are entered into."
    )

    @model_validator(mode="after")
    def _runs_are_valid(self) -> Experiment:
        if self.search and self.search_seed in self.seeds:
            raise WrongValue(("search_seed",), f"{self.search_seed} is one of `seeds`")
        rows = list(self._rows())
        refuse_equal_names(rows, self.rows)
        tried = {key for row in rows for run in row.candidates for key in run.searched}
        for key in self.search:
            if key not in tried:
                raise WrongValue(("search", key), "changes nothing in any row: leave it out")
        for row in rows:
            corpus = row.settings.corpus
            if row.settings.unit_of_text == "document" and not self.corpora[corpus].has_documents:
                message = "`unit_of_text: document` in a row needs whole articles: `article`"
                raise WrongValue(("corpora", corpus, "divide_by"), message)
        refuse_tests_of_nothing(self.testing, {row.settings.document_size for row in rows})
        refuse_rivals_without_kernels(self.testing, [row.settings for row in rows])
        return self

    def of_results(self) -> dict[str, Any]:
        """Return all settings that a result can depend on, as values for JSON.

        Where downloads lie, where runs are tracked and how many threads train decides no table,
        figure or page, and what the table of engines has is read from its own files.
        """
        without = {"downloads", "tracking", "threads", "engine_table"}
        return self.model_dump(mode="json", exclude=without)

    def trainings(self) -> list[PlannedRun]:
        """Return every run: first those of the search, then those of the rows."""
        return [*self.search_runs(), *self.runs()]

    def runs(self) -> list[PlannedRun]:
        """Return the runs of the rows: corpora × rows × seeds."""
        return [row.run(seed) for row in self._rows() for seed in self.seeds]

    def search_runs(self) -> list[PlannedRun]:
        """Return the runs of the search: corpora × rows × searched values."""
        return [run for row in self._rows() for run in row.candidates]

    def _rows(self) -> Iterator[PlannedRow]:
        for corpus in self.corpora:
            yield from plan_rows(corpus, self.training, self.rows, self.search, self.search_seed)
