"""Tests of sentences, words and lower case in several languages, on sentences of our own."""

import unicodedata
from pathlib import Path

import pytest

from online_rnnlm.corpora import tokenisation
from online_rnnlm.corpora.records import Counts
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory

TEXTS = {
    "hindi": (
        "यह एक किताब है। वह लड़का कहाँ है? मैं घर जा रहा हूँ।",
        ["यह एक किताब है ।", "वह लड़का कहाँ है ?", "मैं घर जा रहा हूँ ।"],
    ),
    "arabic": (
        "ذهب الولد إلى المدرسة. هل أنت بخير؟ نعم أنا بخير!",
        ["ذهب الولد إلى المدرسة .", "هل أنت بخير ؟", "نعم أنا بخير !"],
    ),
    "turkish": ("IŞIK açık. İYİ GÜNLER.", ["ışık açık .", "iyi günler ."]),
    "any": (
        "Ich heiße Müller. Wie geht es dir? Schön ist das Wetter!",
        ["ich heiße müller .", "wie geht es dir ?", "schön ist das wetter !"],
    ),
}


@pytest.mark.parametrize("language", TEXTS)
def test_sentences_and_words(sentences, language):
    text, expected = TEXTS[language]
    found = sentences(text, language=language)
    assert found == [unicodedata.normalize("NFC", one) for one in expected]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("IŞIK.", {"language": "turkish", "lowercase": False}, ["IŞIK ."]),
        # Quotes are kept, and `<unk>` stays whole.
        ('He said, "We <unk> there."', {}, ['he said , " we <unk> there . "']),
        # There is a composed letter for j with a caron, and none for J.
        ("Das J\u030c ist zu.\nDas \u01f0 ist zu.", {}, ["das \u01f0 ist zu ."]),
        ("Das Cafe\u0301 ist.\nDas Café ist.", {}, ["das café ist ."]),
        (
            "Das Cafe\u0301 ist.\nDas Café ist.",
            {"nfc": False},
            ["das cafe\u0301 ist .", "das café ist ."],
        ),
    ],
)
def test_a_word_is_written_in_one_way(sentences, text, values, expected):
    assert sentences(text, **values) == expected


PLACES = "mountains", "rivers", "harbours", "villages"


def test_a_long_paragraph_is_divided_like_others(sentences, tmp_path, monkeypatch):
    form = "He saw Dr. {one} and {n} old {other}."
    monkeypatch.setattr(tokenisation, "PARAGRAPH_CHARACTERS", 2000)
    lines = [form.format(one=PLACES[n % 4], n=n, other=PLACES[n // 4 % 4]) for n in range(400)]
    found = sentences(" ".join(lines), tmp_path / "long")
    assert found == sentences("\n".join(lines), tmp_path / "short")
    assert len(found) == len(lines)


def counts(folder: Path) -> Counts:
    return records.read(Counts, CorpusDirectory(folder / "corpus").counts("sentences"))


def test_a_very_long_line_is_read(sentences, tmp_path, monkeypatch):
    """Without sentence ends, as in a text8, and without any space."""
    monkeypatch.setattr(tokenisation, "PARAGRAPH_CHARACTERS", 2000)
    words = ("word " * (800)).strip()
    text = f"{words}\n{'x' * (6000)}\n"
    found = sentences(text, too_long="cut", max_tokens=50)
    assert sum(sentence.count("x") for sentence in found) == 2000
    assert counts(tmp_path).kept == len(found)


@pytest.mark.parametrize(
    ("values", "kept", "read", "too_long"),
    [
        ({"min_tokens": 3, "max_tokens": 6}, ["the cat sat ."], 6, {"too long": 1}),
        (
            {"min_tokens": 4, "max_tokens": 4, "too_long": "cut"},
            *(["the cat sat .", "the long one sat", "on and on ."], 7, {}),
        ),
    ],
)
def test_dropped_sentences_are_counted_by_reason(sentences, tmp_path, values, kept, read, too_long):
    text = "Yes.\nThe cat sat.\nNo!\nThe CAT sat.\nThe cat sat.\nThe long one sat on and on."
    assert sentences(text, **values) == kept
    counted = counts(tmp_path)
    assert (counted.read, counted.kept) == (read, len(kept))
    assert counted.dropped == {"too short": 2, "duplicate": 2} | too_long


def test_a_text_of_fragments_is_refused_with_the_reasons(sentences, tmp_path):
    said = (
        r"no sentence of 3 to 100 tokens in it: 2 read, 2 too short; a text without .*`tokenised`"
    )
    with pytest.raises(UserError, match=said):
        sentences("今天天气很好。\n我们去公园吧。", min_tokens=3)
    assert {file.name for file in (tmp_path / "corpus").iterdir()} == {"articles.jsonl"}
