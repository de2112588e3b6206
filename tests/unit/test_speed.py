"""Tests of the benchmark: that it reads what the workflow writes, and how it compares."""

import json
import random
import sys

import pytest

from benchmarks.speed import Speed, peer_measure, table
from tests.processes import BARE_ENVIRONMENT, output_of
from tests.project import ROOT
from tests.toy_texts import tokenised_sentences


def test_ratios_are_those_of_the_medians_and_peers_come_last():
    measured = {
        ("100/0", "PyTorch"): [Speed(10_000, 20_000, 300.0)],
        ("100/0", "theirs"): [Speed(100_000, 200_000, 250.0)] * 3,
        ("100/0", "ours"): [
            Speed(150_000, 100_000, 240.0),
            Speed(1, 500_000, 240.0),
            Speed(500_000, 50_000, 240.0),
        ],
    }
    lines = table(["100/0"], ["ours", "theirs"], measured).splitlines()[2:]
    assert [line.replace(" ", "").split("|")[1:-1] for line in lines] == [
        ["100/0", "ours", "150,000", "9min", "100,000", "240.0"],
        ["100/0", "theirs", "100,000", "13min", "200,000", "250.0"],
        ["100/0", "ratiototheirs", "1.50", "", "0.50", ""],
        ["100/0", "PyTorch", "10,000", "133min", "20,000", "300.0"],
    ]


def write_toy_experiment(folder):
    """Write a tiny experiment on ready text; return its file."""
    chance = random.Random(0)
    source = {"kind": "text", "tokenised": True}
    for split, sentences in (("train", 300), ("valid", 60), ("test", 50)):
        source[split] = f"{split}.txt"
        lines = tokenised_sentences(chance, sentences)
        (folder / source[split]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    corpus = {"source": source, "vocabulary": {"min_count": 1}, "classes": {"count": 6}}
    rows = [{"hidden_size": 5}]
    values = {"experiment": "toy", "corpora": {"toy": corpus}, "rows": rows}
    file = folder / "toy.yaml"
    file.write_text(json.dumps(values | {"training": {"rare_class_words": 8}}), encoding="utf-8")
    return file


@pytest.mark.slow  # three runs of the workflow, each job of which is a process
def test_this_checkout_is_measured_and_its_speed_is_in_the_page(tmp_path):
    page = tmp_path / "page.md"
    marked = "before\n<!-- measured speed -->\n\nan old table\n\n<!-- end -->\nafter\n"
    page.write_text(marked, encoding="utf-8")
    options = ["--config", write_toy_experiment(tmp_path), "--without", "rare_class_words"]
    options += ["--networks", "10/3", "--sentences", "100", "--rounds", "1", "--document", page]
    environment = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks.speed", *options]
    done = output_of(command, cwd=tmp_path, env={**BARE_ENVIRONMENT, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    begin, made, end = page.read_text(encoding="utf-8").partition(done.stdout.strip())
    assert made and "an old table" not in begin + end
    assert begin.startswith("before\n<!-- measured speed -->") and end.endswith("after\n")
    [row] = [line.split("|") for line in made.splitlines() if line.startswith("| 10/3 |")]
    training, testing, perplexity = (float(row[at].replace(",", "")) for at in (3, 5, 6))
    assert training > 0 and testing > 0
    vocabulary = int(made.rstrip(".").split()[-1])
    assert 1 < perplexity < vocabulary


def test_a_peer_that_is_neither_a_python_nor_a_toolkit_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"^error: --peers .*: neither a Python nor a folder with"):
        peer_measure(tmp_path, tmp_path)
