"""Tests that a corpus's arrays are checked against each other when it is opened."""

import shutil

import numpy as np
import pytest

from online_rnnlm.corpora.corpus import digest_of, load_corpus, load_vocabulary
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import CorpusDirectory
from online_rnnlm.storage.records import Statistics


@pytest.fixture
def corpus(corpus_directory, tmp_path) -> CorpusDirectory:
    shutil.copytree(corpus_directory.path, tmp_path / "corpus")
    return CorpusDirectory(tmp_path / "corpus")


def record_as_they_are(corpus: CorpusDirectory) -> None:
    """Make the record agree with the files, so that no checksum tells that they have changed."""
    statistics = records.read(Statistics, corpus.statistics)
    files = {name: sha256_of(corpus.path / name) for name in statistics.files}
    update = {"files": files, "digest": digest_of(files)}
    records.write(corpus.statistics, statistics.model_copy(update=update))


def beyond(stream):
    return np.append(stream[:-2], np.array([10_000, 0], np.int32))


def negative(stream):
    return np.append(stream[:-2], np.array([-1, 0], np.int32))


@pytest.mark.parametrize(("change", "word"), [(beyond, "10000"), (negative, "-1")])
def test_words_that_are_not_in_the_vocabulary_are_refused(corpus, change, word):
    np.save(corpus.stream("test"), change(np.load(corpus.stream("test"))))
    record_as_they_are(corpus)
    with pytest.raises(UserError, match=rf"test\.npy: contains the word {word},"):
        load_corpus(corpus)


def too_far(offsets):
    return np.append(offsets, offsets[-1] + 5)


def backwards(offsets):
    return np.array([0, offsets[-1] + 5, offsets[-1]])


@pytest.mark.parametrize("change", [too_far, backwards, lambda offsets: offsets.astype("float64")])
def test_sentences_outside_of_the_text_are_refused(corpus, change):
    np.save(corpus.offsets("test"), change(np.load(corpus.offsets("test"))))
    record_as_they_are(corpus)
    with pytest.raises(UserError, match=r"test\.offsets\.npy: does not fit test\.npy"):
        load_corpus(corpus)


def test_a_changed_vocabulary_is_refused_without_its_text_too(corpus):
    assert load_vocabulary(corpus).vocabulary_size == load_corpus(corpus).vocabulary_size
    corpus.vocabulary.write_text(corpus.vocabulary.read_text() + "another\t1\t5\n")
    for load in (load_vocabulary, load_corpus):
        with pytest.raises(UserError, match=r"vocabulary\.tsv: damaged"):
            load(corpus)
