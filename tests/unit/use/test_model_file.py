"""Tests of the file that is a whole model: nothing that is damaged or foreign is ever used.

FUZZ=10000 tries as many damaged files; the usual run tries fewer.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import online_rnnlm
from online_rnnlm.errors import WrongInputError
from online_rnnlm.storage.files import seal
from online_rnnlm.storage.records import ModelDescription
from online_rnnlm.use import model_file
from online_rnnlm.use.exporting import export

pytestmark = pytest.mark.slow  # a training, and many damaged files

EXAMPLES = int(os.environ.get("FUZZ", "200"))
many = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
SEAL = 64


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """Write a file with these members and a right checksum."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    seal(path)
    return path


def why_refused(path: Path) -> str:
    with pytest.raises(WrongInputError) as raised:
        model_file.read(path)
    message = str(raised.value)
    assert message.startswith(str(path)) and len(message.splitlines()) == 1, message
    return message.removeprefix(str(path))


def test_a_file_is_the_same_model(results, model_path, names):
    there, file = results.run(names.VECTOR).path, model_path
    texts = ["The cat sees the hen, Mr. ship.", "The storm meets the whale."]
    first, second = online_rnnlm.load(there), online_rnnlm.load(str(file))
    assert first.description == second.description
    assert first.words == second.words
    assert first.score(texts).equals(second.score(texts))
    description = second.description
    assert description.perplexity.keys() == {"valid", "test"}
    assert not description.preparation.tokenised and description.preparation.lowercase


def test_the_same_model_gives_the_same_bytes(results, model_path, names, tmp_path):
    export(results.run(names.VECTOR).path, tmp_path / "again.onlm")
    assert (tmp_path / "again.onlm").read_bytes() == model_path.read_bytes()


def test_it_needs_nothing_of_the_experiment(model_path, tmp_path):
    shutil.copy(model_path, tmp_path / "copy.onlm")
    code = (
        "from online_rnnlm import load\n"
        "print(load('copy.onlm').score(['The cat sees the hen.'])['log_probability'][0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = online_rnnlm.load(model_path).score(["The cat sees the hen."])
    assert float(done.stdout) == expected["log_probability"][0]


def test_numpy_and_unzip_read_it_without_this_project(model_path):
    with np.load(model_path) as arrays:
        weights = online_rnnlm.load(model_path).network.weights
        np.testing.assert_array_equal(arrays["weights/recurrent"], weights.recurrent)
    assert zipfile.ZipFile(model_path).testzip() is None


def description_with(parts: dict[str, bytes], **changes) -> dict[str, bytes]:
    values = json.loads(parts["description.json"]) | changes
    return parts | {"description.json": json.dumps(values).encode()}


def with_settings(parts: dict[str, bytes], **changes) -> dict[str, bytes]:
    values = json.loads(parts["description.json"])["settings"] | changes
    return description_with(parts, settings=values)


def array(values) -> bytes:
    import io  # noqa: PLC0415

    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


CHANGES = {
    "newer": (lambda p: description_with(p, format=2), "made by a later version of this program"),
    "no format": (lambda p: description_with(p, format="x"), "`format`: Input should be 1"),
    "unknown key": (lambda p: description_with(p, more=1), "`more`: Extra inputs"),
    "no JSON": (lambda p: p | {"description.json": b"{"}, "damaged: "),
    "no description": (
        lambda p: {k: v for k, v in p.items() if k != "description.json"},
        "no model: it has no `description.json`",
    ),
    "unknown array": (
        lambda p: p | {"weights/more.npy": p["weights/recurrent.npy"]},
        "has an unknown part `weights/more.npy`",
    ),
    "unknown file": (lambda p: p | {"../evil.py": b"x"}, "has an unknown part `../evil.py`"),
    "missing array": (
        lambda p: {k: v for k, v in p.items() if "recurrent" not in k},
        "has no `weights/recurrent.npy`",
    ),
    "other size": (
        lambda p: with_settings(p, hidden_size=11),
        "`embeddings` is <f4 (25, 10), but float32 (25, 11) is needed",
    ),
    "huge size": (
        lambda p: with_settings(p, hidden_size=100_000),
        "but the sizes of the model need an array of",
    ),
    "huge vocabulary": (
        lambda p: description_with(p, vocabulary_size=10**9),
        "but the sizes of the model need an array of",
    ),
    "other type": (
        lambda p: with_settings(p, precision="float64"),
        "but the sizes of the model need an array of",
    ),
    "other shape": (
        lambda p: p | {"weights/recurrent.npy": array(np.zeros((20, 5), np.float32))},
        "`recurrent` is <f4 (20, 5), but float32 (10, 10) is needed",
    ),
    "pickle": (
        lambda p: p | {"weights/recurrent.npy": array(np.array([None] * 99))},
        "`weights/recurrent.npy` has ",
    ),
    "no number": (
        lambda p: p | {"weights/recurrent.npy": array(np.full((10, 10), np.nan, np.float32))},
        "a weight is not a finite number",
    ),
    "too many words": (
        lambda p: p | {"vocabulary.tsv": p["vocabulary.tsv"] + b"more\t1\t5\n"},
        "vocabulary.tsv: damaged: ",
    ),
    "a word twice": (
        lambda p: p | {"vocabulary.tsv": p["vocabulary.tsv"].replace(b"\nhen\t", b"\ncat\t")},
        "a word is there twice",
    ),
    "a class of nonsense": (
        lambda p: p | {"vocabulary.tsv": p["vocabulary.tsv"].replace(b"\t5\n", b"\t99999999\n")},
        "classes must be 0, 1, … without gaps",
    ),
    "a huge class": (
        lambda p: p | {"vocabulary.tsv": p["vocabulary.tsv"] + b"more\t1\t" + b"9" * 300 + b"\n"},
        "",
    ),
    "a damaged splitter": (lambda p: p | {"splitter.json": b'{"format": 1}'}, "splitter.json: "),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_model_whose_parts_do_not_fit_is_refused(model_path, tmp_path, change, expected):
    path = packed(tmp_path / "changed.onlm", change(members(model_path)))
    assert expected in why_refused(path)


def test_without_a_change_such_a_file_is_a_model(model_path, tmp_path):
    path = packed(tmp_path / "unchanged.onlm", members(model_path))
    assert model_file.read(path).description == model_file.read(model_path).description


def test_compressed_and_repeated_members_are_refused(model_path, tmp_path):
    parts = members(model_path)
    path = packed(tmp_path / "small.onlm", parts, zipfile.ZIP_DEFLATED)
    assert "compressed or encrypted" in why_refused(path)
    path = tmp_path / "twice.onlm"
    twice = pytest.warns(UserWarning, match="Duplicate name")
    with zipfile.ZipFile(path, "w") as archive, twice:
        for _ in range(2):
            archive.writestr("description.json", parts["description.json"])
    assert "has `description.json` twice" in why_refused(path)


@pytest.mark.parametrize("content", [b"", b"text\n", b"\x89PNG\r\n", b"PK\x03\x04", b"PK"])
def test_another_file_is_no_model(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    assert "no model" in why_refused(path)


def test_another_zip_is_no_model(tmp_path, results, names):
    path = results.run(names.VECTOR).model
    assert "no model: it has no `description.json`" in why_refused(path)


def test_the_verbs_refuse_it_with_status_2(model_path, tmp_path, refused):
    path = tmp_path / "cut.onlm"
    path.write_bytes(model_path.read_bytes()[:-100])
    for verb in ("score", "info"):
        assert refused(verb, path, text="The cat.").startswith(f"{path}: damaged: ")


@many
@given(chance=st.randoms(use_true_random=False), kind=st.sampled_from(["cut", "flip", "insert"]))
def test_a_changed_file_is_never_used(model_path, tmp_path_factory, chance, kind):
    content = bytearray(model_path.read_bytes())
    place = chance.randrange(len(content))
    if kind == "cut":
        del content[place:]
    elif kind == "flip":
        content[place] ^= 1 << chance.randrange(8)
    else:
        content[place:place] = chance.randbytes(chance.randint(1, 9))
    path = tmp_path_factory.getbasetemp() / "changed.onlm"
    path.write_bytes(content)
    why_refused(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@many
@given(data=st.data(), chance=st.randoms(use_true_random=False))
def test_a_file_that_is_made_to_look_right_is_a_model_or_one_line(
    model_path, tmp_path_factory, data, chance
):
    """Its checksum is right, but anything in it may be wrong."""
    parts = members(model_path)
    name = chance.choice(sorted(parts))
    if name.endswith(".json") and chance.random() < 0.7:
        values = json.loads(parts[name])
        inner = values["settings"] if chance.random() < 0.5 and "settings" in values else values
        inner[chance.choice(sorted(inner))] = data.draw(JSON)
        parts[name] = json.dumps(values).encode()
    else:
        parts[name] = _damaged(parts[name], chance)
    path = packed(tmp_path_factory.getbasetemp() / "made.onlm", parts)
    try:
        contents = model_file.read(path)
    except WrongInputError as error:
        assert str(error).startswith(str(path)) and len(str(error).splitlines()) == 1
    else:
        assert isinstance(contents.description, ModelDescription)


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """Change a few bytes, mostly near the beginning, where headers are."""
    found = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(len(found), chance.choice([20, 200, len(found)])))
        found[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
    return bytes(found)


@pytest.mark.parametrize("target", ["results", "run"])
def test_the_verb_export(results, names, run, tmp_path, target):
    place = results.path if target == "results" else results.run(names.STATIC).path
    found = run("export", place, "-o", tmp_path / "x" / "model.onlm")
    assert found.status == 0 and found.out.startswith(f"{tmp_path / 'x' / 'model.onlm'}: ")
    model = online_rnnlm.load(tmp_path / "x" / "model.onlm")
    assert (model.description.run == names.STATIC) or target == "results"


def test_no_other_file_is_replaced_by_an_export(results, names, refused, run, tmp_path):
    place, other = results.run(names.STATIC).path, tmp_path / "thesis.txt"
    other.write_text("years of work")
    assert "is another file, which would be lost" in refused("export", place, "-o", other)
    assert other.read_text() == "years of work"
    assert "is a directory" in refused("export", place, "-o", tmp_path)
    assert run("export", place, "-o", other, "--force").status == 0
    assert run("export", place, "-o", other).status == 0  # a model may be replaced


@pytest.mark.parametrize("verb", ["export", "vectors", "nearest"])
def test_no_device_or_link_is_replaced(results, names, model_path, refused, run, tmp_path, verb):
    pipe, link, target = (tmp_path / name for name in ("pipe", "link", "target"))
    os.mkfifo(pipe)
    link.symlink_to(target)
    text = tmp_path / "text.txt"
    text.write_text("The cat sees the hen.")
    command = {
        "export": ("export", results.run(names.STATIC).path, "-o"),
        "vectors": ("vectors", model_path, text, "--npy"),
        "nearest": ("nearest", model_path, "--among", text, "--write-index"),
    }[verb]
    assert "is no ordinary file" in refused(*command, pipe)
    assert pipe.is_fifo()
    read, write = os.pipe()
    assert "is no ordinary file" in refused(*command, f"/dev/fd/{write}")
    for end in (read, write):
        os.close(end)
    assert run(*command, link).status == 0
    assert link.is_symlink() and target.stat().st_size


def test_no_other_file_is_replaced_by_an_array(model_path, refused, run, tmp_path):
    text, array = tmp_path / "text.txt", tmp_path / "vectors.npy"
    text.write_text("The cat sees the hen.")
    said = refused("vectors", model_path, text, "--npy", text)
    assert "is another file, which would be lost" in said
    assert text.read_text() == "The cat sees the hen."
    assert "is a directory" in refused("vectors", model_path, text, "--npy", tmp_path)
    for _ in range(2):  # an array may be replaced
        assert run("vectors", model_path, text, "--npy", array).status == 0
    assert np.load(array).shape == (1, 3)


def test_a_place_that_cannot_be_written_is_what_happened(results, names, run):
    found = run("export", results.run(names.STATIC).path, "-o", "/proc/model.onlm")
    assert found.status == 1 and found.out == ""
    assert found.err.splitlines()[-1].startswith("online-rnnlm: error: /proc/")
    assert "Traceback" not in found.err


@pytest.mark.parametrize("missing", ["model", "record", "articles", "configuration"])
def test_a_file_that_the_export_needs_is_named(results, names, refused, tmp_path, missing):
    copy = type(results)(tmp_path / "small")
    shutil.copytree(results.path, copy.path)
    run = copy.run(names.VECTOR)
    file = {
        "model": run.model,
        "record": run.record,
        "articles": copy.corpus("topics").articles,
        "configuration": copy.configuration,
    }[missing]
    file.unlink()
    said = refused("export", run.path, "-o", tmp_path / "model.onlm")
    assert str(run.path if missing == "record" else file) in said
    assert not (tmp_path / "model.onlm").exists()


def test_info(model_path, names, run):
    text = run("info", model_path).out
    assert f"run              {names.VECTOR}\n" in text
    assert "document vector  3 numbers that feed the output layer; rate 0.15" in text
    assert "licence          not known" in text
    values = json.loads(run("info", "--json", model_path).out)
    assert values == online_rnnlm.load(model_path).description.model_dump(mode="json")
