"""Tests of mixtures with other models' scores, and of n-gram models in ARPA's format."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.rivals.arpa import Arpa, write_arpa
from online_rnnlm.rivals.kneser_ney import KneserNey
from online_rnnlm.use.mixing import Mixture, ScoresOfFile
from tests.unit.made_texts import many
from tests.unit.small_models import split_of

TOY = """comment
\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-99\t<s>\t-0.5
-1\t</s>
-0.7\tthe\t-0.25
-0.9\tcat
-2\t<unk>

\\2-grams:
-0.1\t<s> the
-0.2\tthe cat

\\end\\
"""
TEXT = "the cat\ncat the\nthe zeppelin\n"
LOG10 = [[-0.1, -0.2, -1], [-0.5 - 0.9, -0.7, -0.25 - 1], [-0.1, -0.25 - 2, -1]]
"""log P of the words of the text by the toy model: by hand."""


def read(text, known=None):
    """Return the words of a text, each `</s>` included, and `<unk>` for unknown ones."""
    words = text.replace("\n", " </s> ").split()
    return [word if known is None or word in known else "<unk>" for word in words]


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.arpa"
    path.write_text(TOY.replace("\\\\", "\\"))
    return path


def test_an_arpa_model_scores_with_its_weights_of_histories(toy):
    found = Arpa(toy).of(read(TEXT))
    np.testing.assert_allclose(found, np.concatenate(LOG10) * math.log(10))


@many
@given(
    sentences=st.lists(st.lists(st.integers(1, 5), max_size=6), min_size=1, max_size=12),
    order=st.integers(2, 5),
    asked=st.lists(st.lists(st.integers(1, 6), max_size=7), min_size=1, max_size=4),
)
def test_a_written_model_gives_the_scores_of_the_one_that_it_is_from(
    tmp_path_factory, sentences, order, asked
):
    words = ["</s>", *(f"w{n}" for n in range(1, 6)), "<unk>"]
    model = KneserNey.train(split_of([[*one, 0] for one in sentences]), len(words), order)
    path = tmp_path_factory.mktemp("arpa") / "model.arpa"
    write_arpa(model, words, path)
    expected = model.log_probabilities(split_of([[*one, 0] for one in asked]))
    found = Arpa(path).of([words[n] for one in asked for n in (*one, 0)])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("unit", ["nats", "bits", "log10"])
def test_scores_of_a_file_are_mixed_in_word_by_word(model, model_path, tmp_path, run, unit):
    file, logs = tmp_path / "scores", np.concatenate(LOG10) * math.log(10)
    nats = {"nats": 1, "bits": math.log(2), "log10": math.log(10)}[unit]
    values = (logs / nats).tolist()
    file.write_text(" ".join(map(str, values[:4])) + "\n" + "\n".join(map(str, values[4:])))
    options = ("--mix", file, "--mix-in", unit, "--mix-share", "0.3", "--format", "tsv")
    out = run("score", model_path, "--tokenised", "--per", "word", *options, text=TEXT).out
    found = [float(line.split("\t")[-1]) for line in out.splitlines()[1:]]
    own = np.concatenate(model.log_probabilities(TEXT.splitlines(), tokenised=True))
    np.testing.assert_allclose(found, np.log(0.7 * np.exp(own) + 0.3 * np.exp(logs)))
    mixture = Mixture(ScoresOfFile(file, nats), 0.3)
    table = model.score(TEXT.splitlines(), tokenised=True, mixture=mixture)
    assert table["log_probability"].sum() == pytest.approx(sum(found))


def test_the_share_is_that_with_which_a_held_out_text_is_most_probable(
    model, model_path, toy, tmp_path, run
):
    held = tmp_path / "held.txt"
    held.write_text("the cat\nthe cat\nthe king\nthe\n")
    options = ("--tokenised", "--mix", toy, "--mix-fit", held)
    found = run("score", model_path, *options, "--per", "total", "--format", "tsv", text=TEXT)
    share = float(found.err.split("share ")[1].split(",")[0])
    own = np.concatenate(model.log_probabilities(held.read_text().splitlines(), tokenised=True))
    other = Arpa(toy).of(read(held.read_text(), model.words))
    shares = np.linspace(0, 1, 1001)
    sums = [np.log((1 - s) * np.exp(own) + s * np.exp(other)).sum() for s in shares]
    assert share == pytest.approx(shares[int(np.argmax(sums))], abs=2e-3)
    scores = tmp_path / "held.scores"
    scores.write_text("\n".join(str(log / math.log(10)) for log in other))
    of_text = tmp_path / "scores"
    of_text.write_text("\n".join(map(str, np.concatenate(LOG10))))
    options = ("--tokenised", "--mix", of_text, "--mix-fit", held, "--mix-fit-scores", scores)
    again = run("score", model_path, *options, "--per", "total", "--format", "tsv", text=TEXT)
    assert again.out == found.out


def test_lists_and_comparisons_are_mixed(model, model_path, toy, run):
    mix = ("--tokenised", "--mix", toy, "--mix-share", "0.4")
    out = run(
        "rescore",
        model_path,
        *mix,
        "--keep-order",
        "--format",
        "kaldi",
        text="u-1 the cat\nu-2 cat the\n",
    ).out
    expected = model.score(["the cat", "cat the"], tokenised=True, mixture=Mixture(Arpa(toy), 0.4))
    found = [float(line.split("\t")[1]) for line in out.splitlines()]
    np.testing.assert_allclose(found, expected["log_probability"], atol=1e-6)
    out = run("compare", model_path, model_path, *mix, text=TEXT * 5).out
    assert f"against {model_path} with {toy}: " in out and "(+" in out.replace("(-", "(+")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("-1 -2\n", "ends before the text"),
        ("-1 " * 30, "has scores of more words than the text has"),
        ("-1\nx\n", "line 2: 'x': a log-probability"),
        ("0.5\n", "line 1: '0.5': a log-probability"),
        ("\\data\\\n\\1-grams:\nx y\n", "line 3: no 1-gram of ARPA's format"),
        ("\\data\\\n", "no n-gram model"),
    ],
)
def test_scores_that_cannot_be_used_are_one_line(model_path, tmp_path, refused, content, expected):
    file = tmp_path / "other"
    file.write_text(content)
    assert expected in refused("score", model_path, "--tokenised", "--mix", file, text=TEXT)


@pytest.mark.slow  # trainings
def test_the_n_grams_of_a_models_text_are_exported(results, names, tmp_path, test_text, run):
    path = tmp_path / "five.arpa"
    found = run("export", results.run(names.VECTOR).path, "--ngrams", 5, "-o", path)
    assert found.status == 0, found.err
    corpus = load_corpus(results.corpus("topics"))
    model = KneserNey.train(corpus.splits["train"], corpus.vocabulary_size, 5)
    expected = model.log_probabilities(corpus.splits["test"])
    found = Arpa(path).of(read(test_text, corpus.words))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(UserError, match="no n-gram model"):
        Arpa(results.corpus("topics").vocabulary)
