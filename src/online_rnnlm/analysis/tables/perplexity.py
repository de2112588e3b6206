"""The table `perplexity`: the experiment's comparison of models, with the rivals below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from online_rnnlm.analysis.results import NO_NETWORK, NothingToShowError, Results
from online_rnnlm.analysis.systems import BySeed, System, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    corpus_column,
    data_of,
    mean_column,
    on_corpus,
    spread_note,
)
from online_rnnlm.analysis.tables.values import integer, mean, settings_text
from online_rnnlm.core.adaptation import NONE

_COUNTS = ("hidden_size", "document_size", "seeds", "parameters")
"""The columns of the CSV that are whole numbers, or empty for a rival."""


@dataclass(frozen=True, eq=False)
class SystemRow:
    """A system; a rival has no perplexity of `train`, and nothing that is about training."""

    system: System
    evaluation: str
    """The evaluation that the perplexities are from."""
    settings: str
    """The settings that were chosen on `valid`."""
    seeds: int | None
    parameters: int | None
    multiply_adds_per_word: float
    training_multiply_adds_per_word: float | None
    train_perplexity: BySeed
    valid_perplexity: BySeed
    test_perplexity: BySeed
    test_perplexity_without_unk: BySeed
    test_perplexity_frozen: BySeed
    """While the vector is frozen; empty without a vector."""
    words_per_second: BySeed
    """In training."""

    @property
    def corpus(self) -> str:
        """The system's corpus."""
        return self.system.corpus


def make(results: Results) -> Table[SystemRow]:
    """Make the table: for each corpus a row for each network, then a row for each rival.

    In the CSV, the settings of a network are empty for a rival. Raises NothingToShowError if no
    network has finished.
    """
    if not results.networks:
        raise NothingToShowError(NO_NETWORK)
    systems = [system for corpus in results.corpora for system in results.systems_on(corpus)]
    rows = [_row(results, system) for system in systems]
    has_rivals = bool(results.experiment.testing.rivals)
    columns: list[Column[SystemRow]] = [
        Column("System" if has_rivals else "Network", lambda row: row.system.title, text=True),
        mean_column("Test perplexity", rows, lambda row: row.test_perplexity),
        *corpus_column(results),
        Column("Test, frozen", lambda row: mean(row.test_perplexity_frozen)),
        Column("Parameters", lambda row: integer(row.parameters)),
        Column("Multiply-adds per word", lambda row: integer(row.multiply_adds_per_word)),
        mean_column("Test without <unk>", rows, lambda row: row.test_perplexity_without_unk),
        mean_column("Valid perplexity", rows, lambda row: row.valid_perplexity),
        mean_column("Train perplexity", rows, lambda row: row.train_perplexity),
        Column(
            "Multiply-adds per word, training",
            lambda row: integer(row.training_multiply_adds_per_word),
        ),
        Column("Chosen on valid", lambda row: row.settings, text=True),
    ]
    if results.several_seeds:
        columns.append(Column("Seeds", lambda row: integer(row.seeds)))
    data = data_of(rows, results).astype(dict.fromkeys(_COUNTS, "Int64"))
    return Table(on_corpus("Perplexity", results), rows, columns, _notes(results), data)


def _notes(results: Results) -> list[str]:
    """Return notes on the columns and on the rivals."""
    testing = results.experiment.testing
    rivals = [testing.rivals_by_name[name] for name in testing.run_rivals]
    rivals += [system.rival for system in results.rivals if system.rival]
    each = "each column on each corpus" if results.several_corpora else "each column"
    return [
        "Perplexity counts </s> and <unk>; M/D: hidden units / length of the document vector. "
        f"{spread_note(results)} Bold: the lowest perplexity of {each}.",
        *dict.fromkeys(rival.note for rival in rivals),
    ]


def split(table: Table[SystemRow]) -> list[Table[SystemRow]]:
    """The table in two, if it has rivals: the networks alone, then all systems."""
    networks = [row for row in table.rows if not row.system.rival]
    if len(networks) == len(table.rows):
        return [table]
    caption = table.caption
    return [
        replace(table, rows=networks, caption=f"{caption}: networks", notes=[]),
        replace(table, caption=f"{caption}: all systems"),
    ]


def _row(results: Results, system: System) -> SystemRow:
    """The row of a system."""
    network = system.network_alone
    speed = of_seeds([])
    training = None
    if network:
        training = network.first.end.training_multiply_adds_per_word
        speed = of_seeds(run.end.words_per_second for run in network.runs)
    return SystemRow(
        system=system,
        evaluation=system.by_seed[0].evaluation,
        settings=_settings(results, system),
        seeds=len(system.by_seed) if system.network else None,
        parameters=system.parameters,
        multiply_adds_per_word=system.multiply_adds,
        training_multiply_adds_per_word=training,
        train_perplexity=system.perplexity("train"),
        valid_perplexity=system.perplexity("valid"),
        test_perplexity=system.perplexity("test"),
        test_perplexity_without_unk=system.metric("perplexity_without_unk", "test"),
        test_perplexity_frozen=_frozen(system),
        words_per_second=speed,
    )


def _frozen(system: System) -> BySeed:
    """The test perplexity of a network while its vector is frozen; empty if it has none."""
    network = system.network_alone
    return network.tested[NONE].perplexity() if network and network.has_vector else of_seeds([])


def _settings(results: Results, system: System) -> str:
    """The settings that were chosen on `valid`; the table `mixtures` has those of a mixture."""
    if system.rival and system.rival.parts:
        return ""
    network = system.network_alone
    if network:
        chosen = network.first.run.chosen
        return settings_text([run.searched for run, _ in results.candidates if run.name == chosen])
    return settings_text([evaluation.chosen for evaluation in system.by_seed])


def overview(systems: Sequence[System], between: Sequence[Column[System]]) -> Table[System]:
    """A short table of systems: test perplexities, other columns between, and costs in testing.

    It has a column of corpora if there are several.
    """
    columns: list[Column[System]] = [
        Column("text", lambda system: system.corpus, text=True),
        Column("network", lambda system: system.title, text=True),
        Column("test perplexity", lambda system: mean(system.perplexity())),
        *between,
        Column("parameters", lambda system: integer(system.parameters)),
        Column("multiply-adds per word", lambda system: integer(system.multiply_adds)),
    ]
    several = len({system.corpus for system in systems}) > 1
    return Table("", systems, columns if several else columns[1:])


def networks(results: Results) -> Table[System]:
    """The overview of the networks as in training, with their perplexities while frozen."""
    frozen: Column[System] = Column("vector frozen", lambda system: mean(_frozen(system)))
    shown = [network.main for corpus in results.corpora for network in results.networks_on(corpus)]
    return overview(shown, [frozen])
