"""The table `perplexity`: the experiment's comparison of models, with the rivals below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.systems import BySeed, System, of_seeds
from online_rnnlm.analysis.tables.table import (
    Column,
    Row,
    Table,
    identity,
    mean_column,
    spread_note,
    table_of,
)
from online_rnnlm.analysis.tables.values import integer, mean, settings_text
from online_rnnlm.core.adaptation import NONE

_COUNTS = ("hidden_size", "document_size", "seeds", "parameters")
"""The columns of the CSV that are whole numbers, or empty for a rival."""


def make(results: Results) -> Table:
    """Make the table: for each corpus a row for each network, then a row for each rival.

    In the CSV, the settings of a network are empty for a rival.
    """
    systems = [system for corpus in results.corpora for system in results.systems_on(corpus)]
    rows = [_row(results, system) for system in systems]
    has_rivals = bool(results.experiment.rivals)
    columns = [
        Column("System" if has_rivals else "Network", "model", text=True),
        mean_column("Test perplexity", "test_perplexity", rows),
        Column("Test, frozen", "test_perplexity_frozen", mean),
        Column("Parameters", "parameters", integer),
        Column("Multiply-adds per word", "multiply_adds_per_word", integer),
        mean_column("Test without <unk>", "test_perplexity_without_unk", rows),
        mean_column("Valid perplexity", "valid_perplexity", rows),
        mean_column("Train perplexity", "train_perplexity", rows),
        Column("Multiply-adds per word, training", "training_multiply_adds_per_word", integer),
        Column("Chosen on valid", "settings", text=True),
    ]
    if results.several_seeds:
        columns.append(Column("Seeds", "seeds", integer))
    table = table_of(results, "Perplexity", rows, columns, _notes(results))
    return replace(table, data=table.data.astype(dict.fromkeys(_COUNTS, "Int64")))


def _notes(results: Results) -> list[str]:
    """Return notes on the columns and on the rivals."""
    experiment = results.experiment
    rivals = [experiment.rivals_by_name[name] for name in experiment.rivals]
    each = "each column on each corpus" if results.several_corpora else "each column"
    return [
        "Perplexity counts </s> and <unk>; M/D: hidden units / length of the document vector. "
        f"{spread_note(results)} Bold: the lowest perplexity of {each}.",
        *dict.fromkeys(rival.note for rival in rivals),
    ]


def split(table: Table) -> list[Table]:
    """The table in two, if it has rivals: the networks alone, then all systems."""
    networks = [row for row in table.rows if "hidden_size" in row]
    if len(networks) == len(table.rows):
        return [table]
    caption = table.caption
    return [
        replace(table, rows=networks, caption=f"{caption}: networks", notes=[]),
        replace(table, caption=f"{caption}: all systems"),
    ]


def _row(results: Results, system: System) -> Row:
    """The row of a system; a rival has no perplexity of `train`, and nothing about training.

    The settings are those that were chosen on `valid`, and the words per second those of training.
    """
    network = system.network_alone
    speed = of_seeds([])
    training = None
    if network:
        training = network.first.end.training_multiply_adds_per_word
        speed = of_seeds(run.end.words_per_second for run in network.runs)
    return {
        **(identity(network) if network else {"corpus": system.corpus, "model": system.title}),
        "evaluation": system.by_seed[0].evaluation,
        "settings": _settings(results, system),
        "seeds": len(system.by_seed) if system.network else None,
        "parameters": system.parameters,
        "multiply_adds_per_word": system.multiply_adds,
        "training_multiply_adds_per_word": training,
        "train_perplexity": system.perplexity("train"),
        "valid_perplexity": system.perplexity("valid"),
        "test_perplexity": system.perplexity("test"),
        "test_perplexity_without_unk": system.metric("perplexity_without_unk", "test"),
        "test_perplexity_frozen": _frozen(system),
        "words_per_second": speed,
    }


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


def overview(systems: Sequence[System], between: Sequence[Column]) -> Table:
    """A short table of systems: test perplexities, other columns between, and costs in testing.

    It has a column of corpora if there are several.
    """
    columns = [
        Column("text", lambda system: system.corpus, text=True),
        Column("network", lambda system: system.title, text=True),
        Column("test perplexity", System.perplexity, mean),
        *between,
        Column("parameters", lambda system: system.parameters, integer),
        Column("multiply-adds per word", lambda system: system.multiply_adds, integer),
    ]
    several = len({system.corpus for system in systems}) > 1
    return Table("", systems, columns if several else columns[1:])


def networks(results: Results) -> Table:
    """The overview of the networks as in training, with their perplexities while frozen."""
    shown = [network.main for corpus in results.corpora for network in results.networks_on(corpus)]
    return overview(shown, [Column("vector frozen", _frozen, mean)])
