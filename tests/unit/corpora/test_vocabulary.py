from typing import get_args

import pytest

from online_rnnlm.config.corpora import ClassSettings, VocabularySettings
from online_rnnlm.corpora.corpus import parse_vocabulary
from online_rnnlm.corpora.splitting import read_text
from online_rnnlm.corpora.vocabulary import (
    assign_classes,
    choose_vocabulary,
    encoded,
    select_words,
    write_vocabulary,
)
from online_rnnlm.errors import UserError
from tests.unit.corpora.small_corpora import settings_of

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
    ],
)
def test_classes_are_those_computed_by_hand(rule, classes, expected):
    settings = ClassSettings.model_validate({"rule": rule, "count": classes})
    assert assign_classes(COUNTS, settings) == expected


@pytest.mark.parametrize(
    ("counts", "settings", "expected"),
    [
        # rare words become unknown; the order is by count, then by code point
        (
            {"b": 3, "a": 3, "c": 5, "é": 1, "d": 1, "</s>": 4},
            {"min_count": 2},
            [("</s>", 4), ("c", 5), ("a", 3), ("b", 3), ("<unk>", 2)],
        ),
        # the most frequent words are kept within the size; `<unk>` of the text counts as unknown
        (
            {"a": 9, "</s>": 2, "b": 8, "<unk>": 3, "c": 7},
            {"min_count": 1, "max_size": 4},
            [("</s>", 2), ("<unk>", 10), ("a", 9), ("b", 8)],
        ),
        # and is there even if it never occurs
        ({"a": 2, "</s>": 1}, {"min_count": 1}, [("</s>", 1), ("a", 2), ("<unk>", 0)]),
    ],
)
def test_the_words_that_a_model_knows(counts, settings, expected):
    assert select_words(counts, VocabularySettings(**settings)) == expected


def test_one_class_is_the_same_by_every_rule_and_the_file_reads_back(tmp_path):
    numbers: dict[str, int] = {}
    train = read_text([("b a b", 0), ("a c", 0)], numbers)
    rules = get_args(ClassSettings.model_fields["rule"].annotation)
    out = tmp_path / "vocabulary.tsv"
    for rule in rules:
        settings = settings_of({"file": "unused"}, classes={"rule": rule, "count": 1})
        write_vocabulary(choose_vocabulary(settings, train, numbers), out)
        expected = "word\tcount\tclass\n</s>\t2\t0\na\t2\t0\nb\t2\t0\nc\t1\t0\n<unk>\t0\t0\n"
        assert out.read_text(encoding="utf-8") == expected, rule
    vocabulary = parse_vocabulary(out.read_bytes(), out)
    assert vocabulary.words == ["</s>", "a", "b", "c", "<unk>"]
    assert vocabulary.counts.tolist() == [2, 2, 2, 1, 0]
    assert vocabulary.class_offsets.tolist() == [0, 5]
    found = encoded(train, numbers, ["</s>", "<unk>", "b"])
    assert found.stream.tolist() == [0, 2, 1, 2, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"vocabulary": {"min_count": 100_000}}, "no word occurs 100000 times .* empty: lower"),
        ({"classes": {"count": 100_000}}, "`classes.count` is 100000, .* has 5 words: at most 30"),
    ],
)
def test_a_vocabulary_without_words_or_with_fewer_words_than_classes_is_one_line(changed, expected):
    numbers: dict[str, int] = {}
    train = read_text([("b a b", 0), ("a c", 0)], numbers)
    settings = settings_of({"file": "my.txt"}, **changed)
    with pytest.raises(UserError, match=rf"^my\.txt: {expected}"):
        choose_vocabulary(settings, train, numbers)


@pytest.mark.parametrize("text", ["word\tcount\n", "word\tcount\tclass\n</s>\t1\t0\nx\t1\n"])
def test_a_damaged_vocabulary_is_refused(text):
    with pytest.raises(UserError, match=r"here: cannot be read"):
        parse_vocabulary(text.encode(), "here")
