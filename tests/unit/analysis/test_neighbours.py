"""Tests of the table of neighbours: sentences whose document vectors are alike."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.results import NothingToShowError
from online_rnnlm.analysis.tables import neighbours
from online_rnnlm.core.text import Split
from tests.unit.analysis import fake_experiment

RUN = "invented-M100-D35-seed1"
VECTOR_ROW = [{"hidden_size": 100, "document_size": 35}]


def _random(count: int, size: int, seed: int = 0) -> neighbours.Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, size))
    return neighbours.unit_vectors(vectors)


def test_a_mean_embedding_is_of_all_words_but_the_sentences_end():
    embeddings = np.array([[100, 100], [1, 0], [0, 2], [3, 3]], dtype=np.float32)
    # </s> | 1 2 2 </s> | 3 </s> | </s>
    stream = np.array([0, 1, 2, 2, 0, 3, 0, 0], dtype=np.int32)
    split = Split(stream, np.array([0, 4, 6, 7]))
    found = neighbours.mean_embeddings(embeddings, split)
    np.testing.assert_allclose(found, [[1 / 3, 4 / 3], [3, 3], [0, 0]], rtol=1e-6)


@given(count=st.integers(2, 12), size=st.integers(1, 4), seed=st.integers(0, 99))
def test_cosines_are_those_of_all_pairs(count, size, seed):
    vectors = _random(count, size, seed)
    others = vectors.astype(float) @ vectors.T.astype(float)
    off_diagonal = others[~np.eye(count, dtype=bool)].reshape(count, count - 1)
    assert neighbours.unit_vectors(np.zeros((1, 2))).tolist() == [[0, 0]]
    assert neighbours.mean_cosine(vectors) == pytest.approx(off_diagonal.mean(), abs=1e-6)


def test_the_table_has_both_kinds_of_neighbours(invented):
    results = invented(rows=VECTOR_ROW)
    table = neighbours.make(results)
    data = table.data
    sentences = neighbours.read_sentences(
        results.directory, RUN, results.directory.corpus("invented")
    )
    assert data["sentence"].nunique() == neighbours.QUERIES
    texts = results.directory.corpus("invented").tokens("valid").read_text().splitlines()
    place = {number: place for place, number in enumerate(sentences.numbers)}
    for _, row in data.iterrows():
        for kind, vectors in (("document", sentences.document), ("embedding", sentences.embedding)):
            neighbour = row[f"{kind}_neighbour"]
            cosine = float(vectors[place[row["sentence"]]] @ vectors[place[neighbour]])
            assert row[f"{kind}_text"] == texts[neighbour]
            assert row[f"{kind}_cosine"] == pytest.approx(cosine, abs=1e-5)
    for number, query in data.groupby("sentence"):
        own = place[number]
        others = np.delete(sentences.document @ sentences.document[own], own)
        assert query["document_cosine"].iloc[0] == pytest.approx(others.max(), abs=1e-5)
        assert list(query["rank"]) == list(range(1, neighbours.NEAREST + 1))
        assert query["document_cosine"].is_monotonic_decreasing
        assert query["embedding_cosine"].is_monotonic_decreasing
    again = neighbours.make(results)
    pd.testing.assert_frame_equal(again.data, data)


def test_a_single_sentence_has_no_neighbour(invented, monkeypatch):
    monkeypatch.setitem(fake_experiment.SENTENCES, "valid", 1)
    with pytest.raises(NothingToShowError, match="no neighbour"):
        neighbours.make(invented(rows=VECTOR_ROW))


def test_short_and_repeated_sentences_are_left_out(invented):
    results = invented(rows=VECTOR_ROW)
    text = results.directory.corpus("invented").tokens("valid")
    long = " ".join(["word"] * neighbours.MIN_WORDS)
    lines = [f"{long} {i % 30}" if i >= 4 else "too short" for i in range(40)]
    text.write_text("".join(f"{line}\n" for line in lines))
    found = neighbours.read_sentences(results.directory, RUN, results.directory.corpus("invented"))
    assert found.numbers.tolist() == list(range(4, 34))
    assert found.texts == lines[4:34]
    assert len(found.document) == len(found.embedding) == 30
