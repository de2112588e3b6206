"""Tests of the files that a text may be in, and of the line that each wrong one gets."""

import gzip
import json
import lzma
import os
from pathlib import Path

import pytest

from online_rnnlm.corpora.textfiles import read_all_articles, read_lines, why_no_file
from online_rnnlm.errors import UserError
from online_rnnlm.storage.paths import SPLITS
from online_rnnlm.use import model_file
from tests.unit.corpora.small_corpora import (
    PACKED,
    as_parquet,
    dump,
    lines,
    prepare,
    settings_of,
    write,
    zst,
)

ROWS = [{"title": f"T{n}", "text": f"The cat {n} sat.\nIt slept."} for n in range(9)]


@pytest.mark.parametrize("packing", PACKED)
def test_articles_are_the_same_from_any_file(tmp_path, packing):
    rows = "".join(json.dumps(row) + "\r\n" for row in ROWS).encode()
    file = write(tmp_path / f"a.NDJSON{packing}", PACKED[packing](rows))
    found = list(read_all_articles(file))
    assert found == list(read_all_articles(write(tmp_path / "a.parquet", as_parquet(ROWS))))
    assert [article.title for article in found] == [row["title"] for row in ROWS]


@pytest.mark.parametrize("packing", list(PACKED)[1:])
def test_a_file_of_several_streams_is_read_whole(tmp_path, packing):
    """Programs that compress in parallel write such files."""
    texts = ["".join(f"{kind} {n}\n" for n in range(30_000)) for kind in ("one", "two")]
    packed = b"".join(PACKED[packing](text.encode()) for text in texts)
    assert list(read_lines(write(tmp_path / f"a{packing}", packed))) == "".join(texts).splitlines()


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    """Root may read everything, so the system's answer is made."""
    file = write(tmp_path / "a", "text\n")

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Path, "open", refuse)
    assert why_no_file(file) == "permission denied"
    with pytest.raises(UserError, match="permission denied: the file of a model is needed"):
        model_file.read(file)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(tmp_path, end):
    text = end.join(f"\ufeffLine {number}" for number in range(3)) + end
    assert list(read_lines(write(tmp_path / "a", text))) == ["Line 0", "Line 1", "Line 2"]


TEXT = b"some text\n" * 99
DUMP = dump([{"title": "Cat", "text": "A cat."}])
ARTICLES = [
    ("bad.jsonl", '{"text": "x"}\n[1]\n', "line 2: a JSON object"),
    ("bad.JSON", '{"text": "x"}\n{"text": ["x"]}\n', "line 2: a string `text`"),
    ("bad.jsonl", '{"text": "x\\u0000y"}\n', "line 1: `text`: a NUL byte"),
    ("bad.jsonl", '{"text": "x", "title": "\\ud800"}\n', "line 1: `title`: a NUL byte, or half"),
    ("bad.jsonl", '{"text": ' + "[" * 100_000, "line 1: not JSON: .*recursion"),
    ("bad.jsonl", '{"text": "x"}\n{"te', "line 2: not JSON"),
    ("bad.jsonl", '{"text": " "}\n', "no article"),
    ("bad.parquet", as_parquet([{"text": ["a"]}]), "row 1: a string `text`"),
    ("bad.parquet", b"no parquet at all", "damaged after row 0"),
    ("bad.txt", "", "the file is empty"),
    *(
        ("bad.txt", text.encode(encoding), f"line {line}: no UTF-8 text: .*UTF-16")
        for text, encoding, line in (
            ("\ufeffКот.\n", "utf-16-le", 1),
            ("\nA café.\n", "utf-16-be", 1),
            ("\nA café.\n", "utf-16-le", 2),
        )
    ),
    ("bad.txt", bytes(99), "line 1: no UTF-8 text: it is another kind of file"),
    ("bad.txt", b"good\nb\xe9d\n", "line 2: no UTF-8 text"),
    ("bad.txt", zst(TEXT), r"line 1: .*compressed .*\.zst"),
    ("bad.GZ", b"plain", "damaged at its start"),
    ("bad.gz", gzip.compress(TEXT, mtime=0) + b"more", "damaged after line 99"),
    ("bad.xz", lzma.compress(TEXT)[:-20], "damaged"),
    ("bad.zst", zst(TEXT)[:-3], "damaged"),
]
TOKENISED = [
    ("bad.txt", "\n \n", "the file is empty"),
    ("bad.txt", b"good\nb\0d\n", "line 2: no UTF-8 text"),
    ("bad.txt", "a b\nc </s> d\n", "line 2: `</s>`"),
    ("bad.txt", "a b\n" * 5, "5 sentences leave too few for `train`"),
]
DUMPS = [
    ("bad.xml", DUMP[:-5], "no whole MediaWiki dump"),
    ("bad.xml", b"<html><body/></html>", "no whole MediaWiki dump"),
    ("bad.xml", DUMP.replace(b"<title>Cat</title>", b""), "no whole MediaWiki dump"),
    ("bad.xml", DUMP.replace(b"<ns>0</ns>", b"<ns>none</ns>"), "no whole MediaWiki dump"),
    ("bad.xml", dump([{"title": "Cat", "text": "{{x}}"}]), "no article, or only empty ones"),
]


@pytest.mark.parametrize(
    ("source", "name", "content", "message"),
    [
        *(({}, *row) for row in ARTICLES),
        *(({"tokenised": True}, *row) for row in TOKENISED),
        *(({"kind": "dump"}, *row) for row in DUMPS),
    ],
)
def test_a_bad_text_is_one_line(tmp_path, source, name, content, message):
    file = write(tmp_path / name, content)
    with pytest.raises(UserError, match=f"^.*{name}.*{message}.*$"):
        prepare(settings_of({"file": file, **source}), tmp_path)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {name, "source.json"}


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pipe", "is not a regular file"),
        ("loop", "too many levels of symbolic links"),
        (".", "is a directory"),
        ("none", "no such file"),
    ],
)
def test_why_a_path_cannot_be_read_is_said(tmp_path, name, what):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UserError, match=rf"{name}: {what}"):
        next(read_lines(tmp_path / name))


def test_only_spaces_and_tabs_divide_tokenised_text(tmp_path):
    words = ["a\u00a0b", "c\u3000d", "e\u2028f", "g\x85h", "i\x0cj", "x<UNK>y"]
    file = write(tmp_path / "t", "\t ".join(words) + " <UNK> \n")
    source = {"tokenised": True, **dict.fromkeys(SPLITS, file)}
    directory = prepare(settings_of(source), tmp_path)
    assert lines(directory.text("test")) == [" ".join([*words, "<unk>"])]
