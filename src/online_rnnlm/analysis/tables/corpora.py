"""The table `corpora`: the size of each split, and the share that the vocabulary misses."""

from __future__ import annotations

from collections.abc import Iterator

from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.table import Column, Row, Table, data_of
from online_rnnlm.analysis.tables.values import integer, percent
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.storage.paths import SPLITS


def make(results: Results) -> Table:
    """Make the table, with a row for each split of each corpus."""
    rows: list[Row] = [
        {
            "corpus": name,
            "split": split,
            "documents": statistics.documents,
            "sentences": statistics.sentences,
            "words": statistics.words,
            "tokens": statistics.tokens,
            "types": statistics.types,
            "oov_rate": statistics.oov_rate,
            "articles": corpus.articles,
            "vocabulary_size": corpus.vocabulary_size,
            "classes": corpus.classes,
            "class_rule": corpus.class_rule,
        }
        for name, corpus in results.corpora.items()
        for split, statistics in corpus.splits.items()
    ]
    # For people, a corpus's properties stand only in the row of its first split.
    of_corpus = dict.fromkeys(("corpus", "articles", "vocabulary_size", "classes"))
    shown = [row if row["split"] == SPLITS[0] else row | of_corpus for row in rows]
    columns = [
        Column("Corpus", lambda row: row["corpus"] or "", text=True),
        Column("Articles", "articles", integer),
        Column("Vocabulary", "vocabulary_size", integer),
        Column("Classes", "classes", integer),
        Column("Split", "split", text=True),
        Column("Sentences", "sentences", integer),
        Column("Words", "words", integer),
        Column("Tokens", "tokens", integer),
        Column("Types", "types", integer),
        Column("OOV (%)", "oov_rate", percent),
    ]
    notes = [
        "Tokens count </s>, words do not. Types: different words, before the vocabulary is "
        "applied. OOV: the share of words that are <unk>.",
        *(f"{name}: {note}" for name, one in results.corpora.items() for note in _notes(one)),
    ]
    data = data_of(rows, results).astype({"articles": "Int64"})
    return Table("The corpora", shown, columns, notes, data)


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
