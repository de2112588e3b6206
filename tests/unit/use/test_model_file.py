"""Tests of the file that is a whole model: nothing that is damaged or foreign is ever used."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import online_rnnlm
from online_rnnlm.corpora.records import SentenceSplitter
from online_rnnlm.errors import UserError
from online_rnnlm.use import model_file
from online_rnnlm.use.model_file import Contents
from online_rnnlm.use.places import read_results
from tests.unit.made_texts import many


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow  # trainings
def test_a_file_is_the_same_model(results, trained_path, names, tmp_path):
    there = results.run(names.VECTOR).path
    file = trained_path
    texts = ["The cat sees the hen, Mr. ship.", "The storm meets the whale."]
    first = online_rnnlm.load(there)
    second = online_rnnlm.load(str(file))
    model_file.write(tmp_path / "again.onlm", read_results(there))
    assert (tmp_path / "again.onlm").read_bytes() == file.read_bytes()
    assert first.description == second.description
    assert first.words == second.words
    assert first.score(texts).equals(second.score(texts))
    description = second.description
    assert description.perplexity.keys() == {"valid", "test"}
    assert not description.preparation.tokenised and description.preparation.lowercase


def test_numpy_and_unzip_read_it_without_this_project(model_path):
    with np.load(model_path) as arrays:
        weights = online_rnnlm.load(model_path).network.weights
        np.testing.assert_array_equal(arrays["weights/recurrent"], weights.recurrent)
    assert zipfile.ZipFile(model_path).testzip() is None


def test_half_precision_rounds_the_weights(model, model_path, tmp_path):
    vocabulary = members(model_path)[model_file.VOCABULARY]
    whole = tmp_path / "whole.onlm"
    half = tmp_path / "half.onlm"
    for path in (whole, half):
        parts = model.description, model.network.corpus, model.network.weights
        contents = Contents(*parts, SentenceSplitter.nothing(), vocabulary)
        model_file.write(path, contents, half=path == half)
    read = model_file.read(half).weights._asdict()
    exact = model.network.weights._asdict()
    for name, values in exact.items():
        assert read[name].dtype == values.dtype
        np.testing.assert_array_equal(read[name], values.astype(np.float16))
    assert half.stat().st_size < whole.stat().st_size


CHANGES = [
    ({"description.json": b'{"format": 2}'}, "made by another version: `format`: "),
    ({"description.json": None}, "no model: has no `description.json`"),
    ({"weights/recurrent.npy": None}, "has no 'weights/recurrent'"),
    ({"vocabulary.tsv": b"word"}, "vocabulary.tsv: cannot be read: "),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_a_model_whose_parts_do_not_fit_is_refused(model_path, tmp_path, change, expected):
    path = tmp_path / "changed.onlm"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members(model_path) | change).items():
            if content is not None:
                archive.writestr(name, content)
    with pytest.raises(UserError, match=f"^{path}.*{re.escape(expected)}.*$"):
        model_file.read(path)


def test_another_file_is_no_model(tmp_path, refused):
    path = tmp_path / "other.onlm"
    path.write_bytes(b"text\n")
    for verb in (("score", "--model"), ("info",)):
        assert refused(*verb, path, text="The cat.").startswith(f"{path}: no model, or cut off: ")


@many
@given(chance=st.randoms(use_true_random=False), kind=st.sampled_from(["cut", "flip", "insert"]))
def test_a_changed_file_is_the_same_model_or_refused(model_path, tmp_path, chance, kind):
    """Zip's own sums protect the members; a changed date of one, say, changes nothing."""
    content = bytearray(model_path.read_bytes())
    place = chance.randrange(len(content))
    if kind == "cut":
        del content[place:]
    elif kind == "flip":
        content[place] ^= 1 << chance.randrange(8)
    else:
        content[place:place] = chance.randbytes(chance.randint(1, 9))
    path = tmp_path / "changed.onlm"
    path.write_bytes(content)
    try:
        found = model_file.read(path)
        expected = model_file.read(model_path)
    except UserError as error:
        assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
    else:
        assert (
            found.description == expected.description
            and found.corpus.words == expected.corpus.words
        )
        assert all(map(np.array_equal, found.weights, expected.weights))


@pytest.mark.slow  # trainings
@pytest.mark.parametrize("target", ["results", "run"])
def test_the_verb_export(results, names, run, refused, tmp_path, target):
    place = results.path if target == "results" else results.run(names.STATIC).path
    for no_file in (tmp_path, "-"):
        assert "a file's name is needed" in refused("export", place, "-o", no_file, status=2)
    output = tmp_path / "model.onlm"
    found = run("export", place, "-o", output)
    assert found.status == 0 and found.out.startswith(f"{output}: ")
    model = online_rnnlm.load(output)
    assert (model.description.run == names.STATIC) or target == "results"


@pytest.mark.slow  # trainings
def test_info(trained_path, names, run):
    text = run("info", trained_path).out
    assert f"run              {names.VECTOR}\n" in text
    assert "document vector  3 numbers; rate 0.15" in text
    assert "licence          not known" in text
    values = json.loads(run("info", "--json", trained_path).out)
    assert values == online_rnnlm.load(trained_path).description.model_dump(mode="json")
