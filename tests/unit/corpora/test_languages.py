"""Tests of sentences, words and lower case in several languages, on sentences of our own."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.tokenisation import PARAGRAPH_CHARACTERS, write_sentences
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory
from online_rnnlm.storage.records import Counts

TEXTS = {
    "chinese": (
        "今天天气很好。我们去公园吧!你想来吗?他说:“好的。”他来了。我有2本Python书。",
        [
            "今 天 天 气 很 好 。",
            "我 们 去 公 园 吧 !",
            "你 想 来 吗 ?",
            "他 说 : “ 好 的 。 ”",
            "他 来 了 。",
            "我 有 2 本 python 书 。",
        ],
    ),
    "japanese": (
        "私は学生です。あなたは?コーヒーを飲みます。",
        ["私 は 学 生 で す 。", "あ な た は ?", "コ ー ヒ ー を 飲 み ま す 。"],
    ),
    "thai": ("ฉันชอบกินข้าว วันนี้ดี", ["ฉั น ช อ บ กิ น ข้ า ว", "วั น นี้ ดี"]),
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


def settings(**values: object) -> CorpusSettings:
    source = {"kind": "text", "file": "unused.txt"}
    return CorpusSettings.model_validate({"source": source, "min_tokens": 1, **values})


def sentences(folder: Path, text: str, **values: object) -> list[str]:
    articles, directory = folder / "articles.txt", CorpusDirectory(folder / "corpus")
    articles.write_text(text, encoding="utf-8")
    write_sentences(settings(**values), articles, directory.sentences, 1)
    return directory.sentences.read_text(encoding="utf-8").removesuffix("\n").split("\n")


@pytest.mark.parametrize("language", TEXTS)
def test_sentences_and_words(tmp_path: Path, language: str) -> None:
    text, expected = TEXTS[language]
    found = sentences(tmp_path, text, language=language)
    assert [unicodedata.normalize("NFC", one) for one in expected] == found


def test_capitals_are_kept_where_they_are_not_lowered(tmp_path: Path) -> None:
    assert sentences(tmp_path, "IŞIK.", language="turkish", lowercase=False) == ["IŞIK ."]


@pytest.mark.parametrize(("nfc", "expected"), [(True, 1), (False, 2)])
def test_a_word_is_written_in_one_way(tmp_path: Path, nfc: bool, expected: int) -> None:
    text = "\n".join(unicodedata.normalize(form, "Das Café ist zu.") for form in ("NFC", "NFD"))
    assert len(sentences(tmp_path, text, nfc=nfc)) == expected


def test_a_capital_whose_small_letter_can_be_composed_is_written_in_one_way(tmp_path: Path) -> None:
    """There is a composed letter for j with a caron, and none for J."""
    [found] = sentences(tmp_path, "Das J\u030c ist zu.\nDas \u01f0 ist zu.")
    assert found == "das \u01f0 ist zu ."


def test_a_very_long_paragraph_is_cut_behind_a_sentence(tmp_path: Path) -> None:
    places = "mountains", "rivers", "harbours", "villages"
    lines = [f"The {places[n % 4]} have {n} old {places[n // 4 % 4]}." for n in range(6500)]
    text = " ".join(lines)
    assert len(text) > 2 * PARAGRAPH_CHARACTERS
    found = sentences(tmp_path, text)
    assert found == [f"{line[:-1].lower()} ." for line in lines]


PLACES = "mountains", "rivers", "harbours", "villages"


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("hindi", [f"राजा {n} नदी को देखता है ।" for n in range(9000)]),
        ("arabic", [f"الملك يرى النهر {n}؟" for n in range(11000)]),
        (
            "any",
            [f"He saw Dr. {PLACES[n % 4]} and {n} old {PLACES[n // 4 % 4]}." for n in range(6500)],
        ),
        ("chinese", [f"他说“我看见{n}河。”" for n in range(19000)]),
    ],
)
def test_a_very_long_paragraph_is_divided_by_the_rules_of_its_language(
    tmp_path: Path, language: str, lines: list[str]
) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    short.mkdir()
    long.mkdir()
    joined = ("" if language == "chinese" else " ").join(lines)
    assert len(joined) > 2 * PARAGRAPH_CHARACTERS
    found = sentences(long, joined, language=language)
    assert found == sentences(short, "\n".join(lines), language=language)
    assert len(found) == len(lines)


def test_text_without_spaces_in_another_language_says_why_nothing_is_left(tmp_path: Path) -> None:
    articles = tmp_path / "articles.txt"
    articles.write_text("今天天气很好。\n我们去公园吧。\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"2 read, 2 too short; .*`language`"):
        write_sentences(settings(min_tokens=3), articles, tmp_path / "c" / "sentences.txt", 1)


def counts(folder: Path) -> Counts:
    return records.read(Counts, CorpusDirectory(folder / "corpus").counts("sentences"))


def test_what_is_dropped_is_counted_by_reason(tmp_path: Path) -> None:
    text = "Yes.\nThe cat sat.\nNo!\nThe cat sat.\nThe cat sat.\nThe long one sat on and on.\n"
    found = sentences(tmp_path, text, min_tokens=3, max_tokens=6)
    assert found == ["the cat sat ."]
    counted = counts(tmp_path)
    assert counted.read == 6
    assert counted.dropped == {"too short": 2, "duplicate": 2, "too long": 1}
    assert counted.kept == len(found)


def test_long_sentences_can_be_cut(tmp_path: Path) -> None:
    text = "one two three four five six seven .\n"
    cut = {"too_long": "cut", "max_tokens": 3, "min_tokens": 3}
    assert sentences(tmp_path, text, **cut) == ["one two three", "four five six"]
    assert counts(tmp_path).dropped == {"too short": 1}
    assert counts(tmp_path).read == 3


def test_a_very_long_line_is_read(tmp_path: Path) -> None:
    """Without sentence ends, as in a text8, and without any space."""
    words = ("word " * (2 * PARAGRAPH_CHARACTERS // 5)).strip()
    text = f"{words}\n{'x' * (3 * PARAGRAPH_CHARACTERS)}\n"
    found = sentences(tmp_path, text, too_long="cut", max_tokens=50)
    assert sum(sentence.count("x") for sentence in found) == PARAGRAPH_CHARACTERS
    counted = counts(tmp_path)
    assert counted.read - sum(counted.dropped.values()) == len(found)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_end_as_on_any_system(tmp_path: Path, end: str, mark: str) -> None:
    text = end.join(f"{mark}Line {number} is here." for number in range(3))
    articles = tmp_path / "articles.txt"
    articles.write_bytes(text.encode())
    directory = CorpusDirectory(tmp_path / "corpus")
    write_sentences(settings(), articles, directory.sentences, 1)
    found = directory.sentences.read_text(encoding="utf-8").splitlines()
    assert found == [f"line {number} is here ." for number in range(3)]


def test_a_mark_belongs_to_its_letter(tmp_path: Path) -> None:
    text = unicodedata.normalize("NFD", "がぎ。")
    assert len(text) == 5
    found = sentences(tmp_path, text, language="japanese", nfc=False)
    assert found == [" ".join([text[:2], text[2:4], text[4]])]
