"""Tests of the search for sentences with similar document vectors, and of its index."""

import os
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from online_rnnlm.errors import WrongInputError
from online_rnnlm.storage.files import seal
from online_rnnlm.use.search import Found, Index, nearest, read_index

pytestmark = pytest.mark.slow  # a training

TEXT = "the cat sees the hen .\nthe ship fears the storm .\n\nthe king wants the queen .\n"
QUERIES = "the whale names the ship .\nthe cat sees the hen .\n"
EXAMPLES = int(os.environ.get("FUZZ", "200"))


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def index(text, model_path, run):
    path = text.with_suffix(".index")
    command = ["nearest", model_path, "--among", text, "--tokenised", "--write-index", path]
    assert run(*command).out == f"{path}: 3 sentences\n"
    return path


def test_the_highest_cosines_come_first_and_equal_ones_in_the_texts_order():
    vectors = np.array([[0, 1], [1, 0], [0.6, 0.8], [1, 0], [0, 0]], np.float32)
    found = list(nearest(Index(["a", "b", "c", "d", "e"], vectors), vectors[1], 4))
    assert [one.sentence for one in found] == [1, 3, 2, 0]
    assert found[0] == Found(1, 1.0, "b")
    assert found[2].cosine == pytest.approx(0.6)


@pytest.mark.parametrize("by_index", [False, True])
def test_cosines_are_those_of_the_document_vectors(model, model_path, text, index, run, by_index):
    where = ["--index", index] if by_index else ["--among", text]
    options = ["--tokenised", "--format", "tsv", "--number", "2"]
    found = run("nearest", model_path, *where, *options, text=QUERIES)
    header, *rows = [line.split("\t") for line in found.out.splitlines()]
    assert header == ["query", "cosine", "sentence", "text"]
    texts = TEXT.replace("\n\n", "\n").splitlines()
    way = {"tokenised": True, "unit_of_text": "sentence"}
    kept, asked = (model.document_vectors(one, **way) for one in (texts, QUERIES.splitlines()))
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(kept, axis=1)
    cosines = asked @ kept.T / lengths
    assert [int(row[0]) for row in rows] == [0, 0, 1, 1]
    assert rows[2][2:] == ["0", texts[0]] and float(rows[2][1]) == pytest.approx(1)
    for query, cosine, sentence, words in rows:
        assert float(cosine) == pytest.approx(cosines[int(query), int(sentence)], abs=1e-5)
        assert words == texts[int(sentence)]
    highest = np.sort(cosines, axis=1)[:, ::-1][:, :2].ravel()
    np.testing.assert_allclose([float(row[1]) for row in rows], highest, atol=1e-5)


def test_a_search_that_cannot_be_done_is_one_line(
    model_path, results, names, text, index, tmp_path, refused
):
    static, other = results.run(names.STATIC).path, tmp_path / "other"
    other.write_text("something else")
    new = tmp_path / "new.index"
    ask = {"text": QUERIES}
    for arguments, expected in (
        ([static, "--among", text], "has no document vector"),
        ([model_path, "--index", other], "no index"),
        ([model_path, "--index", model_path], "no index"),
        ([model_path, "--index", tmp_path / "none"], "no such file"),
        ([model_path, "--index", index, "--write-index", other], "needs `--among`"),
        ([model_path, "--among", text, "--write-index", other], "would be lost"),
        ([model_path, text, "--among", text, "--write-index", new], "searches for nothing"),
    ):
        assert expected in refused("nearest", *arguments, **ask)
    assert other.read_text() == "something else"


def test_an_index_of_another_model_is_refused(model, index):
    other = model.description.model_copy(update={"identity": "0" * 64})
    with pytest.raises(WrongInputError, match="another model's"):
        read_index(index, other)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False), sealed=st.booleans())
def test_a_changed_index_is_refused_in_one_line_or_has_its_sizes(model, index, chance, sealed):
    """With a right checksum, too, what is used has as many texts as vectors."""
    with zipfile.ZipFile(index) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    part = parts[chance.choice(sorted(parts))]
    place = chance.randrange(len(part))
    part[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
    path = index.with_name("changed.index")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, bytes(content))
    if sealed:
        seal(path)
    try:
        found = read_index(path, model.description)
    except WrongInputError as error:
        assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
    else:
        assert sealed
        assert found.vectors.shape == (3, 3) and len(found.texts) == 3
