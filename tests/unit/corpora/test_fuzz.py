"""Made inputs for the readers of texts: a result or one clear line, and nothing lost uncounted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import read_statistics
from online_rnnlm.corpora.records import Counts
from online_rnnlm.corpora.sentences import sentences_of
from online_rnnlm.corpora.stages import run_stage
from online_rnnlm.corpora.textfiles import read_articles, read_lines, read_tokenised
from online_rnnlm.corpora.tokenisation import train_splitter
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import CorpusDirectory
from tests.unit.corpora.small_corpora import PACKED
from tests.unit.made_texts import BYTES, TEXTS, many

pytestmark = pytest.mark.slow  # many made inputs

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
def test_any_bytes_are_read_or_refused_in_one_line(folder, content, suffix, packing, cut):
    packed = PACKED[packing](content)
    file = folder / f"made{suffix}{packing}"
    file.write_bytes(packed[: len(packed) - cut] if packing and cut < 5 else packed)
    for read in (read_articles, lambda file: read_tokenised([file]), read_lines):
        try:
            for item in read(file):
                assert item is not None
        except UserError as error:
            one_line(error, file)


@many
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=6),
    bounds=st.tuples(st.integers(1, 4), st.integers(0, 6)),
    values=st.fixed_dictionaries(
        {
            "language": st.sampled_from(["any", "arabic", "hindi", "turkish"]),
            "too_long": st.sampled_from(["drop", "cut"]),
            "divide_by": st.sampled_from(["sentence", "article"]),
            "lowercase": st.booleans(),
        }
    ),
)
def test_each_sentence_is_in_a_split_or_counted(folder, texts, bounds, values):
    corpus = CorpusSettings.model_validate(
        {
            "source": {"kind": "text", "file": "articles.jsonl"},
            "min_tokens": bounds[0],
            "max_tokens": sum(bounds),
            "valid_sentences": 1,
            "test_sentences": 2,
            "train_sentences": 1,
            **values,
        }
    )
    directory = CorpusDirectory(folder / "corpus")
    directory.path.mkdir(exist_ok=True)
    rows = [json.dumps({"text": text}) + "\n" for text in texts]
    directory.articles.write_text("".join(rows))
    records.write(directory.counts("articles"), Counts(read=len(texts), dropped={}))
    try:
        splitter = train_splitter(corpus, directory.articles)
        read = [sentence for sentence, _ in sentences_of(corpus, [directory.articles], splitter, 1)]
        run_stage("sentences", corpus, directory, folder, {})
        counted = records.read(Counts, directory.counts("sentences"))
        kept = list(read_lines(directory.sentences))
        assert counted.read == len(read)
        assert counted.kept == len(kept)
        assert Counter(kept) <= Counter(read)
        run_stage("encode", corpus, directory, folder, {})
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return
    found = read_statistics(directory)
    in_splits = sum(split.sentences for split in found.splits.values())
    assert found.sentences_read == len(read) == in_splits + sum(found.dropped.values())
