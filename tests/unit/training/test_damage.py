"""Tests that damaged files are named and made again or refused, but never used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from online_rnnlm.config import testing as typed
from online_rnnlm.config.runs import Run
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import load_corpus
from online_rnnlm.engines.lanes import Carried
from online_rnnlm.errors import UserError
from online_rnnlm.evaluation.evaluate import evaluate, evaluate_further
from online_rnnlm.model import parameters
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.storage import records
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory, ExperimentDirectory, RunDirectory
from online_rnnlm.storage.records import RunResult
from online_rnnlm.storage.runs import check_finished, read_epochs
from online_rnnlm.storage.scores import sentence_scores, token_scores
from online_rnnlm.tracking.entries import run_entry
from online_rnnlm.training import checkpoint
from online_rnnlm.training.checkpoint import Progress, Unfinished
from online_rnnlm.training.schedule import Schedule
from online_rnnlm.training.train import train
from tests import outcome
from tests.unit.small_records import epoch

pytestmark = pytest.mark.slow  # trainings and evaluations of damaged files

RUN = Run(settings=RunSettings(corpus="topics", hidden_size=8, document_size=2, max_epochs=1))
SIZES = Sizes(7, 3, 2, 2)


def flip(file: Path) -> None:
    """Flip a bit in the middle of a file, or in the first character of a record.

    A record has no checksum of its own: where a number has changed, only a receipt tells.
    """
    content = bytearray(file.read_bytes())
    content[0 if file.suffix == ".json" else len(content) // 2] ^= 1
    file.write_bytes(content)


def truncate(file: Path) -> None:
    """Cut off the second half of a file."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def empty(file: Path) -> None:
    """Empty a file."""
    file.write_bytes(b"")


damages = pytest.mark.parametrize("damage", [flip, truncate, empty])


@pytest.fixture(scope="module")
def evaluated(corpus_directory, tmp_path_factory) -> ExperimentDirectory:
    """A finished run and its evaluations, which tests must not change."""
    directory = ExperimentDirectory(tmp_path_factory.mktemp("evaluated") / "experiment")
    shutil.copytree(corpus_directory.path, directory.corpus("topics").path)
    train(RUN, directory.corpus("topics"), directory.run("run"))
    for how in ("none", "document_vector"):
        evaluate(directory, "run", directory.corpus("topics"), how, typed.TestingSettings())
    return directory


@pytest.fixture
def experiment(evaluated, tmp_path) -> ExperimentDirectory:
    shutil.copytree(evaluated.path, tmp_path / "experiment")
    return ExperimentDirectory(tmp_path / "experiment")


CARRIED = Carried((np.full((3, 4), 0.5, "float32"),), np.full((3, 2), -0.25, "float32"))


def progress(epochs: int, unfinished: bool = False) -> Progress:
    arrays = [parameters.initialise(SIZES, 0.1, seed, "float32") for seed in range(4)]
    entries = [epoch(number + 1) for number in range(epochs)]
    return Progress(
        Schedule(0.2, 2.0, 1.003),
        *arrays[:2],
        entries,
        Unfinished(*arrays[2:], CARRIED, 8, 9000, -1234.5678901234567, 1.5, 1.25)
        if unfinished
        else None,
    )


@damages
@pytest.mark.parametrize("unfinished", [False, True])
def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(tmp_path, caplog, damage, unfinished):
    run = RunDirectory(tmp_path)
    for epochs in (1, 2):
        checkpoint.save(progress(epochs, unfinished), run, "this run")
    damage(run.state)
    found = checkpoint.load(run, "this run")
    assert found is not None
    assert found.epoch == 1
    assert str(run.state) in caplog.text
    assert [file.name for file in run.checkpoint.iterdir() if file.suffix == ".damaged"]
    damage(run.previous_state)
    assert checkpoint.load(run, "this run") is None
    assert str(run.previous_state) in caplog.text


def test_every_byte_of_a_checkpoint_matters(tmp_path):
    run = RunDirectory(tmp_path)
    checkpoint.save(progress(1), run, "this run")
    whole = run.state.read_bytes()
    for place in range(0, len(whole), 101):
        changed = bytearray(whole)
        changed[place] ^= 128
        run.state.write_bytes(changed)
        assert checkpoint.load(run, "this run") is None, place


def test_an_unfinished_epoch_is_kept_bit_by_bit(tmp_path):
    run, saved = RunDirectory(tmp_path), progress(1, unfinished=True)
    checkpoint.save(saved, run, "this run")
    found = checkpoint.load(run, "this run")
    assert found is not None
    assert found.unfinished is not None
    assert saved.unfinished is not None
    one, other = vars(found.unfinished), vars(saved.unfinished)
    for kind in ("weights", "accumulators"):
        pairs = zip(one.pop(kind), other.pop(kind), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    carried, expected = one.pop("carried"), other.pop("carried")
    pairs = zip(
        (*carried.states, carried.documents), (*expected.states, expected.documents), strict=True
    )
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)
    assert one == other


@damages
@pytest.mark.parametrize("file", ["model", "record", "result"])
def test_a_damaged_model_is_not_tested(experiment, damage, file):
    path = getattr(experiment.run("run"), file)
    damage(path)
    with pytest.raises(UserError, match=r": damaged: .*start the experiment again") as raised:
        evaluate(experiment, "run", experiment.corpus("topics"), "none", typed.TestingSettings())
    assert str(raised.value).startswith(f"{path}: ")


@damages
@pytest.mark.parametrize("file", ["record", "metrics", "model", "result"])
def test_a_run_with_a_damaged_file_is_trained_again(experiment, evaluated, caplog, damage, file):
    run, good = experiment.run("run"), evaluated.run("run")
    damage(getattr(run, file))
    train(RUN, experiment.corpus("topics"), run)
    assert outcome.outcome(run.path) == outcome.outcome(good.path)
    check_finished(run, records.read(RunResult, run.result))
    if file in ("metrics", "model"):
        assert f"{getattr(run, file)}: damaged" in caplog.text


def test_metrics_that_were_edited_are_noticed_by_all_that_read_them(experiment):
    run = experiment.run("run")
    assert len(read_epochs(run)) == 1
    records.write_lines(run.metrics, [epoch(valid_perplexity=1.0)])
    with pytest.raises(UserError, match=r"metrics\.jsonl: damaged: .*start the experiment again"):
        read_epochs(run)
    with pytest.raises(UserError, match=r"metrics\.jsonl: damaged"):
        run_entry(experiment, "run")


def test_while_a_run_trains_its_metrics_grow(experiment):
    run = experiment.run("run")
    run.result.unlink()
    records.write_lines(run.metrics, [epoch(1), epoch(2)])
    assert [found.epoch for found in read_epochs(run)] == [1, 2]


def test_a_run_of_an_earlier_version_is_trained_again(experiment, evaluated):
    """Training makes the files again; commands that only read them say what to do."""
    run, good = experiment.run("run"), evaluated.run("run")
    earlier = json.loads(run.result.read_text(encoding="utf-8"))
    del earlier["format"]
    write_json(run.result, earlier)
    train(RUN, experiment.corpus("topics"), run)
    assert outcome.outcome(run.path) == outcome.outcome(good.path)


def corpus_files(directory: CorpusDirectory) -> list[Path]:
    return [*directory.model_files(), directory.statistics]


@damages
@pytest.mark.parametrize("number", range(len(SPLITS) * 3 + 2))
def test_a_damaged_corpus_is_refused(experiment, damage, number):
    directory = experiment.corpus("topics")
    file = corpus_files(directory)[number]
    damage(file)
    with pytest.raises(UserError, match=r"damaged.*start the experiment again") as raised:
        load_corpus(directory)
    assert str(raised.value).startswith(f"{file}: ")


@damages
@pytest.mark.parametrize(
    ("file", "read"), [("sentence_scores", sentence_scores), ("token_scores", token_scores)]
)
def test_damaged_scores_are_not_shown(experiment, damage, file, read):
    assert len(read(experiment, "run", "none"))
    path = getattr(experiment, file)("run", "none")
    damage(path)
    with pytest.raises(UserError, match=r"damaged: .*start the experiment again") as raised:
        read(experiment, "run", "none")
    assert str(raised.value).startswith(f"{path}: ")


@damages
def test_damaged_further_evaluations_are_made_again(experiment, damage):
    testing, names = typed.TestingSettings(), ["none", "document_vector"]
    corpus = experiment.corpus("topics")
    evaluate_further(experiment, "run", corpus, names, testing)
    damaged = experiment.token_scores("run", "none")
    whole = damaged.read_bytes()
    left_alone = experiment.evaluation("run", "document_vector").stat().st_mtime_ns
    damage(damaged)
    evaluate_further(experiment, "run", corpus, names, testing)
    assert damaged.read_bytes() == whole
    assert experiment.evaluation("run", "document_vector").stat().st_mtime_ns == left_alone
