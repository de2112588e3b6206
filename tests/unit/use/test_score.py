"""Tests that a model in use gives the numbers of the evaluations, and of the verb `score`."""

import copy
import itertools
import json
import math
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import online_rnnlm
from online_rnnlm.errors import UserError, WrongInputError
from online_rnnlm.storage import records
from online_rnnlm.storage.receipts import Job, recording
from online_rnnlm.storage.records import Evaluation
from online_rnnlm.use.scored import in_parts
from online_rnnlm.use.text import Sentence

pytestmark = pytest.mark.slow  # two trainings

CASES = (
    *("none", "document_vector", "all.word.sentence", "all.sentence.stream"),
    *("document_vector.word.stream", "document_vector.word.document"),
)


def test_text(results, *, documents: bool = False) -> str:
    """Return the tokenised test sentences, with empty lines between articles if asked for."""
    corpus = results.corpus("topics")
    lines = corpus.split("test").read_text(encoding="utf-8").splitlines()
    articles = np.load(corpus.split_articles("test"))
    if documents:
        ends = np.flatnonzero(np.diff(articles)) + 1
        for end in ends[::-1]:
            lines.insert(end, "")
    return "\n".join(lines) + "\n"


test_text.__test__ = False


def raw(tokenised: str) -> str:
    """Return raw sentences whose tokens are these."""
    return "\n".join(
        line.replace(" ,", ",").replace(" .", ".").capitalize() for line in tokenised.split("\n")
    )


def evaluated(results, names, evaluation) -> tuple[pd.DataFrame, Evaluation]:
    table = pd.read_parquet(results.sentence_scores(names.VECTOR, evaluation))
    record = records.read(Evaluation, results.evaluation(names.VECTOR, evaluation))
    return table[table["split"] == "test"].reset_index(drop=True), record


@pytest.mark.parametrize("evaluation", CASES)
@pytest.mark.parametrize("given", ["tokenised", "raw", "results"])
def test_the_numbers_are_the_evaluations_to_the_last_bit(
    results, names, model_path, run, evaluation, given
):
    text = test_text(results, documents=evaluation.endswith("document"))
    stored, record = evaluated(results, names, evaluation)
    steps = ["--steps", names.STEPS] if evaluation.startswith("all") else []
    options = [*steps, *names.EVALUATIONS[evaluation]]
    options += [] if given == "raw" else ["--tokenised"]
    place = results.run(names.VECTOR).path if given == "results" else model_path
    text = raw(text) if given == "raw" else text
    found = run("score", place, "--format", "jsonl", *options, text=text)
    assert (found.status, found.err) == (0, "")
    rows = pd.DataFrame(names.json_lines(found.out))
    assert rows["log_probability"].tolist() == stored["log_probability"].tolist()
    assert rows["tokens"].tolist() == stored["tokens"].tolist()
    assert rows["unknown"].tolist() == stored["unk_tokens"].tolist()
    found = run("score", place, "--per", "total", "--format", "jsonl", *options, text=text)
    [total] = names.json_lines(found.out)
    metrics = record.splits["test"]
    assert total["perplexity"] == metrics.perplexity
    assert total["perplexity_without_unknown"] == metrics.perplexity_without_unk
    assert total["oov_rate"] == metrics.oov_rate


def test_words_documents_and_units_agree(results, model_path, run, names):
    text = test_text(results, documents=True)
    tables = {}
    for per, unit in itertools.product(
        ("word", "sentence", "document", "total"), ("nats", "bits", "log10")
    ):
        options = ("--per", per, "--in", unit, "--format", "tsv", "--tokenised")
        found = run("score", model_path, *options, text=text)
        header, *lines = (line.split("\t") for line in found.out.splitlines())
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        tables[per, unit] = np.array([float(row["log_probability"]) for row in rows])
        if per == "sentence":  # as KenLM's and the Toolkit's readers do
            tokens = sum(int(row["tokens"]) for row in rows)
            base = {"nats": math.e, "bits": 2, "log10": 10}[unit]
            recomputed = base ** (-tables[per, unit].sum() / tokens)
        elif per == "total":
            assert float(rows[0]["perplexity"]) == pytest.approx(recomputed, rel=1e-9)
    for (_, unit), values in tables.items():
        factor = {"nats": 1, "bits": math.log(2), "log10": math.log(10)}[unit]
        total = tables["total", "nats"][0]
        assert values.sum() * factor == pytest.approx(total, rel=1e-9)
    articles = np.load(results.corpus("topics").split_articles("test"))
    assert len(tables["document", "nats"]) == len(np.unique(articles))


def test_plain_output_shows_unknown_words(model_path, run):
    found = run("score", model_path, text="The cat sees the Zeppelin.\n")
    assert "the cat sees the [zeppelin] ." in found.out
    assert "1 sentence, 6 words, 1 unknown (16.7%)" in found.out


def test_running_text_is_divided_as_in_training(results, model_path, model, run, names):
    """Punkt has learnt from the training text that `Mr.` ends no sentence."""
    text = names.raw_text(40)
    found = run("score", model_path, "--running", "--format", "jsonl", text=text)
    texts = [row["text"] for row in names.json_lines(found.out)]
    lines = results.corpus("topics").sentences.read_text(encoding="utf-8").splitlines()
    assert set(texts) <= set(lines) and len(texts) > 20
    assert model.score([text], running=True)["text"].tolist() == texts
    again = run("score", results.path, "--running", "--format", "jsonl", text=text)
    assert [row["text"] for row in names.json_lines(again.out)] == texts


def test_a_folder_of_results_is_its_best_model(results, names, caplog):
    perplexities = {
        name: records.read(Evaluation, results.evaluation(name, kind)).splits["valid"].perplexity
        for name, kind in ((names.VECTOR, "document_vector"), (names.STATIC, "none"))
    }
    best = min(perplexities, key=perplexities.__getitem__)
    assert online_rnnlm.load(results.path).description.run == best
    assert not caplog.text


def test_a_run_of_an_earlier_configuration_is_not_the_best(results, names, tmp_path, caplog):
    best = online_rnnlm.load(results.path).description
    copied = type(results)(tmp_path / "small")
    shutil.copytree(results.path, copied.path)
    values = json.loads(copied.configuration.read_text())
    values["rows"][best.run == names.STATIC]["learning_rate"] = 0.3
    copied.configuration.write_text(json.dumps(values))
    other = online_rnnlm.load(copied.path).description.run
    assert {best.run, other} == {names.STATIC, names.VECTOR}
    assert f"1 of 2 runs have not finished, such as {best.run}" in caplog.text
    values["training"]["learning_rate"] = 0.4
    copied.configuration.write_text(json.dumps(values))
    with pytest.raises(WrongInputError, match="no run has finished with the settings"):
        online_rnnlm.load(copied.path)


@pytest.mark.parametrize("edited", ["run", "result", "statistics", "evaluation"])
def test_an_edited_record_is_refused(results, names, tmp_path, edited):
    copied = type(results)(tmp_path / "small")
    shutil.copytree(results.path, copied.path)
    run, corpus = copied.run(names.VECTOR), copied.corpus("topics")
    tested = copied.evaluation(names.VECTOR, "document_vector")
    made = {
        ("train", names.VECTOR): (run.record, run.result),
        ("encode", "topics"): (corpus.statistics,),
        ("evaluate_online", names.VECTOR): (tested,),
    }
    for (rule, name), files in made.items():
        with recording(copied, Job(rule, name, (), files, "0" * 64)):
            pass
    assert online_rnnlm.load(run.path).description.run == names.VECTOR
    file, old, new = {
        "run": (run.record, '"document_rate": 0.15', '"document_rate": 0.25'),
        "result": (run.result, '"epochs": 2', '"epochs": 3'),
        "statistics": (corpus.statistics, '"lowercase": true', '"lowercase": false'),
        "evaluation": (tested, '"perplexity": ', '"perplexity": 1'),
    }[edited]
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(WrongInputError, match=f"{file}: changed since"):
        online_rnnlm.load(run.path)


def test_a_folder_of_results_without_its_configuration_says_so(results, tmp_path):
    copied = type(results)(tmp_path / "small")
    shutil.copytree(results.path, copied.path)
    copied.configuration.unlink()
    with pytest.raises(WrongInputError, match=f"{copied.configuration}: missing"):
        online_rnnlm.load(copied.path)


def test_a_runs_folder_alone_is_no_model(results, names, tmp_path):
    shutil.copytree(results.run(names.VECTOR).path, tmp_path / "alone")
    with pytest.raises(WrongInputError, match="alone: a run's folder without its experiment"):
        online_rnnlm.load(tmp_path / "alone")


def test_text_is_prepared_as_it_was_for_the_corpus(results, names, tmp_path):
    copied = type(results)(tmp_path / "small")
    shutil.copytree(results.path, copied.path)
    values = json.loads(copied.configuration.read_text())
    values["corpora"]["topics"]["lowercase"] = False  # as a start that was killed at once leaves it
    copied.configuration.write_text(json.dumps(values))
    model = online_rnnlm.load(copied.run(names.VECTOR).path)
    assert model.score(["The CAT sees the hen."])["unknown"].tolist() == [0]


def test_one_sentence_after_the_other_gives_the_same_numbers_but_for_rounding(
    model_path, results, run
):
    text = test_text(results)
    whole = run("score", model_path, "--per", "word", "--format", "tsv", text=text).out
    single = run("score", model_path, "--per", "word", "--format", "tsv", "--flush", text=text).out
    values = [
        [float(line.split("\t")[-1]) for line in out.splitlines()[1:]] for out in (whole, single)
    ]
    np.testing.assert_allclose(*values, rtol=1e-5)


def test_a_line_is_answered_before_the_next_is_read(model_path):
    command = [sys.executable, "-m", "online_rnnlm", "score", str(model_path), "--flush"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*command, "--format", "tsv"], text=True, **pipes) as process:
        for _ in range(2):
            process.stdin.write("The cat sees the hen.\n")
            process.stdin.flush()
            while not (line := process.stdout.readline()).startswith("0\t"):
                assert line.startswith("document\t")
        process.stdin.close()
        assert process.wait() == 0


def test_a_reader_that_has_gone_is_no_error(model_path, tmp_path):
    (tmp_path / "text").write_text("The cat sees the hen.\n" * 20000)
    command = f"{sys.executable} -m online_rnnlm score {model_path} {tmp_path / 'text'} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (
        ["log", "P", "tokens", "unknown", "perplexity", "text"],
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "text", "expected"),
    [
        ([], "", "standard input: no text in it"),
        ([], "\n \n", "standard input: no text in it"),
        ([], b"the \xff cat\n", "standard input, line 1, byte 5: not UTF-8"),
        ([], b"the\n\0cat\n", "standard input, line 2, byte 1: a NUL byte"),
        (["--tokenised"], "the cat </s>\n", "standard input, line 1: `</s>` is reserved"),
        ([], "the\n" + "x " * 60_000, "line 2: a sentence of 120000 characters"),
        (["--tokenised"], "x " * 10_001, "line 1: a sentence of 10001 words; at most 10000"),
        (["nowhere.txt"], "", "nowhere.txt: no such file"),
        (["articles.jsonl.gz"], "", "articles.jsonl.gz: a file of articles: plain text is needed"),
        (["articles.PARQUET"], "", "articles.PARQUET: a file of articles: plain text is needed"),
        (["/"], "", "/: is a directory"),
        (["--updates", "all"], "x", "`learning_rate`: weights that learn need one"),
        (["--updates", "hidden"], "x", "`updates`: Input should be none, all, or one or more of"),
        (["--static", "--learning-rate", "1"], "x", "nothing learns with these `updates`"),
        (["--static", "--learn-after", "sentence"], "x", "`learn_after`: nothing learns"),
        (["--static", "--steps", "9"], "x", "`steps`: no weights learn with these `updates`"),
        (["--steps", "9"], "x", "`steps`: no weights learn with these `updates`"),
        (["--flush", "--unit-of-text", "stream"], "x", "--flush: needs `--unit-of-text sentence`"),
    ],
)
def test_a_text_or_option_that_cannot_be_used_is_one_line(
    model_path, refused, arguments, text, expected
):
    assert expected in refused("score", model_path, *arguments, text=text)


def test_a_model_that_diverges_is_no_users_mistake(model_path, refused):
    options = ("--updates", "all", "--learning-rate", "1e9", "--unit-of-text", "stream")
    text = "The cat sees the hen.\n" * 9
    said = refused("score", model_path, *options, status=1, text=text)
    assert "diverged" in said and "a smaller learning rate is needed" in said


@pytest.mark.parametrize("place", ["nowhere.onlm", "results/nowhere", "/tmp"])
def test_a_model_that_is_not_there_is_one_line(refused, place):
    assert refused("score", place, text="x").startswith(f"{place}: ")


@pytest.mark.parametrize("unit", ["sentence", "document", "stream"])
def test_parts_are_a_text_in_its_order(unit):
    for lengths in ([1] * 9, [3, 1, 5], [20], [2, 9, 1, 1, 8], []):
        sentences = [Sentence([], n) for n, length in enumerate(lengths) for _ in range(length)]
        parts = list(in_parts(iter(sentences), unit, 4))
        assert [one for part in parts for one in part] == sentences
        assert all(parts)
        if unit == "document":
            documents = [{one.document for one in part} for part in parts]
            assert not any(a & b for a, b in itertools.pairwise(documents))
        elif unit == "sentence":
            assert all(len(part) <= 4 for part in parts)


def test_python_gives_what_the_command_gives(model, results, run, model_path, names):
    texts = raw(test_text(results, documents=True)).splitlines()
    table = model.score(texts)
    out = run("score", model_path, "--format", "jsonl", text="\n".join(texts)).out
    assert table.to_dict("records") == names.json_lines(out)
    marked = model.score([f"\ufeff{text}" for text in texts])  # as Windows begins a file
    assert marked["log_probability"].tolist() == table["log_probability"].tolist()
    logs = model.log_probabilities(texts)
    assert [len(one) for one in logs] == table["tokens"].tolist()
    np.testing.assert_allclose([one.sum() for one in logs], table["log_probability"])
    vectors = model.document_vectors(texts)
    stored = np.load(results.document_vectors(names.VECTOR, "test"))
    np.testing.assert_array_equal(vectors, stored)
    assert model.score([]).columns.tolist() == table.columns.tolist()
    assert model.document_vectors([]).shape == (0, 3)
    assert model.log_probabilities(["", ""]) == []


@pytest.mark.parametrize(
    ("texts", "way", "expected"),
    [
        ("the cat", {}, "a list of texts is needed"),
        (None, {}, "a list of texts is needed, not None"),
        (np.array("the cat"), {}, "a list of texts is needed, not array"),
        ({"text": ["the cat"]}, {}, "a list of texts is needed, not a dict"),
        (pd.DataFrame({"text": ["the cat"]}), {}, "a list of texts is needed, not a DataFrame"),
        ([3], {}, "text 0: text is needed, not 3"),
        (np.array([["cat " * 40, "dog " * 40]]), {}, "text 0: text is needed, not array"),
        (["a", "b\nc"], {}, "text 1: a line end within it"),
        (["a \ud800"], {}, "text 0, character 3: half of a surrogate pair"),
        (["a\0"], {}, "text 0: a NUL byte"),
        (["a"], {"unit": "page"}, "`unit`: unknown key; allowed: cache, "),
        (["a"], {"unit_of_text": "page"}, "`unit_of_text`: Input should be"),
        (["a"], {"unit_of_text": False}, "`unit_of_text`: Input should be"),
        (["a"], {"unit_of_text": ""}, "`unit_of_text`: Input should be"),
        (["a"], {"updates": ""}, "`updates`: Input should be none, all"),
        (["a"], {"learning_rate": 0}, "`learning_rate`"),
        (["a"], {"running": True, "tokenised": True}, "running text is not tokenised"),
        (["a"], {"tokenised": "no"}, "`tokenised`: True or False is needed, not 'no'"),
        (["a"], {"running": 1}, "`running`: True or False is needed, not 1"),
    ],
)
def test_what_python_cannot_use_is_one_line(model, texts, way, expected):
    with pytest.raises(WrongInputError) as raised:
        model.score(texts, **way)
    assert expected in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("place", [None, b"demo.onlm", 3])
def test_only_a_path_or_an_address_is_a_model(place):
    with pytest.raises(WrongInputError, match="the path or the address of a model is needed"):
        online_rnnlm.load(place)


@pytest.mark.parametrize("kind", ["a file", "a folder"])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copied_or_pickled_model_is_the_same(results, model_path, names, kind, copied):
    model = online_rnnlm.load(model_path if kind == "a file" else results.run(names.VECTOR).path)
    texts = ["The cat sees the hen, Mr. cat. The ship meets the whale."]
    ways = ({"running": True}, {"updates": "all", "learning_rate": 0.1})
    expected = [model.score(texts, **way) for way in ways]
    again = copied(model)  # after its use, so that it holds tokenisers and compiled code
    for way, table in zip(ways, expected, strict=True):
        pd.testing.assert_frame_equal(again.score(texts, **way), table)


def test_a_change_of_the_list_of_words_does_not_change_the_model(model):
    model.words.append("another")
    assert "another" not in model.words


def test_a_static_model_has_no_vectors(results, names):
    model = online_rnnlm.load(results.run(names.STATIC).path)
    with pytest.raises(UserError, match="has no document vector"):
        model.document_vectors(["the cat"])
    assert len(model.score(["The cat sees the hen."])) == 1


def test_importing_the_package_loads_nothing():
    code = (
        "import sys, online_rnnlm; assert 'load' in dir(online_rnnlm); "
        "print(sorted({'numpy', 'pandas', 'pydantic', 'pytensor'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        online_rnnlm.lode  # noqa: B018
