import itertools
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.corpora import ClassSettings, CorpusSettings, VocabularySettings
from online_rnnlm.corpora.corpus import read_vocabulary
from online_rnnlm.corpora.vocabulary import assign_classes, select_words, write_vocabulary
from online_rnnlm.errors import UserError

COUNTS = [16, 9, 4, 4, 1, 1, 1]  # square roots 4 3 2 2 1 1 1, sum 14; sum of the counts 36


@pytest.mark.parametrize(
    ("rule", "classes", "expected"),
    [
        # cumulative shares 4 7 9 11 12 13 14 of 14, bound after 7: only 9 exceeds it
        ("sqrt_frequency", 2, [0, 0, 0, 1, 1, 1, 1]),
        # bounds 14/3 and 28/3: 7 exceeds the first, 11 the second
        ("sqrt_frequency", 3, [0, 0, 1, 1, 2, 2, 2]),
        # cumulative 16 25 29 33 34 35 36 of 36, bound 18
        ("frequency", 2, [0, 0, 1, 1, 1, 1, 1]),
        # bounds 9 18 27: each of the first three words crosses one bound
        ("frequency", 4, [0, 1, 2, 3, 3, 3, 3]),
        # bounds 6 12 18 24 30: a word crosses one bound at most, although 16 passes two
        ("frequency", 6, [0, 1, 2, 3, 4, 5, 5]),
        ("equal_size", 3, [0, 0, 0, 1, 1, 2, 2]),
        ("equal_size", 100, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_classes_are_those_computed_by_hand(rule: str, classes: int, expected: list[int]) -> None:
    settings = ClassSettings.model_validate({"rule": rule, "count": classes})
    assert assign_classes(COUNTS, settings) == expected


@given(
    counts=st.lists(st.integers(0, 10**6), min_size=3).map(lambda c: sorted(c, reverse=True)),
    classes=st.integers(1, 50),
    rule=st.sampled_from(["sqrt_frequency", "frequency", "equal_size"]),
)
def test_classes_are_runs_without_gaps(counts: list[int], classes: int, rule: str) -> None:
    settings = ClassSettings.model_validate({"rule": rule, "count": classes})
    labels = assign_classes(counts, settings)
    assert len(labels) == len(counts)
    assert labels[0] == 0
    assert all(after - before in (0, 1) for before, after in itertools.pairwise(labels))
    assert labels[-1] < classes


def test_rare_words_become_unknown_and_order_is_by_count_then_code_point() -> None:
    counts = Counter({"b": 3, "a": 3, "c": 5, "é": 1, "d": 1})
    words = select_words(counts, 4, VocabularySettings(min_count=2))
    assert words == [("</s>", 4), ("c", 5), ("a", 3), ("b", 3), ("<unk>", 2)]


def test_the_most_frequent_words_are_kept_within_the_size() -> None:
    counts = Counter({"a": 9, "b": 8, "c": 7})
    words = select_words(counts, 2, VocabularySettings(min_count=1, max_size=4))
    assert words == [("</s>", 2), ("a", 9), ("b", 8), ("<unk>", 7)]


def test_unknown_words_of_the_text_count_as_unknown() -> None:
    words = select_words(Counter({"a": 2, "<unk>": 7, "b": 1}), 3, VocabularySettings(min_count=2))
    assert words == [("</s>", 3), ("<unk>", 8), ("a", 2)]


def test_unknown_is_there_even_if_it_never_occurs() -> None:
    words = select_words(Counter({"a": 2}), 1, VocabularySettings(min_count=1))
    assert words == [("</s>", 1), ("a", 2), ("<unk>", 0)]


def test_the_file_reads_back(tmp_path: Path, settings: CorpusSettings) -> None:
    train, out = tmp_path / "train.tokens.txt", tmp_path / "vocabulary.tsv"
    train.write_text("a b a\na c\n", encoding="utf-8")
    write_vocabulary(settings, train, out)
    vocabulary = read_vocabulary(out)
    assert vocabulary.words == ["</s>", "a", "b", "c", "<unk>"]
    assert vocabulary.counts.tolist() == [2, 3, 1, 1, 0]
    assert vocabulary.class_offsets[[0, -1]].tolist() == [0, 5]


def test_one_class_is_the_same_by_every_rule(tmp_path: Path, settings: CorpusSettings) -> None:
    train, out = tmp_path / "train.tokens.txt", tmp_path / "vocabulary.tsv"
    train.write_text("b a b\na c\n", encoding="utf-8")
    expected = "word\tcount\tclass\n</s>\t2\t0\na\t2\t0\nb\t2\t0\nc\t1\t0\n<unk>\t0\t0\n"
    for rule in get_args(ClassSettings.model_fields["rule"].annotation):
        classes = ClassSettings(rule=rule, count=1)
        write_vocabulary(settings.model_copy(update={"classes": classes}), train, out)
        assert out.read_text(encoding="utf-8") == expected, rule


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("word\tcount\n", "line 1"),
        ("word\tcount\tclass\n</s>\t1\t0\nx\t1\n", "line 3"),
        ("word\tcount\tclass\n</s>\t1\t0\n<unk>\t1\t2\n", "line 3"),
        ("word\tcount\tclass\n<unk>\t1\t0\n", "</s>"),
    ],
)
def test_a_damaged_vocabulary_names_its_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "vocabulary.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=rf"vocabulary\.tsv.*{line}"):
        read_vocabulary(file)
