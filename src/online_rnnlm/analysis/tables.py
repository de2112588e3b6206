"""The tables: corpora, perplexities, what learns during testing, and the settings' search."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from online_rnnlm.analysis.collect import MODEL, Results, chosen, collect, valid_perplexities
from online_rnnlm.analysis.published import Published, load_published
from online_rnnlm.analysis.rendering import (
    Column,
    Table,
    integer,
    label,
    lowest,
    mean,
    percent,
    write_table,
)
from online_rnnlm.configuration import Experiment
from online_rnnlm.runs import SPLITS, ExperimentDirectory, final_updates, updates_of
from online_rnnlm.updates import NONE

STILL = "test_perplexity_vector_still"
WITHOUT_TRAIN = ("valid", "test")


def write_tables(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> None:
    """Write all tables of an experiment; `published` is `config/published.yaml`."""
    results = collect(experiment, directory)
    for table in tables(results, load_published(published)):
        write_table(table, directory)


def tables(results: Results, published: Published) -> list[Table]:
    """The tables: `corpora`, `perplexity`; with such settings `updates` and `search`, too."""
    make: dict[str, Callable[[Results], Table]] = {
        "corpora": corpora_table,
        "perplexity": partial(perplexity_table, published=published),
        "updates": updates_table,
        "search": search_table,
    }
    return [make[name](results) for name in table_names(results.experiment)]


def table_names(experiment: Experiment) -> list[str]:
    """The names of the tables that `write_tables` writes."""
    updates = ["updates"] if experiment.testing.updates else []
    return ["corpora", "perplexity", *updates, *(["search"] if experiment.search else [])]


def corpora_table(results: Results) -> Table:
    """A row a corpus: its size, its vocabulary and how much of it the vocabulary misses."""
    columns = [
        Column("Corpus", label("corpus"), text=True),
        Column("Articles", integer("articles")),
        *(Column(f"Sentences, {split}", integer(f"{split}_sentences")) for split in SPLITS),
        *(Column(f"Tokens, {split}", integer(f"{split}_tokens")) for split in SPLITS),
        Column("Vocabulary", integer("vocabulary_size")),
        *(Column(f"OOV, {split} (%)", percent(f"{split}_oov_rate")) for split in SPLITS),
        Column("Classes", integer("classes")),
        Column("Class rule", label("class_rule"), text=True),
        Column("Largest class (words)", integer("largest_class")),
    ]
    data = pd.DataFrame([_corpus_row(statistics) for statistics in results.corpora.values()])
    notes = ["Tokens count </s>; the OOV rate is the share of words, without </s>, that are <unk>."]
    return Table("corpora", "The corpora", data, columns, notes)


def _corpus_row(statistics: dict[str, Any]) -> dict[str, Any]:
    splits, source = statistics["splits"], statistics["source"]
    figures = ("sentences", "tokens", "oov_rate")
    return {
        "corpus": statistics["corpus"],
        "articles": statistics["articles"],
        **{f"{split}_{key}": splits[split][key] for key in figures for split in SPLITS},
        "vocabulary_size": statistics["vocabulary_size"],
        "classes": statistics["classes"],
        "class_rule": statistics["class_rule"],
        "largest_class": max(statistics["class_sizes"]),
        "mean_class_size": splits["test"]["mean_class_size"],
        "title": source.get("title"),
        "licence": source.get("licence"),
        "origin": source.get("origin"),
    }


def perplexity_table(results: Results, published: Published) -> Table:
    """A row for each corpus, M and D: the comparison the whole experiment is for."""
    groups = chosen(results).groupby(MODEL, sort=False)
    data = pd.DataFrame([_perplexity_row(results, runs, published) for _, runs in groups])
    notes = ["Perplexity counts </s> and <unk>; M/D: hidden units / length of the document vector."]
    several = len(results.experiment.seeds) > 1
    notes.append("Mean ± sample standard deviation over the seeds." if several else "One seed.")
    caption = _on_corpus("Perplexity", results)
    return Table("perplexity", caption, data, _perplexity_columns(results), notes)


def _on_corpus(caption: str, results: Results) -> str:
    """Names the corpus in a caption where it is the only one, and so needs no column."""
    corpora = list(results.experiment.corpora)
    return f"{caption} on {corpora[0]}" if len(corpora) == 1 else caption


def _row_columns(results: Results) -> list[Column]:
    """Which row it is: people see only what tells rows apart."""
    columns = [Column("M/D", _model, text=True)]
    if len(results.experiment.corpora) > 1:
        columns.insert(0, Column("Corpus", label("corpus"), text=True))
    return columns


def _perplexity_columns(results: Results) -> list[Column]:
    seeds = [Column("Seeds", integer("seeds"))] if len(results.experiment.seeds) > 1 else []
    return [
        *_row_columns(results),
        *seeds,
        Column("Parameters", integer("parameters")),
        Column("Multiply-adds a word", integer("multiply_adds_per_word")),
        *(
            Column(
                f"{split.capitalize()} perplexity",
                mean(f"{split}_perplexity"),
                best=lowest(f"{split}_perplexity"),
            )
            for split in SPLITS
        ),
        Column("Test, vector still", mean(STILL)),
        Column("Training (words/s)", mean("words_per_second", decimals=0)),
        Column("Published test", label("published_test_perplexity")),
    ]


def _model(row: pd.Series) -> str:
    return f"{row['hidden_size']}/{row['document_size']}"


def _perplexity_row(results: Results, runs: pd.DataFrame, published: Published) -> dict[str, Any]:
    first = runs.iloc[0]
    updates = final_updates(first["document_size"])
    means: dict[str, list[float]] = {
        f"{split}_perplexity": _perplexities(results, runs, split, updates) for split in SPLITS
    }
    online = first["document_size"] > 0
    means[STILL] = _perplexities(results, runs, "test", "none") if online else []
    means["words_per_second"] = list(runs["words_per_second"])
    several = len(results.experiment.seeds) > 1
    return {
        **{key: first[key] for key in MODEL},
        "seeds": len(runs),
        # Whole numbers that no seed changes.
        "parameters": int(first["parameters"]),
        "multiply_adds_per_word": first["multiply_adds_per_word"],
        **{k: v for key, values in means.items() for k, v in _mean(key, values, several).items()},
        "published_test_perplexity": published.test_perplexity(
            first["hidden_size"], first["document_size"]
        ),
    }


def _perplexities(results: Results, runs: pd.DataFrame, split: str, updates: str) -> list[float]:
    return [results.perplexity(name, split, updates) for name in runs["name"]]


def _mean(key: str, values: list[float], several: bool) -> dict[str, float]:
    """A column's mean and, with several seeds, its sample standard deviation."""
    series = pd.Series(values, dtype=float)
    return {key: series.mean(), **({f"{key}_sd": series.std()} if several else {})}


def updates_table(results: Results) -> Table:
    """A row for each corpus, M and D: what comes of each thing that learns during testing."""
    names = results.updates()
    groups = chosen(results).groupby(MODEL, sort=False)
    data = pd.DataFrame([_updates_row(results, runs, names) for _, runs in groups])
    testing = results.experiment.testing
    notes = [
        "Empty: as another column, for want of a document vector. Bold: each row's lowest.",
        f"Weights take plain steps of rate {testing.learning_rate:g} after every word, its loss "
        f"propagated through {testing.steps} hidden states; on each split they start as trained.",
        "Words/s: scoring the test set.",
    ]
    caption = _on_corpus("What learns during testing", results)
    columns = [*_row_columns(results), *(c for name in names for c in _updates_columns(name, data))]
    return Table("updates", caption, data, columns, notes)


def _updates_columns(name: str, data: pd.DataFrame) -> Iterator[Column]:
    heading = {NONE: "nothing"}.get(name, name.replace("_", " ").replace("+", " + "))
    for split in WITHOUT_TRAIN:
        best = partial(_lowest_in_row, f"{split}_perplexity_{name}", f"{split}_perplexity_")
        yield Column(
            f"{split.capitalize()} perplexity, {heading}",
            mean(f"{split}_perplexity_{name}"),
            best=best,
        )
    yield Column(f"Words/s, {heading}", mean(f"words_per_second_{name}", decimals=0))


def _lowest_in_row(key: str, prefix: str, data: pd.DataFrame) -> pd.Series:
    keys = [name for name in map(str, data) if name.startswith(prefix) and name[-3:] != "_sd"]
    return data[key] == data[keys].min(axis=1)


def _updates_row(results: Results, runs: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    first = runs.iloc[0]
    has = updates_of(first["document_size"], results.experiment.testing.updates)
    row = {**{key: first[key] for key in MODEL}, "seeds": len(runs)}
    for name in names:
        shown = list(runs["name"]) if name in has else []
        means = {
            f"{split}_perplexity_{name}": [results.perplexity(r, split, name) for r in shown]
            for split in WITHOUT_TRAIN
        }
        speed = [results.figure(run, "test", name, "words_per_second") for run in shown]
        means[f"words_per_second_{name}"] = speed
        several = len(results.experiment.seeds) > 1
        for key, values in means.items():
            row |= _mean(key, values, several)
    return row


def search_table(results: Results) -> Table:
    """All searched combinations with their perplexity on `valid`, and which one was taken.

    There are no test figures in it: nothing is chosen on the test set.
    """
    keys = list(results.experiment.search)
    taken = set(chosen(results)["name"])
    runs = results.runs.assign(
        valid_perplexity=valid_perplexities(results),
        chosen=[name in taken for name in results.runs["name"]],
    )
    groups = runs.groupby([*MODEL, "searched"], sort=False)
    data = pd.DataFrame([_search_row(results, group) for _, group in groups])
    columns = [
        *_row_columns(results),
        *(Column(key.replace("_", " ").capitalize(), label(key)) for key in keys),
        Column("Epochs", mean("epochs")),
        Column("Valid perplexity", mean("valid_perplexity"), best=lambda rows: rows["chosen"]),
        Column("Chosen", _chosen_mark, text=True),
    ]
    notes = ["Bold: the lowest of its row, which the other tables show. Chosen on valid only."]
    return Table("search", _on_corpus("Settings searched", results), data, columns, notes)


def _chosen_mark(row: pd.Series) -> str:
    return "yes" if row["chosen"] else ""


def _search_row(results: Results, runs: pd.DataFrame) -> dict[str, Any]:
    first = runs.iloc[0]
    several = len(results.experiment.seeds) > 1
    settings = results.records[first["name"]]["settings"]
    return {
        **{key: first[key] for key in MODEL},
        **{key: settings[key] for key in results.experiment.search},
        "seeds": len(runs),
        "epochs": runs["epochs"].mean(),
        **_mean("valid_perplexity", list(runs["valid_perplexity"]), several),
        "chosen": bool(first["chosen"]),
    }
