"""Tests of the benchmark's arithmetic and that it yields values, but not of their size."""

import json
from argparse import Namespace
from itertools import chain
from pathlib import Path

import pytest

from benchmarks import cli
from benchmarks.arithmetic import (
    bound,
    flops_by_part,
    learning_flops,
    scoring_flops,
    training_flops,
)
from benchmarks.convergence import time_to, with_times
from benchmarks.gpu_model import Gpu, Kernel, kernels_of
from benchmarks.measure import REFERENCE, Sample, interleaved, ratios, summary
from benchmarks.rows import Target, row
from benchmarks.synthetic import SENTENCE_WORDS, write_zipf_corpus
from online_rnnlm.config.corpora import ClassSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.errors import UserError
from online_rnnlm.model.cost import multiply_adds_per_word
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.storage.paths import CorpusDirectory

pytestmark = pytest.mark.slow  # real measurements, if short ones

ROOT = Path(__file__).parents[2]


def test_a_summary_is_median_least_greatest():
    assert summary([3.0, 1.0, 2.0, 10.0]) == {
        "median": 2.5,
        "min": 1.0,
        "max": 10.0,
        "values": [3.0, 1.0, 2.0, 10.0],
    }


def test_ratios_are_of_the_same_rounds():
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [1.0, 2.0])


def test_a_task_is_timed_as_work_by_seconds():
    assert Sample(work=6.0, wall=3.0, cpu=2.0).per_cpu_second == 3.0
    assert Sample(work=6.0, wall=3.0, cpu=2.0).per_second == 2.0
    calls = []
    samples = interleaved({"a": lambda: calls.append("a") or 5.0, "b": lambda: 7.0}, 2)
    assert {name: len(values) for name, values in samples.items()} == {REFERENCE: 2, "a": 2, "b": 2}
    assert [sample.work for sample in samples["a"]] == [5.0, 5.0]
    assert len(calls) == 3  # one call more, which is not timed


@pytest.mark.parametrize(
    ("value", "at_least", "met", "ratio"),
    [
        (110, True, True, 1.1),
        (90, True, False, 0.9),
        (50, False, True, 2.0),
        (200, False, False, 0.5),
    ],
)
def test_a_target_is_reached_from_its_side(value, at_least, met, ratio):
    target = Target(100, at_least)
    result = row("title", "unit", [value], target)
    assert (result["met"], result["ratio_to_target"]) == (met, pytest.approx(ratio))


def test_flops_are_those_counted_by_hand():
    """M = 100, D = 20, 100 classes of 100 words give the 204 kFLOP of the quoted bound."""
    sizes = Sizes(vocabulary=10_000, hidden=100, classes=100, document=20)
    static = 2 * 3 * (100 * 100 + 200 * 100)
    assert training_flops(sizes._replace(document=0), 100.0) == static
    assert training_flops(sizes, 100.0) == static + 2 * (3 * 200 * 20 + 20) == 204_040
    assert scoring_flops(sizes, 100.0) == 2 * multiply_adds_per_word(sizes, 100.0)
    # With one state, the delta before W_h is not needed; each further state needs it, and
    # W_h's other two products again.
    shallow = learning_flops(sizes, 100.0, steps=1)
    assert shallow == training_flops(sizes, 100.0) - 2 * 100 * 100
    assert learning_flops(sizes, 100.0, steps=5) == shallow + 2 * 4 * 3 * 100 * 100
    assert bound(97.0, 204_040) == pytest.approx(475_397, abs=1)


def test_the_parts_flops_are_the_whole():
    for document in (0, 20):
        sizes = Sizes(vocabulary=1000, hidden=90, classes=31, document=document)
        parts = flops_by_part(sizes, 47.5)
        assert sum(parts.values()) == pytest.approx(training_flops(sizes, 47.5))


def test_times_to_a_perplexity_sum_up_epochs():
    perplexities, learning = [150.0, 100.0, 90.0], [2.0, 3.0, 4.0]
    epochs = [
        {"valid_perplexity": p, "cpu_seconds": s}
        for p, s in zip(perplexities, learning, strict=True)
    ]
    timed = with_times(epochs, [2.5, 6.0, 10.5])
    assert time_to(timed, 100.0, "cpu_learning") == 5.0
    assert time_to(timed, 95.0, "cpu_everything") == 10.5
    assert time_to(timed, 80.0, "cpu_everything") is None


def test_synthetic_text_has_every_word_and_sentences(tmp_path):
    directory = CorpusDirectory(tmp_path / "zipf")
    assert write_zipf_corpus(directory, 5000, 300, ClassSettings(count=7)) == 300
    corpus = load_corpus(directory)
    train = corpus.splits["train"]
    assert corpus.vocabulary_size == 300 and corpus.classes == 7
    assert train.tokens == 5000 and train.sentences == 5000 // SENTENCE_WORDS
    assert (train.stream[train.offsets] == 0).all() and (train.stream == 0).sum() == 201
    assert len(set(train.stream.tolist())) > 290
    assert (corpus.counts[1:-1] >= corpus.counts[2:]).all()


def _arguments(out: Path, **values) -> Namespace:
    parsed = cli._parser().parse_args(["--quick", "--out", str(out)])
    return Namespace(**{**vars(parsed), "config": ROOT / "config/config.yaml", **values})


def test_quick_figures_become_json_table_and_document(corpus_directory, tmp_path, capsys):
    out, document = tmp_path / "bench", tmp_path / "docs" / "performance.md"
    corpora = [corpus_directory.path]
    cli.run(_arguments(out, corpus=corpora, only=["training", "full_scale", "profile", "jax"]))
    cli.run(_arguments(out, corpus=corpora, only=["torch"], document=document))
    results = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert set(results["sections"]) == {"training", "full_scale", "profile", "jax", "torch"}
    rows = [results["sections"][name]["rows"] for name in ("training", "full_scale")]
    assert [len(lines) for lines in rows] == [4, 3]
    for line in chain(*rows):
        assert 0 < line["min"] <= line["median"] <= line["max"]
        assert line["share_of_bound"] > 0
    jax = results["sections"]["jax"]["rows"][0]
    assert "missing" in jax or jax["median"] > 0
    assert "missing" in results["sections"]["torch"]["rows"][0]
    assert "training D = 20" in capsys.readouterr().out
    text = document.read_text(encoding="utf-8")
    assert "Quick measurement" in text
    assert (document.parent / "performance" / "profile.svg").is_file()


PROGRAM = """HloModule jit_states

%fused (param_0: f32[4,8], param_1: f32[10,4,8], param_2: s32[]) -> f32[4,8] {
  %param_0 = f32[4,8]{1,0} parameter(0)
  %param_1 = f32[10,4,8]{2,1,0} parameter(1)
  %param_2 = s32[] parameter(2)
  %zero = s32[] constant(0)
  %row = f32[1,4,8]{2,1,0} dynamic-slice(%param_1, %param_2, %zero, %zero)
  %plain = f32[4,8]{1,0} bitcast(%row)
  %sum = f32[4,8]{1,0} add(%param_0, %plain)
  ROOT %tanh = f32[4,8]{1,0} tanh(%sum)
}

%body (state: (s32[], f32[4,8], f32[10,4,8], f32[8,8])) -> (s32[], f32[4,8], f32[10,4,8], f32[8,8]) {
  %state = (s32[], f32[4,8]{1,0}, f32[10,4,8]{2,1,0}, f32[8,8]{1,0}) parameter(0)
  %step = s32[] get-tuple-element(%state), index=0
  %hidden = f32[4,8]{1,0} get-tuple-element(%state), index=1
  %inputs = f32[10,4,8]{2,1,0} get-tuple-element(%state), index=2
  %weights = f32[8,8]{1,0} get-tuple-element(%state), index=3
  %product = f32[4,8]{1,0} dot(%hidden, %weights), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  %next = f32[4,8]{1,0} fusion(%product, %inputs, %step), kind=kLoop, calls=%fused
  %one = s32[] constant(1)
  %more = s32[] add(%step, %one)
  ROOT %left = (s32[], f32[4,8]{1,0}, f32[10,4,8]{2,1,0}, f32[8,8]{1,0}) tuple(%more, %next, %inputs, %weights)
}

ENTRY %main (first: (s32[], f32[4,8], f32[10,4,8], f32[8,8])) -> f32[4,8] {
  %first = (s32[], f32[4,8]{1,0}, f32[10,4,8]{2,1,0}, f32[8,8]{1,0}) parameter(0)
  %loop = (s32[], f32[4,8]{1,0}, f32[10,4,8]{2,1,0}, f32[8,8]{1,0}) while(%first), condition=%more, body=%body, backend_config={"known_trip_count":{"n":"10"}}
  %last = f32[4,8]{1,0} get-tuple-element(%loop), index=1
  ROOT %doubled = f32[4,8]{1,0} add(%last, %last)
}
"""  # noqa: E501  # as XLA writes it


def test_kernels_are_counted_as_often_as_they_run():
    """Of what is sliced the slice alone is read, and a loop's counter is no kernel."""
    state, weights = 4 * 8, 8 * 8
    assert list(kernels_of(PROGRAM)) == [
        Kernel(runs=10, flops=2 * state * 8, bytes=4 * (2 * state + weights)),
        Kernel(runs=10, flops=3 * state, bytes=4 * (3 * state + 1)),
        Kernel(runs=1, flops=state, bytes=4 * 3 * state),
    ]


def test_a_real_program_is_understood():
    jax = pytest.importorskip("jax", reason="JAX is not installed: `make jax`")

    def states(weights, inputs):
        def step(state, row):
            state = jax.numpy.tanh(state @ weights + row)
            return state, None

        return jax.lax.scan(step, jax.numpy.zeros((4, 8)), inputs)[0]

    arrays = jax.numpy.zeros((8, 8)), jax.numpy.zeros((10, 4, 8))
    kernels = list(kernels_of(jax.jit(states).lower(*arrays).compile().as_text()))
    product = 2 * 4 * 8 * 8
    assert product <= sum(kernel.flops for kernel in kernels if kernel.runs == 10) < 2 * product


def test_a_kernel_takes_the_time_of_what_bounds_it():
    gpu = Gpu("some", flops=100.0, bandwidth=10.0, launch=0.5)
    kernel = Kernel(runs=3, flops=200.0, bytes=10.0)
    assert kernel.seconds(gpu) == {"arithmetic": 6.0, "memory": 3.0, "launches": 1.5}


@pytest.mark.filterwarnings("ignore")  # MLflow's own warnings
def test_what_tracking_costs_is_measured(corpus_directory, tmp_path):
    cli.run(_arguments(tmp_path, corpus=[corpus_directory.path], only=["tracking"]))
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    rows = results["sections"]["tracking"]["rows"]
    assert [line["unit"] for line in rows] == ["s", "s", "times", "times", "CPU s"]
    assert all(line["median"] > 0 for line in rows)
    assert rows[0]["runs"] == 3


def test_the_preparation_of_a_text_is_measured_stage_by_stage(corpus_directory, tmp_path):
    articles = tmp_path / "text.jsonl"
    lines = (f"The {n} cats sat here.\\nThey saw {n} dogs there." for n in range(400))
    articles.write_text("".join(f'{{"text": "{line}"}}\n' for line in lines), encoding="utf-8")
    values = {"only": ["preparation"], "articles": articles, "corpus": [corpus_directory.path]}
    cli.run(_arguments(tmp_path, **values))
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    time, memory = results["sections"]["preparation"]["rows"]
    assert set(time["stages"]) == {"articles", "sentences", "splits", "vocabulary", "encode"}
    assert all(stage["cpu_seconds"] > 0 for stage in time["stages"].values())
    assert memory["median"] > 10
    with pytest.raises(UserError, match="--articles"):
        cli.run(_arguments(tmp_path, only=["preparation"], corpus=[corpus_directory.path]))


def test_figures_of_another_corpus_are_not_kept(make_corpus_directory, tmp_path, capsys):
    for seed, only in ((1, ["training"]), (2, ["torch"])):
        directory = make_corpus_directory(seed)
        cli.run(_arguments(tmp_path, corpus=[directory.path], only=only))
    results = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert set(results["sections"]) == {"torch"}


def test_a_missing_corpus_is_one_line(tmp_path, caplog):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--quick", "--corpus", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert stopped.value.code == 1
    assert str(tmp_path / "none") in caplog.text
    assert not list(tmp_path.iterdir())
