"""The table `corpora`: the size of each split, and the share that the vocabulary misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Table, integer, label
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.paths import SPLITS

_OF_SPLIT = ("documents", "sentences", "words", "tokens", "types", "oov_rate")
_OF_CORPUS = ("articles", "vocabulary_size", "classes", "class_rule")


def make(results: Results) -> Table:
    """Make the table, with a row for each split of each corpus."""
    corpora = results.corpora.items()
    rows: list[dict[str, Any]] = []
    for name, corpus in corpora:
        for split, statistics in corpus.splits.items():
            rows.append(
                {
                    "corpus": name,
                    "split": split,
                    **{key: getattr(statistics, key) for key in _OF_SPLIT},
                    **{key: getattr(corpus, key) for key in _OF_CORPUS},
                }
            )
    data = pd.DataFrame(rows).astype({"articles": "Int64"})
    # For people, a corpus's properties stand only in the row of its first split.
    is_first = data["split"] == SPLITS[0]
    once = {key: data[key].where(is_first) for key in ("corpus", *_OF_CORPUS)}
    columns = [
        Column("Corpus", label("corpus"), text=True),
        Column("Articles", integer("articles")),
        Column("Vocabulary", integer("vocabulary_size")),
        Column("Classes", integer("classes")),
        Column("Split", label("split"), text=True),
        *(Column(key.capitalize(), integer(key)) for key in ("sentences", "words", "tokens")),
        Column("Types", integer("types")),
        Column("OOV (%)", label("oov_rate", lambda share: f"{100 * share:.1f}")),
    ]
    notes = [
        "Tokens count </s>, words do not. Types: different words, before the vocabulary is "
        "applied. OOV: the share of words that are <unk>.",
        *(f"{name}: {note}" for name, corpus in corpora for note in _notes(corpus)),
    ]
    return Table("corpora", "The corpora", data.assign(**once), columns, notes, data)


def _notes(corpus: Statistics) -> Iterator[str]:
    """Yield what the classes are, what is in no split or in two, and what was never trained."""
    yield (
        f"classes by the rule {corpus.class_rule}; words in the largest: "
        f"{max(corpus.class_sizes):,}; words scored for a token of train, on average, besides "
        f"the classes: {corpus.splits['train'].mean_class_size:,.1f}."
    )
    if corpus.empty_articles:
        yield f"articles without text: {corpus.empty_articles:,}."
    if corpus.dropped:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in corpus.dropped.items())
        yield f"of {corpus.sentences_read:,} sentences, these are in no split: {reasons}."
    for split, statistics in corpus.splits.items():
        if statistics.in_train:
            yield (
                f"sentences of {split} that are in train, too: {statistics.in_train:,} of "
                f"{statistics.sentences:,}."
            )
    for split, number in corpus.unknown_words_never_trained.items():
        yield (
            f"{number:,} words of {split} are <unk>, which train never has: no model has learnt "
            "how probable it is. With a larger `vocabulary.min_count` rare words of train become "
            "<unk>, too."
        )
