"""The configuration of an experiment, as a typed model, and its plan.

`workflow/schemas/config.schema.yaml` and `config/README.md` are made from the class below and from
those of the other modules of this package.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from online_rnnlm.config.base import Distinct, FilePath, Name, Seed, Settings
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.mistakes import all_messages
from online_rnnlm.config.planned_rows import PlannedNetwork, PlannedRow, networks_of, plan_row
from online_rnnlm.config.reading import read_mapping
from online_rnnlm.config.rivals import CORPUS_RIVALS, DYNAMIC, CorpusRival
from online_rnnlm.config.rows import Row, Searches, WrittenTraining
from online_rnnlm.config.runs import Digits, Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.errors import UserError


class Experiment(Settings):
    """One experiment: its corpora, the rows to compare and the seeds."""

    experiment: Name
    """Name of the experiment; everything is written to `results/<experiment>/`."""
    downloads: FilePath = Path("results/downloads")
    """Folder for downloaded files."""
    corpora: dict[Name, CorpusSettings] = Field(min_length=1)
    """The corpora, by name; every row is trained on each."""
    seeds: Annotated[list[Seed], Distinct] = Field(default=[1], min_length=1)
    """Every row is trained once with each seed."""
    training: WrittenTraining = Field(default={})
    """Training settings that all rows share; see below."""
    rows: list[Row] = Field(min_length=1)
    """The rows of the comparison, each with its own training settings; see below. A row may also
    have a `search` of its own, in place of the one below, and `corpora`, a list of those that it is
    trained on, if these are not all."""
    search: Searches = Field(default=[])
    """Training settings to search, each with a list of values. Every row is trained with every
    combination of the settings that concern it, and its runs then take the combination with the
    best validation perplexity. A setting with a single value, such as `max_epochs: 2`, is that of
    the search's runs alone, which may be shorter than the others. A list of such mappings tries
    the combinations of each, such as coarse ones first and then some of them for longer."""
    search_seed: Seed = 0
    """Seed of the runs of the search; it must be none of `seeds`."""
    testing: TestingSettings = TestingSettings()
    """Further evaluations, and rivals to compare with."""

    @model_validator(mode="after")
    def _has_a_folder_of_its_own(self) -> Experiment:
        if Path("results", self.experiment) == self.downloads:
            raise ValueError(
                f"`experiment`: `{self.downloads}` is the folder of `downloads`: give another name"
            )
        return self

    @model_validator(mode="after")
    def _names_its_corpora(self) -> Experiment:
        for number, row in enumerate(self.rows):
            for name in row.get("corpora") or []:
                if name not in self.corpora:
                    raise ValueError(
                        f"`rows[{number}].corpora`: no corpus `{name}`; allowed: "
                        f"{', '.join(self.corpora)}"
                    )
        return self

    @model_validator(mode="after")
    def _rows_can_be_trained(self) -> Experiment:
        if self.searched and self.search_seed in self.seeds:
            raise ValueError(f"`search_seed`: {self.search_seed} is one of `seeds`")
        for network in self.networks:
            corpus = network.settings.corpus
            unit = network.settings.unit_of_text
            if unit != "sentence" and not self.corpora[corpus].trains_in_order:
                raise ValueError(
                    f"`corpora.{corpus}.divide_by`: `unit_of_text: {unit}` in a row needs text in "
                    "its order: `article`, or ready files without `train_sentences`"
                )
        return self

    @model_validator(mode="after")
    def _updates_test_something(self) -> Experiment:
        if self.testing.updates and not self.has_updates:
            raise ValueError(
                "`testing.updates`: tests nothing: no row has such a part that can learn, or what "
                "is learnt after a sentence is lost at its end"
            )
        return self

    @model_validator(mode="after")
    def _tested_documents_are_in_order(self) -> Experiment:
        if self.testing.updates and "document" in self.testing.unit_of_text:
            for name, settings in self.corpora.items():
                if not settings.keeps_order:
                    raise ValueError(
                        f"`corpora.{name}.divide_by`: `unit_of_text: document` in `testing` needs "
                        "`article`: text in order"
                    )
        return self

    @model_validator(mode="after")
    def _dynamic_evaluation_has_kernels(self) -> Experiment:
        if DYNAMIC not in self.testing.rivals:
            return self
        kernels = ENGINES["kernel"]
        for network in self.networks:
            cell = network.settings.cell
            if not kernels.has_cell(cell):
                raise ValueError(
                    f"`testing.rivals`: `{DYNAMIC}` needs kernels, and `rows[{network.entry}]` has "
                    f"`cell: {cell}`; cells with kernels: {', '.join(sorted(kernels.cells or ()))}"
                )
        return self

    @property
    def has_updates(self) -> bool:
        """True if any run is tested in a way that `testing.updates` adds."""
        return any(
            isinstance(evaluation, Adaptation) and evaluation.unit_of_text is not None
            for network in self.networks
            for evaluation in evaluations_of(network.settings, self.testing).values()
        )

    @property
    def searched(self) -> list[str]:
        """The names of the settings that any row searches."""
        tried = (values for network in self.networks for values in network.search.values())
        return [*dict.fromkeys(key for values in tried for key in values)]

    def of_results(self) -> dict[str, Any]:
        """Return all settings that a result can depend on, as values for JSON.

        Where downloads lie decides no table, figure or page.
        """
        return self.model_dump(mode="json", exclude={"downloads"})

    @cached_property
    def networks(self) -> tuple[PlannedNetwork, ...]:
        """The networks that the rows make on every corpus."""
        return networks_of(self)


class Plan(Experiment):
    """An experiment whose texts and code are known, and so the names of all folders.

    The workflow writes it to `results/<experiment>/config.json`, where every job reads it.
    """

    digits: Digits
    """Digits that name the folders of corpora and runs."""

    @cached_property
    def planned_rows(self) -> tuple[PlannedRow, ...]:
        """The rows on every corpus: each network's runs, and those of its search."""
        return tuple(plan_row(network, self.seeds, self.digits) for network in self.networks)

    def trainings(self) -> list[Run]:
        """Return every run: first those of the search, then those of the rows."""
        return [*self.search_runs(), *self.runs()]

    def runs(self) -> list[Run]:
        """Return the runs of the rows: corpora × rows × seeds."""
        return [run for row in self.planned_rows for run in row.runs]

    def search_runs(self) -> list[Run]:
        """Return the runs of the search: corpora × rows × searched values."""
        return [run for row in self.planned_rows for run in row.candidates]

    @property
    def corpus_rivals(self) -> dict[str, CorpusRival]:
        """The rivals that corpora are tested with, by the names of their evaluations' folders."""
        trained = [
            CorpusRival(
                kind=name,
                rival=self.testing.rivals_by_name[name],
                corpus=corpus,
                corpus_folder=self.digits.folder_of(corpus),
            )
            for corpus in self.corpora
            for name in CORPUS_RIVALS
            if name in self.testing.rivals
        ]
        return {one.name: one for one in trained}

    @classmethod
    def of(cls, experiment: Experiment, digits: Digits) -> Plan:
        """Return the plan of an experiment, which has been checked already."""
        settings = {key: getattr(experiment, key) for key in Experiment.model_fields}
        return cls.model_construct(**settings, digits=digits)


def load(path: Path) -> Experiment:
    """Read and check a configuration file; that of results is a plan. Raises UserError."""
    return parse(read_mapping(path), str(path))


def load_plan(path: Path) -> Plan:
    """Read and check the `config.json` of results; raises UserError."""
    experiment = load(path)
    if not isinstance(experiment, Plan):
        raise UserError(f"{path}: `digits`: is required")
    return experiment


def parse(values: dict[str, Any], file: str = "configuration") -> Experiment:
    """Check a configuration that has been read already; one with digits is a plan.

    Raises UserError with one line that names the file, the key and the allowed values.
    """
    kind = Plan if "digits" in values else Experiment
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{file}: {all_messages(error, values)}") from None
