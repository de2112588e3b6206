"""The table `corpora`: the size of each split, and the share that the vocabulary misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.rendering import Column, Table, integer, label, percent
from online_rnnlm.storage.paths import SPLITS
from online_rnnlm.storage.records import Statistics


def make(results: Results) -> Table:
    """Make the table, with a row for each split of each corpus."""
    corpora = results.corpora.values()
    data = pd.DataFrame([row for statistics in corpora for row in _rows(statistics)])
    columns = [
        Column("Corpus", _once(label("corpus")), text=True),
        Column("Articles", _once(integer("articles"))),
        Column("Vocabulary", _once(integer("vocabulary_size"))),
        Column("Classes", _once(integer("classes"))),
        Column("Split", label("split"), text=True),
        *(Column(key.capitalize(), integer(key)) for key in ("sentences", "words", "tokens")),
        Column("Types", integer("types")),
        Column("OOV (%)", percent("oov_rate")),
    ]
    notes = [
        "Tokens count </s>, words do not. Types: different words, before the vocabulary is "
        "applied. OOV: the share of words that are <unk>.",
        *(_classes_note(statistics) for statistics in corpora),
        *(note for statistics in corpora for note in _dropped_notes(statistics)),
    ]
    return Table("corpora", "The corpora", data.astype({"articles": "Int64"}), columns, notes)


def _once(show: Callable[[pd.Series], str]) -> Callable[[pd.Series], str]:
    """Return a function that shows a corpus's property only in the row of its first split."""
    return lambda row: show(row) if row["split"] == SPLITS[0] else ""


def _rows(statistics: Statistics) -> Iterator[dict[str, Any]]:
    source = statistics.source
    for split in SPLITS:
        found = statistics.splits[split]
        yield {
            "corpus": statistics.corpus,
            "split": split,
            "documents": found.documents,
            "sentences": found.sentences,
            "words": found.words,
            "tokens": found.tokens,
            "types": found.types,
            "oov_rate": found.oov_rate,
            "articles": statistics.articles,
            "vocabulary_size": statistics.vocabulary_size,
            "classes": statistics.classes,
            "class_rule": statistics.class_rule,
            "largest_class": max(statistics.class_sizes),
            "mean_class_size": found.mean_class_size,
            "title": source.title,
            "licence": source.licence,
            "origin": source.origin,
        }


def _classes_note(statistics: Statistics) -> str:
    scored = statistics.splits["train"].mean_class_size
    return (
        f"{statistics.corpus}: classes by the rule {statistics.class_rule}; words in the largest: "
        f"{max(statistics.class_sizes):,}; words scored for a token of train, on average, besides "
        f"the classes: {scored:,.1f}."
    )


def _dropped_notes(statistics: Statistics) -> Iterator[str]:
    """Yield what became of sentences in no split and in two, and of words never trained."""
    reasons = [f"{number:,} {reason}" for reason, number in statistics.dropped.items()]
    if statistics.empty_articles:
        yield f"{statistics.corpus}: articles without text: {statistics.empty_articles:,}."
    if reasons:
        yield (
            f"{statistics.corpus}: of {statistics.sentences_read:,} sentences, these are in no "
            f"split: {', '.join(reasons)}."
        )
    for split in SPLITS[1:]:
        found = statistics.splits[split]
        if found.in_train:
            yield (
                f"{statistics.corpus}: sentences of {split} that are in train, too: "
                f"{found.in_train:,} of {found.sentences:,}."
            )
    for split, number in statistics.unknown_words_never_trained.items():
        yield (
            f"{statistics.corpus}: {number:,} words of {split} are <unk>, which train never has: "
            "no model has learnt how probable it is. With a larger `vocabulary.min_count` rare "
            "words of train become <unk>, too."
        )
