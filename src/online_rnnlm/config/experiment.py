"""The configuration of an experiment, as a typed model: what a user may write.

`workflow/schemas/config.schema.yaml` and `config/README.md` are made from the class below and from
those of the other modules of this package.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from online_rnnlm.config.base import FilePath, Name, Seed, Seeds, Settings
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.engines import ENGINES
from online_rnnlm.config.networks import PlannedNetwork, networks_of
from online_rnnlm.config.rivals import (
    CORPUS_RIVALS,
    DYNAMIC,
    RUN_RIVALS,
    Rival,
    RivalName,
    rivals_for,
)
from online_rnnlm.config.rows import Row, Searches, WrittenTraining
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core.adaptation import Adaptation


class Experiment(Settings):
    """One experiment: its corpora, the rows to compare and the seeds."""

    experiment: Name
    """Name of the experiment; everything is written to `results/<experiment>/`."""
    downloads: FilePath = Path("results/downloads")
    """Folder for downloaded files."""
    corpora: dict[Name, CorpusSettings] = Field(min_length=1)
    """The corpora, by name; every row is trained on each."""
    seeds: Seeds = Field(default=[1])
    """Every row is trained once with each seed, if it has no `seeds` of its own."""
    training: WrittenTraining = Field(default={})
    """Training settings that all rows share; see below."""
    rows: list[Row] = Field(min_length=1)
    """The rows of the comparison, each with its own training settings; see below. A row may also
    have a `search` of its own, in place of the one below; `corpora`, a list of those that it is
    trained on, if these are not all; `seeds`; and `updates` and `rivals` of its own, in place of
    those of `testing` (`[]` is none): only `kneser_ney` is a rival of all."""
    search: Searches = Field(default=[])
    """Training settings to search, each with a list of values. Every row is trained with every
    combination of the settings that concern it, and its runs then take the combination with the
    best validation perplexity. A setting with a single value, such as `max_epochs: 2`, is that of
    the search's runs alone, which may be shorter than the others. A list of such mappings tries
    the combinations of each, such as coarse ones first and then some of them for longer."""
    search_seed: Seed = 0
    """Seed of the runs of the search; it must be none of the others."""
    testing: TestingSettings = TestingSettings()
    """Further evaluations, and rivals to compare with."""

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
        if self.searched and self.search_seed in self.all_seeds:
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
        updated = {"testing.updates": [False]} if self.testing.updates else {}
        for network in self.networks:
            if network.testing.updates:
                place = self._place_of("updates", network)
                updated.setdefault(place, []).append(_is_updated(network))
        for place, networks in updated.items():
            if not any(networks):
                raise ValueError(
                    f"`{place}`: tests nothing: no row that takes it has such a part that can "
                    "learn, or what is learnt after a sentence is lost at its end"
                )
        return self

    @model_validator(mode="after")
    def _tested_documents_are_in_order(self) -> Experiment:
        for network in self.networks:
            name = network.settings.corpus
            tests_documents = network.testing.updates and "document" in self.testing.unit_of_text
            if tests_documents and not self.corpora[name].keeps_order:
                raise ValueError(
                    f"`corpora.{name}.divide_by`: `unit_of_text: document` in `testing` needs "
                    "`article`: text in order"
                )
        return self

    @model_validator(mode="after")
    def _dynamic_evaluation_has_kernels(self) -> Experiment:
        kernels = ENGINES["kernel"]
        for network in self.networks:
            cell = network.settings.cell
            if DYNAMIC in network.testing.rivals and not kernels.has_cell(cell):
                place = self._place_of("rivals", network)
                raise ValueError(
                    f"`{place}`: `{DYNAMIC}` needs kernels, and `rows[{network.entry}]` has "
                    f"`cell: {cell}`; cells with kernels: {', '.join(sorted(kernels.cells or ()))}"
                )
        return self

    def _place_of(self, key: Literal["updates", "rivals"], network: PlannedNetwork) -> str:
        """Return the key in the file that gives a network its updates or its rivals."""
        own = self.rows[network.entry].get(key) is not None
        return f"rows[{network.entry}].{key}" if own else f"testing.{key}"

    @property
    def has_updates(self) -> bool:
        """True if any run has an evaluation that `updates` add."""
        return any(_is_updated(network) for network in self.networks)

    @property
    def rivals(self) -> list[RivalName]:
        """The rivals that any network, or a corpus, is compared with."""
        compared = {name for network in self.networks for name in network.testing.rivals}
        return [name for name in (*RUN_RIVALS, *CORPUS_RIVALS) if name in compared]

    @property
    def rivals_by_name(self) -> dict[str, Rival]:
        """All rivals that there are, by name; a mixture has the parts that it has in any row."""
        return rivals_for(self.rivals, self.testing.kneser_ney_order)

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of all networks, in their order."""
        return sorted({seed for network in self.networks for seed in network.seeds})

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


def _is_updated(network: PlannedNetwork) -> bool:
    """Return True if a network has an evaluation that `updates` add."""
    return any(
        isinstance(evaluation, Adaptation) and evaluation.unit_of_text is not None
        for evaluation in network.evaluations.values()
    )
