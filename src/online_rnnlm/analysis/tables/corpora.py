"""The table `corpora`: the size of each split, and the share that the vocabulary misses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Table, data_of
from online_rnnlm.analysis.tables.values import integer
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.paths import SPLITS


@dataclass(frozen=True)
class SplitRow:
    """A split of a corpus."""

    corpus: str
    split: str
    documents: int
    sentences: int
    words: int
    tokens: int
    types: int
    oov_rate: float
    articles: int | None
    vocabulary_size: int
    classes: int
    class_rule: str


def make(results: Results) -> Table[SplitRow]:
    """Make the table, with a row for each split of each corpus."""
    rows = [
        SplitRow(
            corpus=name,
            split=split,
            documents=statistics.documents,
            sentences=statistics.sentences,
            words=statistics.words,
            tokens=statistics.tokens,
            types=statistics.types,
            oov_rate=statistics.oov_rate,
            articles=corpus.articles,
            vocabulary_size=corpus.vocabulary_size,
            classes=corpus.classes,
            class_rule=corpus.class_rule,
        )
        for name, corpus in results.corpora.items()
        for split, statistics in corpus.splits.items()
    ]

    def once(show: Callable[[SplitRow], str]) -> Callable[[SplitRow], str]:
        """Show a corpus's property only in the row of its first split."""
        return lambda row: show(row) if row.split == SPLITS[0] else ""

    columns: list[Column[SplitRow]] = [
        Column("Corpus", once(lambda row: row.corpus), text=True),
        Column("Articles", once(lambda row: integer(row.articles))),
        Column("Vocabulary", once(lambda row: integer(row.vocabulary_size))),
        Column("Classes", once(lambda row: integer(row.classes))),
        Column("Split", lambda row: row.split, text=True),
        Column("Sentences", lambda row: integer(row.sentences)),
        Column("Words", lambda row: integer(row.words)),
        Column("Tokens", lambda row: integer(row.tokens)),
        Column("Types", lambda row: integer(row.types)),
        Column("OOV (%)", lambda row: f"{100 * row.oov_rate:.1f}"),
    ]
    notes = [
        "Tokens count </s>, words do not. Types: different words, before the vocabulary is "
        "applied. OOV: the share of words that are <unk>.",
        *(f"{name}: {note}" for name, one in results.corpora.items() for note in _notes(one)),
    ]
    data = data_of(rows, results).astype({"articles": "Int64"})
    return Table("The corpora", rows, columns, notes, data)


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
