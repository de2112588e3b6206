import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.analysis.neighbours import (
    NEAREST,
    QUERIES,
    choose,
    draw,
    highest_cosines,
    mean_cosine,
    nearest,
)
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.sentences import (
    MIN_TOKENS,
    Sentences,
    Vectors,
    mean_embeddings,
    read_sentences,
    unit,
)
from online_rnnlm.analysis.tables.neighbours import CHOSEN, DRAWN, write_neighbours
from online_rnnlm.analysis.tables.neighbours import make as neighbours_table
from online_rnnlm.corpora.corpus import Split
from online_rnnlm.errors import UserError
from online_rnnlm.model import weight_files
from online_rnnlm.storage.files import write_json
from tests.unit.analysis.changes import write_weights

Invented = Callable[..., Results]

RUN = "invented-M100-D35-seed1"
VECTOR_ROW = [{"hidden_size": 100, "document_size": 35}]


def _random(count: int, size: int, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, size)))


def _directions(*degrees: float) -> Vectors:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def _sentences(document: Vectors, subjects: list[str]) -> Sentences:
    return Sentences(
        numbers=np.arange(len(document)),
        texts=[f"text {i}" for i in range(len(document))],
        subjects=subjects,
        document=document,
        embedding=document,
    )


def test_a_mean_embedding_is_of_all_words_but_the_sentences_end() -> None:
    embeddings = np.array([[100, 100], [1, 0], [0, 2], [3, 3]], dtype=np.float32)
    # </s> | 1 2 2 </s> | 3 </s> | </s>
    stream = np.array([0, 1, 2, 2, 0, 3, 0, 0], dtype=np.int32)
    split = Split(stream, np.array([0, 4, 6, 7]))
    found = mean_embeddings(embeddings, split)
    np.testing.assert_allclose(found, [[1 / 3, 4 / 3], [3, 3], [0, 0]], rtol=1e-6)


def test_a_vector_of_length_0_stays() -> None:
    np.testing.assert_allclose(unit(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])


@given(count=st.integers(2, 12), size=st.integers(1, 4), seed=st.integers(0, 99))
def test_cosines_are_those_of_all_pairs(count: int, size: int, seed: int) -> None:
    vectors = _random(count, size, seed)
    others = vectors.astype(float) @ vectors.T.astype(float)
    off_diagonal = others[~np.eye(count, dtype=bool)].reshape(count, count - 1)
    assert mean_cosine(vectors) == pytest.approx(off_diagonal.mean(), abs=1e-6)
    assert highest_cosines(vectors) == pytest.approx(off_diagonal.max(axis=1), abs=1e-5)
    [(first, cosine), *_] = nearest(vectors, 0)
    assert first != 0
    assert cosine == pytest.approx(off_diagonal[0].max(), abs=1e-5)


def test_highest_cosines_reach_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = _random(23, 5)
    at_once = highest_cosines(vectors)
    monkeypatch.setattr("online_rnnlm.analysis.neighbours._BLOCK", 7)
    np.testing.assert_allclose(highest_cosines(vectors), at_once, rtol=1e-5)


def test_the_nearest_come_in_order_of_their_cosines() -> None:
    found = nearest(_directions(0, 90, 10, 350.5, 40), 0)
    assert [place for place, _ in found] == [3, 2, 4]
    assert [cosine for _, cosine in found] == pytest.approx(np.cos(np.radians([9.5, 10, 40])))


def test_two_sentences_are_each_others_only_neighbours() -> None:
    assert [place for place, _ in nearest(_directions(0, 10), 1)] == [0]


def test_chosen_are_the_closest_pairs_of_different_subjects() -> None:
    # Groups of four words, each group less close than the one before; a group fills all places
    # beside its first word.
    starts, steps = [0, 60, 120, 180, 240, 300], [1, 2, 3, 4, 5, 6]
    degrees = [start + step * i for start, step in zip(starts, steps, strict=True) for i in (0, 1)]
    degrees += [start + 8 * i for start in starts for i in (2, 3)]
    subjects = [str(i // 2) for i in range(12)] + ["other"] * 12
    subjects[2] = subjects[3] = "0"  # the subject of the first group
    chosen = choose(_sentences(_directions(*degrees), subjects))
    assert [subjects[place] for place in chosen] == ["0", "2", "3", "4"]
    assert chosen[0] in {0, 1}


def test_a_sentence_shown_beside_a_chosen_one_is_not_chosen() -> None:
    subjects = [str(i) for i in range(9)]
    vectors = _directions(0, 1, 2, 3, 100, 105, 110, 115, 250)
    chosen = choose(_sentences(vectors, subjects))
    assert len(chosen) == 3
    assert len({0, 1, 2, 3} & set(chosen)) == len({4, 5, 6, 7} & set(chosen)) == 1


def test_drawn_are_others_and_the_same_for_the_same_seed() -> None:
    sentences = _sentences(_random(30, 3), ["x"] * 30)
    chosen = [0, 1, 2, 3]
    drawn = [draw(sentences, seed, without=chosen) for seed in range(20)]
    assert drawn == [draw(sentences, seed, without=chosen) for seed in range(20)]
    assert len(set(map(tuple, drawn))) > 10
    for places in drawn:
        assert len(set(places)) == QUERIES
        assert not set(places) & set(chosen)


def test_the_table_has_both_kinds_of_neighbours_of_both_kinds_of_sentences(
    invented: Invented,
) -> None:
    results = invented(rows=VECTOR_ROW)
    table = neighbours_table(results)
    data = table.data
    sentences = read_sentences(results.directory, RUN, "invented")
    per_kind = data[data["rank"] == 1]["picked"].value_counts()
    assert per_kind[DRAWN] == QUERIES
    assert 1 <= per_kind[CHOSEN] <= QUERIES
    texts = results.directory.corpus("invented").split("valid").read_text().splitlines()
    for _, row in data.iterrows():
        for kind, vectors in (("document", sentences.document), ("embedding", sentences.embedding)):
            assert row[f"{kind}_text"] == texts[row[f"{kind}_neighbour"]]
            a, b = (
                vectors[list(sentences.numbers).index(row[key])]
                for key in ("sentence", f"{kind}_neighbour")
            )
            assert row[f"{kind}_cosine"] == pytest.approx(float(a @ b), abs=1e-5)
    for _, query in data.groupby("sentence"):
        assert list(query["rank"]) == list(range(1, NEAREST + 1))
        assert query["document_cosine"].is_monotonic_decreasing
        assert query["embedding_cosine"].is_monotonic_decreasing
    again = neighbours_table(results)
    pd.testing.assert_frame_equal(again.data, data)


def test_twins_find_each_other_whatever_their_length(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    path = results.directory.document_vectors(RUN, "valid")
    vectors = np.load(path)
    vectors[1::2] = 3 * vectors[::2]
    np.save(path, vectors)
    lines = [f"{i} {' '.join(['word'] * MIN_TOKENS)}\n" for i in range(40)]
    results.directory.corpus("invented").split("valid").write_text("".join(lines))
    table = neighbours_table(results)
    first = table.data[table.data["rank"] == 1]
    assert list(first["document_neighbour"]) == [query ^ 1 for query in first["sentence"]]
    assert first["document_cosine"].to_numpy() == pytest.approx(1.0)


def test_the_embeddings_are_the_runs_own_and_without_the_sentences_end(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    weights = results.directory.run(RUN).model
    before = read_sentences(results.directory, RUN, "invented").embedding
    changed = weight_files.read(weights)
    changed.embeddings[0] += 100  # </s>
    write_weights(results.directory, RUN, changed)
    same = read_sentences(results.directory, RUN, "invented").embedding
    np.testing.assert_allclose(same, before, atol=1e-5)
    changed.embeddings[1:] = 1.0
    write_weights(results.directory, RUN, changed)
    alike = read_sentences(results.directory, RUN, "invented").embedding
    assert mean_cosine(alike) == pytest.approx(1.0, abs=1e-5)


def test_short_and_repeated_sentences_are_left_out(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    text = results.directory.corpus("invented").split("valid")
    long = " ".join(["word"] * MIN_TOKENS)
    lines = [f"{long} {i % 30}" if i >= 4 else "too short" for i in range(40)]
    text.write_text("".join(f"{line}\n" for line in lines))
    found = read_sentences(results.directory, RUN, "invented")
    assert found.numbers.tolist() == list(range(4, 34))
    assert found.texts == lines[4:34]
    assert len(found.document) == len(found.embedding) == len(found.subjects) == 30


def test_subjects_are_topics_or_else_articles(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    files = results.directory.corpus("invented")
    found = read_sentences(results.directory, RUN, "invented")
    assert found.subjects == [f"topic {number // 4 % 3}" for number in found.numbers]
    statistics = json.loads(files.statistics.read_text()) | {"articles": None}
    write_json(files.statistics, statistics)
    found = read_sentences(results.directory, RUN, "invented")
    assert found.subjects == [str(number // 4) for number in found.numbers]


def test_too_few_vectors_are_refused(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    path = results.directory.document_vectors(RUN, "valid")
    np.save(path, np.load(path)[:-1])
    with pytest.raises(UserError, match=f"{path}: .*39 .* 40$"):
        write_neighbours(results.experiment, results.directory)


@pytest.mark.parametrize("missing", ["model", "vectors"])
def test_a_missing_file_is_named(invented: Invented, missing: str) -> None:
    results = invented(rows=VECTOR_ROW)
    directory = results.directory
    model, vectors = directory.run(RUN).model, directory.document_vectors(RUN, "valid")
    path = model if missing == "model" else vectors
    path.unlink()
    with pytest.raises(UserError, match=str(path)):
        write_neighbours(results.experiment, results.directory)


def test_no_vector_no_neighbours(invented: Invented) -> None:
    results = invented(rows=[{"hidden_size": 100}])
    with pytest.raises(UserError, match="document_size"):
        write_neighbours(results.experiment, results.directory)


def test_the_files_have_every_kind(invented: Invented) -> None:
    results = invented(rows=VECTOR_ROW)
    write_neighbours(results.experiment, results.directory)
    csv = pd.read_csv(results.directory.table("neighbours", "csv"))
    table = neighbours_table(results)
    assert len(csv) == len(table.data)
    latex = results.directory.table("neighbours", "tex").read_text()
    assert latex.count("p{") == 3
    for kind in ("md", "html"):
        assert results.directory.table("neighbours", kind).stat().st_size > 0
