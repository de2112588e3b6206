"""The table `perplexity`: the experiment's comparison of models, with the rivals below."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tabulate import tabulate

from online_rnnlm.analysis.results import NothingToShowError, Results
from online_rnnlm.analysis.row import Side, System
from online_rnnlm.analysis.tables.choices import settings_text
from online_rnnlm.analysis.tables.table import (
    Column,
    Table,
    comparison_table,
    integer,
    label,
    lowest,
    mean_over_seeds,
    model_keys,
    number,
    spread_note,
)
from online_rnnlm.core.way import NONE
from online_rnnlm.rivals import rivals_of
from online_rnnlm.storage.paths import SPLITS

STILL = "test_perplexity_vector_still"
_WITHOUT_UNK = "test_perplexity_without_unk"
_PERPLEXITIES = {
    "Test perplexity": "test_perplexity",
    "Test without <unk>": _WITHOUT_UNK,
    "Valid perplexity": "valid_perplexity",
    "Train perplexity": "train_perplexity",
}
"""The columns of perplexities of which the lowest is set in bold, by their headings."""
_COUNTS = ["hidden_size", "document_size", "seeds", "parameters"]


def make(results: Results) -> Table:
    """Make the table: for each corpus a row for each model, then a row for each rival.

    In the data, the sizes and `cell` are empty for a rival; `evaluation` names the evaluation that
    the perplexities are from. Raises NothingToShowError if no network has finished.
    """
    if not results.rows:
        raise NothingToShowError("No network has finished.")
    rows = [
        _values(results, system)
        for corpus in results.corpora
        for system in results.systems_on(corpus)
    ]
    data = pd.DataFrame(rows).astype(dict.fromkeys(_COUNTS, "Int64"))
    testing = results.experiment.testing
    rivals = [rivals_of(testing)[name] for name in testing.run_rivals]
    rivals += [system.rival for system in results.rivals if system.rival]
    each = "each column on each corpus" if results.several_corpora else "each column"
    notes = [
        "Perplexity counts </s> and <unk>; M/D: hidden units / length of the document vector. "
        f"{spread_note(results)} Bold: the lowest perplexity of {each}.",
        *dict.fromkeys(rival.note for rival in rivals),
    ]
    test, *others = (
        Column(text, number(key), best=lowest(key)) for text, key in _PERPLEXITIES.items()
    )
    columns = [
        Column("System" if testing.rivals else "Network", label("model"), text=True),
        test,
        Column("Test, frozen", number(STILL)),
        Column("Parameters", integer("parameters")),
        Column("Multiply-adds per word", integer("multiply_adds_per_word")),
        *others,
        Column("Multiply-adds per word, training", integer("training_multiply_adds_per_word")),
        Column("Chosen on valid", label("settings"), text=True),
        *([Column("Seeds", integer("seeds"))] if results.several_seeds else []),
    ]
    return comparison_table(results, "perplexity", "Perplexity", data, columns, notes)


def _values(results: Results, system: System) -> dict[str, Any]:
    """The values of a system; the cost of training a network is not among those of rivals."""
    own = system.row if isinstance(system, Side) and not system.rival else None
    none = pd.Series(dtype=float)
    still = own.sides[NONE].perplexity() if own and own.has_vector else none
    speed = pd.Series([run.end.words_per_second for run in own.runs]) if own else none
    training = own.first.end.training_multiply_adds_per_word if own else None
    names = {"corpus": system.corpus, "model": system.title}
    values = {
        **(model_keys(own.first.run) if own else names),
        "evaluation": system.by_seed[0].evaluation,
        "settings": _settings(results, system),
        "seeds": len(system.by_seed) if isinstance(system, Side) else None,
        "parameters": system.parameters,
        "multiply_adds_per_word": system.multiply_adds,
        "training_multiply_adds_per_word": training,
    }
    for split in SPLITS:  # rivals are not evaluated on `train`
        values |= mean_over_seeds(results, f"{split}_perplexity", system.perplexity(split))
    without = system.metric("perplexity_without_unk", "test")
    values |= mean_over_seeds(results, _WITHOUT_UNK, without)
    values |= mean_over_seeds(results, STILL, still)
    return values | mean_over_seeds(results, "words_per_second", speed)


def _settings(results: Results, system: System) -> str:
    """The settings that were chosen on `valid`; the table `mixtures` has those of a mixture."""
    if system.rival and system.rival.parts:
        return ""
    if isinstance(system, Side) and not system.rival:
        chosen = results.chosen_candidate(system.row)
        return settings_text([chosen.searched]) if chosen else ""
    return settings_text([evaluation.chosen for evaluation in system.by_seed])


def networks(data: pd.DataFrame) -> str:
    """Return the rows of networks of the table `perplexity` as plain text."""
    data = data[data["hidden_size"].notna()]
    several = [Column("text", label("corpus"), text=True)] if data["corpus"].nunique() > 1 else []
    columns = [
        *several,
        Column("network", label("model"), text=True),
        Column("test perplexity", number("test_perplexity")),
        Column("vector frozen", number(STILL)),
        Column("parameters", integer("parameters")),
        Column("multiply-adds per word", integer("multiply_adds_per_word")),
    ]
    table = Table("summary", "", data, columns)
    sides = ["left" if column.text else "right" for column in columns]
    cells = table.cells()
    return str(tabulate(cells, table.headings, "simple", disable_numparse=True, colalign=sides))
