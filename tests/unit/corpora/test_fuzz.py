"""Made inputs for the readers of texts: a result or one clear line, and nothing lost uncounted.

FUZZ=10000 tries as many of each kind; the usual run tries fewer.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora import tokenisation
from online_rnnlm.corpora.articles import read_articles
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.splitting import write_splits
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.corpora.tokenisation import sentences_of, train_punkt, write_sentences
from online_rnnlm.corpora.tokenised import read_sentences
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory
from online_rnnlm.storage.records import Counts

pytestmark = pytest.mark.slow  # many made inputs

EXAMPLES = int(os.environ.get("FUZZ", "150"))
many = settings(max_examples=EXAMPLES)

PIECES = st.sampled_from(
    [
        *("a", "The cat sat.", " ", "\n", "\r\n", "\r", "\t", "\ufeff", "\u2028", "\u200b", "\0"),
        *("<unk>", "<UNK>", "</s>", "Dr. No!", "?", '"', "``", "İ", "é", "e\u0301", "今天。", "ก็"),
        *('{"text": "', '"}', '{"text": "x"}', '{"text": null}', "\\ud800", "\\u0000", "[", "😀"),
        *("= A =", " @-@ ", "'s", "...", "x" * 300),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=25).map("".join)
BYTES = st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))
PACKED = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
SUFFIXES = st.sampled_from([".txt", ".jsonl", ".JSON", ".ndjson", ".parquet", ".txt.zst", ""])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("made")


def one_line(error: UserError, file: Path) -> None:
    message = str(error)
    assert message.startswith(str(file)), message
    assert len(message.splitlines()) == 1, message


@many
@given(content=BYTES, suffix=SUFFIXES, packing=st.sampled_from(list(PACKED)), cut=st.integers(0, 9))
def test_any_bytes_are_read_or_refused_in_one_line(
    folder: Path, content: bytes, suffix: str, packing: str, cut: int
) -> None:
    packed = PACKED[packing](content)
    file = folder / f"made{suffix}{packing}"
    file.write_bytes(packed[: len(packed) - cut] if packing and cut < 5 else packed)
    for read in (read_articles, lambda file: read_sentences([file]), read_lines):
        try:
            for item in read(file):
                assert item is not None
        except UserError as error:
            one_line(error, file)


@many
@given(text=TEXTS)
def test_every_word_of_a_tokenised_text_arrives(folder: Path, text: str) -> None:
    file = folder / "tokenised.txt"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = [word for sentence, _ in read_sentences([file]) for word in sentence.split(" ")]
    except UserError as error:
        one_line(error, file)
        return
    lines = text.replace("\ufeff", "").replace("\r", "\n").split("\n")
    words = " ".join(lines).replace("\t", " ").split(" ")
    assert found == ["<unk>" if word == "<UNK>" else word for word in words if word]


LANGUAGES = st.sampled_from(["any", "arabic", "chinese", "hindi", "japanese", "thai", "turkish"])


@many
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=6),
    language=LANGUAGES,
    bounds=st.tuples(st.integers(1, 4), st.integers(0, 6)),
    cut=st.sampled_from(["drop", "cut"]),
    by=st.sampled_from(["sentence", "article"]),
    lowercase=st.booleans(),
)
def test_each_sentence_is_in_a_split_or_counted(
    folder: Path,
    texts: list[str],
    language: str,
    bounds: tuple[int, int],
    cut: str,
    by: str,
    lowercase: bool,
) -> None:
    corpus = CorpusSettings.model_validate(
        {
            "source": {"kind": "text", "file": folder / "articles.jsonl"},
            **{"language": language, "lowercase": lowercase, "too_long": cut, "divide_by": by},
            **{"min_tokens": bounds[0], "max_tokens": sum(bounds)},
            **{"valid_sentences": 1, "test_sentences": 2, "train_sentences": 1},
        }
    )
    articles, directory = folder / "articles.jsonl", CorpusDirectory(folder / "corpus")
    articles.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    outs = {split: directory.split(split) for split in SPLITS}
    try:
        read = [
            sentence
            for sentence, _ in sentences_of(corpus, [articles], train_punkt(corpus, articles), 1)
        ]
        write_sentences(corpus, articles, directory.sentences, 1)
        counted = records.read(Counts, directory.counts("sentences"))
        kept = list(read_lines(directory.sentences))
        assert counted.read == len(read)
        assert counted.kept == len(kept)
        assert Counter(kept) <= Counter(read)
        write_splits(corpus, folder, directory.sentences, outs, 1)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return
    counted = records.read(Counts, directory.counts("splits"))
    found = [sentence for out in outs.values() for sentence in read_lines(out)]
    assert (counted.read, counted.kept) == (len(kept), len(found))


@settings(max_examples=max(EXAMPLES // 5, 1))
@given(texts=st.lists(TEXTS, min_size=1, max_size=8), size=st.integers(1, 60), language=LANGUAGES)
def test_the_batches_of_processes_change_nothing(
    folder: Path, texts: list[str], size: int, language: str
) -> None:
    """The work of processes is divided into batches, and put together in order."""
    file = folder / "batches.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    source = {"kind": "text", "file": file}
    corpus = CorpusSettings.model_validate({"source": source, "language": language})
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for characters in (tokenisation.BATCH_CHARACTERS, size):
            patch.setattr(tokenisation, "BATCH_CHARACTERS", characters)
            try:
                punkt = train_punkt(corpus, file)
                found.append(list(sentences_of(corpus, [file], punkt, 1)))
            except UserError as error:
                found.append(str(error))
    assert found[0] == found[1]


@many
@given(lines=st.lists(TEXTS.map(lambda text: text.replace("\n", " ")), max_size=12))
def test_a_wikitext_loses_no_paragraph(folder: Path, lines: list[str]) -> None:
    files = dict.fromkeys(SPLITS, folder / "wiki.raw")
    files["test"].write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    source = source_of(
        CorpusSettings.model_validate(
            {"source": {"kind": "wikitext", "plain_marks": False, **files}}
        ).source
    )
    try:
        found = " ".join(sentence for sentence, _ in source.sentences([files["test"]]))
    except UserError as error:
        one_line(error, files["test"])
        return
    expected = [
        word
        for line in "\n".join(lines).replace("\ufeff", "").replace("\r", "\n").split("\n")
        if not (line.strip(" ").startswith("= ") and line.strip(" ").endswith(" ="))
        for word in line.replace("\t", " ").split(" ")
        if word
    ]
    assert found.split(" ") == ["<unk>" if word == "<UNK>" else word for word in expected]
