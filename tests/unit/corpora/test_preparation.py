"""Tests of preparation, from text to arrays, with the stages run one after the other."""

import bz2
import gzip
import itertools
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora.corpus import Corpus, load_corpus, read_statistics
from online_rnnlm.corpora.extraction import write_articles
from online_rnnlm.corpora.splitting import write_splits
from online_rnnlm.corpora.textfiles import read_lines
from online_rnnlm.corpora.tokenisation import write_sentences
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory

pytestmark = pytest.mark.slow  # made texts go through all stages, again and again

Prepare = Callable[..., CorpusDirectory]

ANIMALS = ["cat", "dog", "hen", "cow", "pig", "owl", "fox", "bee", "ant", "elk"]
PLACES = ["mat", "hill", "farm", "moon"]
LINES = [f"The {animal} sat on the {place}. It slept." for animal in ANIMALS for place in PLACES]


def with_source(settings: CorpusSettings, **source: object) -> CorpusSettings:
    values = settings.model_dump()
    return CorpusSettings.model_validate({**values, "source": {"kind": "text", **source}})


def write(file: Path, text: str | bytes) -> Path:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def compressed(content: bytes) -> bytes:
    """Compress as `.zst`."""
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(content)
    found: bytes = out.getvalue().to_pybytes()
    return found


def lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def words_of(corpus: Corpus, split: str) -> list[str]:
    """Rebuild the split's text from the arrays alone."""
    stream, offsets = corpus.splits[split].stream, corpus.splits[split].offsets
    sentences = [
        [corpus.words[i] for i in stream[start + 1 : end + 1]]
        for start, end in itertools.pairwise(offsets)
    ]
    assert all(sentence[-1] == "</s>" for sentence in sentences)
    return [" ".join(sentence[:-1]) for sentence in sentences]


@pytest.fixture
def prepared(settings: CorpusSettings, tmp_path: Path, prepare: Prepare) -> CorpusDirectory:
    write(tmp_path / "text.txt", "\n".join(LINES))
    rare = settings.model_copy(
        update={"vocabulary": settings.vocabulary.model_copy(update={"min_count": 5})}
    )
    return prepare(rare, tmp_path)


def test_arrays_give_the_text_back(prepared: CorpusDirectory) -> None:
    corpus = load_corpus(prepared)
    for split in SPLITS:
        assert words_of(corpus, split) == lines(prepared.text(split))
        assert corpus.splits[split].stream[0] == 0
    assert any("<unk>" in line for line in lines(prepared.text("train")))


def test_only_unknown_words_differ_from_the_tokens(prepared: CorpusDirectory) -> None:
    known = set(load_corpus(prepared).words)
    for split in SPLITS:
        for before, after in zip(
            lines(prepared.split(split)), lines(prepared.text(split)), strict=True
        ):
            expected = [word if word in known else "<unk>" for word in before.split(" ")]
            assert after.split(" ") == expected


def test_streams_are_mapped_and_read_only(prepared: CorpusDirectory) -> None:
    stream = load_corpus(prepared).splits["train"].stream
    assert isinstance(stream, np.memmap)
    assert stream.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        stream[0] = 1


def test_statistics_count_what_is_there(prepared: CorpusDirectory) -> None:
    statistics = read_json(prepared.statistics)
    corpus = load_corpus(prepared)
    for split in SPLITS:
        text = lines(prepared.text(split))
        words = [word for line in text for word in line.split()]
        found = statistics["splits"][split]
        assert found["sentences"] == len(text)
        assert found["tokens"] == len(words) + len(text)
        assert found["words"] == len(words)
        numbers = np.load(prepared.split_articles(split))
        assert found["documents"] == len(set(numbers.tolist()))
        assert found["unk_tokens"] == words.count("<unk>")
        assert found["oov_rate"] == pytest.approx(words.count("<unk>") / len(words))
        tokens = " ".join(lines(prepared.split(split))).split()
        assert found["types"] == len(set(tokens))
        sizes = np.diff(corpus.class_offsets)[corpus.word_classes]
        targets = corpus.splits[split].stream[1:]
        scored = np.where(sizes > 1, sizes, 0)  # a word that is alone in its class needs no score
        assert found["mean_class_size"] == pytest.approx(scored[targets].mean())
    assert sum(statistics["class_sizes"]) == statistics["vocabulary_size"] == len(corpus.words)
    assert statistics["digest"] == corpus.digest


def test_counts_of_the_vocabulary_are_those_of_the_training_text(
    prepared: CorpusDirectory,
) -> None:
    corpus = load_corpus(prepared)
    found = np.bincount(corpus.splits["train"].stream[1:], minlength=corpus.vocabulary_size)
    assert found.tolist() == corpus.counts.tolist()


def test_no_sentence_is_in_two_splits_and_none_is_lost(prepared: CorpusDirectory) -> None:
    parts = [lines(prepared.split(split)) for split in SPLITS]
    together = [sentence for part in parts for sentence in part]
    assert sorted(together) == sorted(lines(prepared.sentences))
    assert len(set(together)) == len(together)
    assert [len(part) for part in parts][1:] == [3, 2]


def test_duplicates_and_fragments_are_dropped(settings: CorpusSettings, tmp_path: Path) -> None:
    overlong = "so " * 120 + "on."
    text = f"The cat sat.\nYes.\nThe dog ran.\nThe CAT sat.\n{overlong}"
    articles, out = write(tmp_path / "articles.txt", text), tmp_path / "sentences.txt"
    write_sentences(settings, articles, out, 1)
    assert lines(out) == ["the cat sat .", "the dog ran ."]


def test_quotes_are_kept_and_unknown_stays_whole(settings: CorpusSettings, tmp_path: Path) -> None:
    articles = write(tmp_path / "a.txt", 'He said, "We weren\'t <unk> there."')
    write_sentences(settings, articles, tmp_path / "out.txt", 1)
    assert lines(tmp_path / "out.txt") == ['he said , " we were n\'t <unk> there . "']


@pytest.mark.parametrize("rule", ["sqrt_frequency", "exchange"])
def test_the_number_of_processes_changes_nothing(
    settings: CorpusSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Prepare,
    rule: str,
) -> None:
    classes = settings.classes.model_copy(update={"rule": rule})
    settings = settings.model_copy(update={"classes": classes})
    monkeypatch.setattr("online_rnnlm.corpora.tokenisation.BATCH_CHARACTERS", 100)
    write(tmp_path / "text.txt", "\n".join(LINES))
    one, two = prepare(settings, tmp_path, 1, "one"), prepare(settings, tmp_path, 2, "two")
    assert one.sentences.read_bytes() == two.sentences.read_bytes()
    assert one.sentence_articles.read_bytes() == two.sentence_articles.read_bytes()
    assert load_corpus(one).digest == load_corpus(two).digest
    assert read_statistics(one).class_rule == rule


def test_the_seed_decides_the_order(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    write(tmp_path / "text.txt", "\n".join(LINES))
    digests = [
        load_corpus(prepare(settings.model_copy(update={"seed": seed}), tmp_path, name=name)).digest
        for seed, name in [(1, "a"), (1, "b"), (2, "c")]
    ]
    assert digests[0] == digests[1] != digests[2]


def test_a_smaller_sample_has_the_same_held_out_text(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    write(tmp_path / "text.txt", "\n".join(LINES))
    whole = prepare(settings, tmp_path, name="whole")
    sample = prepare(settings.model_copy(update={"train_sentences": 7}), tmp_path, name="sample")
    assert len(lines(sample.split("train"))) == 7
    assert lines(sample.split("train")) == lines(whole.split("train"))[:7]
    for split in ("valid", "test"):
        assert lines(sample.split(split)) == lines(whole.split(split))


def test_jsonl_and_compressed_files_give_the_same_articles(
    settings: CorpusSettings, tmp_path: Path
) -> None:
    rows = "".join(json.dumps({"title": "T", "text": line}) + "\n" for line in LINES)
    packed = {
        "a.jsonl": rows.encode(),
        "a.jsonl.gz": gzip.compress(rows.encode()),
        "a.jsonl.bz2": bz2.compress(rows.encode()),
        "a.jsonl.xz": lzma.compress(rows.encode()),
        "a.jsonl.zst": compressed(rows.encode()),
        "A.NDJSON.XZ": lzma.compress(rows.encode()),
        "a.json": rows.replace("\n", "\r\n").encode(),
    }
    found = set()
    for name, content in packed.items():
        changed = with_source(settings, file=write(tmp_path / name, content))
        write_articles(changed, tmp_path, tmp_path / "articles.jsonl", 1)
        found.add((tmp_path / "articles.jsonl").read_text(encoding="utf-8"))
    assert len(found) == 1
    assert json.loads(found.pop().splitlines()[0]) == {"title": "T", "text": LINES[0]}


def test_ready_tokenised_files_stay_as_they_are(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    texts = {"train": "A  b <UNK>\n\nA b <unk>\nx\n", "valid": "A\n", "test": "A b <unk>\nnew\n"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    directory = prepare(with_source(settings, **files, tokenised=True), tmp_path)
    assert lines(directory.split("train")) == ["A b <unk>", "A b <unk>", "x"]
    assert lines(directory.text("test")) == ["A b <unk>", "<unk>"]
    assert read_json(directory.statistics)["articles"] is None


@pytest.mark.parametrize(("min_count", "warns"), [(1, True), (2, False)])
def test_unknown_words_that_no_model_can_learn_are_told(
    settings: CorpusSettings,
    tmp_path: Path,
    prepare: Prepare,
    caplog: pytest.LogCaptureFixture,
    min_count: int,
    warns: bool,
) -> None:
    texts = {"train": "a b\na c\n", "valid": "a\n", "test": "a new\na word\n"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    own = with_source(settings, **files, tokenised=True)
    vocabulary = settings.vocabulary.model_copy(update={"min_count": min_count})
    directory = prepare(own.model_copy(update={"vocabulary": vocabulary}), tmp_path)
    statistics = read_statistics(directory)
    assert statistics.unknown_words_never_trained == ({"test": 2} if warns else {})
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == warns
    assert all("2 words of test" in message for message in told)


def test_ready_raw_files_are_tokenised_each_by_itself(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    texts = {"train": "A cat sat. A dog ran.", "valid": "A dog ran.", "test": "A cow sat. A pig!"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    directory = prepare(with_source(settings, **files), tmp_path)
    assert lines(directory.split("train")) == ["a cat sat .", "a dog ran ."]
    assert lines(directory.split("valid")) == ["a dog ran ."]
    assert lines(directory.split("test")) == ["a cow sat .", "a pig !"]


def test_a_sample_of_a_ready_file_keeps_its_order(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    texts = {"train": "\n".join(f"w{i:02}" for i in range(50)), "valid": "w01", "test": "w02"}
    files = {split: write(tmp_path / split, text) for split, text in texts.items()}
    changed = with_source(settings, **files, tokenised=True)
    directory = prepare(changed.model_copy(update={"train_sentences": 9}), tmp_path)
    found = lines(directory.split("train"))
    assert len(found) == 9
    assert found == sorted(found)


def test_one_tokenised_file_is_shuffled_but_otherwise_kept(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    text = [f"Word{i} IS" for i in range(20)] * 2
    file = write(tmp_path / "t.txt", "\n".join(text))
    directory = prepare(with_source(settings, file=file, tokenised=True), tmp_path)
    parts = [sentence for split in SPLITS for sentence in lines(directory.split(split))]
    assert sorted(parts) == sorted(text)
    assert parts != text


WORDS = st.lists(st.text("ab<>/ué\u4e00'\"", min_size=1, max_size=4), min_size=1, max_size=6)


@given(sentences=st.lists(WORDS, min_size=6, max_size=20))
def test_any_tokenised_text_survives_the_round_trip(
    sentences: list[list[str]], tmp_path_factory: pytest.TempPathFactory, prepare: Prepare
) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = [" ".join(sentence) for sentence in sentences]
    file = write(folder / "t.txt", "\n".join(text))
    source = {"kind": "text", "file": file, "tokenised": True}
    sizes = {"valid_sentences": 2, "test_sentences": 2, "vocabulary": {"min_count": 1}}
    directory = prepare(CorpusSettings.model_validate({"source": source, **sizes}), folder)
    corpus = load_corpus(directory)
    assert words_of(corpus, "train") == lines(directory.split("train"))
    assert sorted(s for split in SPLITS for s in lines(directory.split(split))) == sorted(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("", "empty"),
        ("\n \n", "empty"),
        (b"good\nb\0d\n", "line 2, byte 2: a NUL byte"),
        (b"good\n\nb\xe9d\n", "line 3, byte 2: not UTF-8"),
        ("a b\nc </s> d\n", "line 2: `</s>`"),
        ("a b\n" * 5, "5 sentences, at least 6 are needed"),
    ],
)
def test_bad_text_is_refused_and_leaves_nothing(
    settings: CorpusSettings, tmp_path: Path, content: str | bytes | None, message: str
) -> None:
    file = tmp_path / "bad.txt"
    if content is not None:
        write(file, content)
    out = {split: tmp_path / "out" / split for split in SPLITS}
    changed = with_source(settings, file=file, tokenised=True)
    with pytest.raises(UserError, match=f"bad.txt.*{message}") as caught:
        write_splits(changed, tmp_path, tmp_path / "unused", out)
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != file]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.jsonl", '{"text": "x"}\n[1]\n', "line 2: a JSON object"),
        ("bad.jsonl", '{"text": "x"}\n{"title": "x"}\n', "line 2: a string `text`"),
        ("bad.JSON", '{"text": "x"}\n{"text": ["x"]}\n', "line 2: a string `text`"),
        ("bad.ndjson", '{"text": "x", "text": "y"}\n', "line 1: not JSON: the key 'text'"),
        ("bad.jsonl", '{"text": "x\\u0000y"}\n', "line 1: `text`: a NUL character"),
        ("bad.jsonl", '{"text": "x", "title": "\\ud800"}\n', "line 1: `title`, character 1: half"),
        ("bad.jsonl", '{"text": ' + "[" * 100_000, "line 1: not JSON: nested too deeply"),
        ("bad.parquet", b"no parquet at all", "damaged"),
        ("bad.parquet.gz", b"", "compressed in itself"),
        ("bad.jsonl", '{"text": "x"}\n{"te', "line 2: not JSON"),
        ("bad.jsonl", '{"text": " "}\n', "empty"),
        ("bad.txt", "", "empty"),
        ("bad.gz", b"plain", "damaged"),
        ("bad.xz", lzma.compress(b"some text\n" * 9)[:-20], "damaged"),
        ("bad.bz2", bz2.compress(b"some text\n" * 9)[:-5], "damaged"),
        *(
            (f"more.{suffix}", compress(b"some text\n" * 9) + more, "damaged")
            for suffix, compress in (("bz2", bz2.compress), ("xz", lzma.compress))
            for more in (b"more", b"\0\0\0\0more", compress(b"more")[:-5])
        ),
        ("bad.zst", compressed(b"some text\n" * 999)[:-9], "damaged"),
        ("bad.GZ", b"plain", "damaged"),
        ("bad.7z", b"7z\xbc\xaf\x27\x1c\x00\x04", r"is packed \(7z\): allowed are .*\.bz2"),
        ("bad.zip", b"PK\x03\x04\x14\x00", "zip"),
        ("bad.xml", bz2.compress(b"<mediawiki/>", 1), "bzip2"),
        ("bad.txt", compressed(b"text"), "zstandard"),
    ],
)
def test_bad_articles_are_refused_and_leave_nothing(
    settings: CorpusSettings, tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    file = write(tmp_path / name, content)
    out = tmp_path / "articles.jsonl"
    with pytest.raises(UserError, match=f"{name}.*{message}"):
        write_articles(with_source(settings, file=file), tmp_path, out, 1)
    assert list(tmp_path.iterdir()) == [file]


def test_text_of_fragments_only_is_refused(settings: CorpusSettings, tmp_path: Path) -> None:
    articles = write(tmp_path / "articles.txt", "Yes.\nNo.\n")
    with pytest.raises(UserError, match=r"articles\.txt: no sentence of 3 to 100 tokens"):
        write_sentences(settings, articles, tmp_path / "sentences.txt", 1)
    assert not (tmp_path / "sentences.txt").exists()


def test_tokenised_jsonl_is_refused(
    settings: CorpusSettings, tmp_path: Path, prepare: Prepare
) -> None:
    file = write(tmp_path / "t.jsonl.gz", gzip.compress(b'{"text": "a b"}\n'))
    with pytest.raises(UserError, match=r"t\.jsonl\.gz.*a sentence a line"):
        prepare(with_source(settings, file=file, tokenised=True), tmp_path)


def test_an_unfinished_corpus_is_not_loaded(prepared: CorpusDirectory) -> None:
    prepared.statistics.unlink()
    with pytest.raises(UserError, match=r"statistics\.json"):
        load_corpus(prepared)


def test_a_truncated_array_is_not_loaded(prepared: CorpusDirectory) -> None:
    stream = prepared.stream("valid")
    stream.write_bytes(stream.read_bytes()[:-8])
    with pytest.raises(UserError, match=r"valid\.npy"):
        load_corpus(prepared)


BLANK = b"\0" * 4


@pytest.mark.parametrize("size", [9, 300_000])
@pytest.mark.parametrize(
    ("suffix", "compress", "between"),
    [
        ("gz", gzip.compress, b""),
        ("bz2", bz2.compress, b""),
        ("xz", lzma.compress, b""),
        ("xz", lzma.compress, BLANK),
        ("xz", lzma.compress, BLANK * 100_000),
        ("zst", compressed, b""),
    ],
)
def test_a_file_of_several_streams_is_read_whole(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes], between: bytes, size: int
) -> None:
    """Programs that compress in parallel write such files, and `xz` may write padding."""
    path = tmp_path / f"text.txt.{suffix}"
    texts = ["".join(f"{kind} {number}\n" for number in range(size)) for kind in ("one", "two")]
    path.write_bytes(between.join([*(compress(text.encode()) for text in texts), b""]))
    assert list(read_lines(path)) == "".join(texts).splitlines()


def test_an_empty_file_among_others_is_refused(
    tmp_path: Path, settings: CorpusSettings, prepare: Prepare
) -> None:
    (tmp_path / "text.txt").write_text("Cats sleep here now.\n" * 9)
    (tmp_path / "text2.txt").touch()
    changed = with_source(settings, file=tmp_path / "text*.txt")
    with pytest.raises(UserError, match=r"text2\.txt: no text in it: the file is empty"):
        prepare(changed, tmp_path)
