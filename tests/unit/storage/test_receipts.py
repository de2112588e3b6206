"""Tests of receipts: a job's files are believed only if its receipt agrees with all of them."""

from pathlib import Path

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.receipts import (
    Checksums,
    Job,
    changed_outputs,
    forget_orders,
    ordered_job,
    recording,
    state,
    write_order,
)
from online_rnnlm.storage.records import Receipt

IDENTITY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "given.txt").write_text("given")
    return ExperimentDirectory(tmp_path / "results")


def job_of(directory, *made, identity=IDENTITY):
    made = made or ("one", "two")
    given = directory.path.parent / "given.txt"
    return Job("make", "x", (given,), tuple(directory.path / name for name in made), identity)


def do(directory, job):
    """Do the job as a verb does; return whether it had to be done."""
    write_order(directory, job, again=False)
    with recording(*ordered_job(directory.order("make", "x"))) as made_already:
        if not made_already:
            for file in job.outputs:
                file.write_text(f"{file.name} of {job.inputs[0].read_text()}")
    return not made_already


def current(directory, job):
    return state(directory, job, Checksums()).current


def test_a_job_is_done_once(directory):
    job = job_of(directory)
    assert not current(directory, job)
    assert do(directory, job)
    assert current(directory, job)
    assert not do(directory, job)
    assert changed_outputs(directory) == []


def test_other_settings_code_or_inputs_do_it_again(directory):
    job = job_of(directory)
    do(directory, job)
    assert not current(directory, job_of(directory, identity=OTHER))
    job.inputs[0].write_text("another")
    assert not current(directory, job)
    assert do(directory, job)
    assert job.outputs[0].read_text() == "one of another"


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_an_output_that_differs_is_removed_and_made_again(directory, damage):
    job = job_of(directory)
    do(directory, job)
    if damage == "changed":
        job.outputs[1].write_text("edited")
    else:
        job.outputs[1].unlink()
    assert changed_outputs(directory) == [job.outputs[1]]
    found = state(directory, job, Checksums())
    assert not found.current
    assert found.changed == (job.outputs[1:] if damage == "changed" else ())
    with recording(directory, job) as made_already:
        assert not made_already
        assert not job.outputs[1].exists()
        job.outputs[1].write_text("anew")
    assert current(directory, job)


def test_a_job_that_did_not_end_is_done_again(directory):
    do(directory, job_of(directory))
    other = job_of(directory, identity=OTHER)
    with pytest.raises(KeyboardInterrupt), recording(directory, other):
        other.outputs[0].write_text("half of it")
        raise KeyboardInterrupt
    for job in (job_of(directory), other):
        found = state(directory, job, Checksums())
        assert not found.current
        assert found.changed == ()  # nobody but the job itself has changed it
    assert do(directory, other)


def test_a_changed_output_that_a_failed_job_puts_back_is_not_believed(directory):
    """Snakemake keeps a job's outputs, and puts them back if it fails."""
    job = job_of(directory)
    do(directory, job)
    job.outputs[1].write_text("edited")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), recording(directory, job):
            assert not job.outputs[1].exists()
            raise KeyboardInterrupt
        job.outputs[1].write_text("edited")
    with recording(directory, job):
        assert not job.outputs[1].exists()
        job.outputs[1].write_text("anew")
    assert current(directory, job)
    job.outputs[1].write_text("edited")  # what was refused before is forgotten: it has changed
    assert state(directory, job, Checksums()).changed == job.outputs[1:]


@pytest.mark.parametrize("outside", ["{}/mine.txt", "./mine.txt", "../mine.txt"])
@pytest.mark.parametrize("kind", ["outputs", "refused"])
def test_a_receipt_that_names_files_outside_is_not_used(
    directory, tmp_path, monkeypatch, outside, kind
):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine.txt"
    mine.write_text("a user's own")
    job = job_of(directory)
    do(directory, job)
    path = directory.receipt("make", "x")
    receipt = records.read(Receipt, path)
    digest = sha256_of(mine) if kind == "refused" else "0" * 64
    named = {**getattr(receipt, kind), outside.format(tmp_path): digest}
    finished = kind == "outputs"
    records.write(path, receipt.model_copy(update={kind: named, "finished": finished}))
    assert do(directory, job)
    assert mine.read_text() == "a user's own"


@pytest.mark.parametrize("place", ["x.json", "make/x.json", "../other/orders/make/x.json"])
def test_an_order_that_is_not_in_its_experiments_folder_is_refused(
    directory, tmp_path, monkeypatch, place
):
    write_order(directory, job_of(directory), again=False)
    order = directory.order("make", "x")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    copy = Path(place)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(order.read_bytes())
    if len(copy.parents) <= 2:
        with pytest.raises(UserError, match="no order of an experiment"):
            ordered_job(copy)
    else:
        assert ordered_job(copy)[0].path == Path("../other")


def test_an_order_is_newer_than_the_outputs_only_if_the_job_must_run_again(directory):
    job, order = job_of(directory), directory.order("make", "x")
    do(directory, job)
    made = min(file.stat().st_mtime for file in job.outputs)
    for again in (False, True, False):
        write_order(directory, job, again=again)
        assert (order.stat().st_mtime >= made) == again
    before = order.read_bytes()
    write_order(directory, job, again=False)
    assert order.read_bytes() == before
    write_order(directory, job, again=True)
    assert order.read_bytes() != before


def test_a_file_of_the_project_is_found_though_the_results_are_a_link(tmp_path, monkeypatch):
    (tmp_path / "disk" / "tiny").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "results").symlink_to(tmp_path / "disk")
    (tmp_path / "project" / "given.txt").write_text("given")
    monkeypatch.chdir(tmp_path / "project")
    linked = ExperimentDirectory(Path("results/tiny"))
    job = Job("make", "x", (Path("given.txt"),), (linked.path / "one",), IDENTITY)
    assert do(linked, job)
    assert current(linked, job)


def test_what_a_job_no_longer_makes_is_removed(directory):
    do(directory, job_of(directory, "one", "two", "three"))
    fewer = job_of(directory, "two", identity=OTHER)
    assert do(directory, fewer)
    assert sorted(file.name for file in directory.path.glob("*") if file.is_file()) == ["two"]


def test_a_job_that_makes_another_file_is_done(directory):
    do(directory, job_of(directory, "one"))
    assert do(directory, job_of(directory, "one", "two"))


def test_a_damaged_receipt_is_none(directory):
    job = job_of(directory)
    do(directory, job)
    directory.receipt("make", "x").write_text("{")
    assert not current(directory, job)
    assert do(directory, job)


def test_the_folder_can_be_renamed(directory):
    do(directory, job_of(directory))
    renamed = ExperimentDirectory(directory.path.rename(directory.path.with_name("renamed")))
    assert current(renamed, job_of(renamed))


def test_files_of_jobs_that_have_left_the_configuration_are_nobodys_concern(directory):
    job = job_of(directory)
    do(directory, job)
    job.outputs[0].unlink()
    assert changed_outputs(directory) == [job.outputs[0]]
    forget_orders(directory, [])
    assert changed_outputs(directory) == []


def test_orders_and_receipts_of_all_names_have_different_files(directory):
    """Corpora may have such names as `own` and `own.order`."""
    names = ("own", "own.order", "all")
    files = [
        file("encode", name) for file in (directory.order, directory.receipt) for name in names
    ]
    assert len(set(files)) == len(files)


def test_the_receipt_of_another_job_is_none(directory):
    one = job_of(directory)
    do(directory, one)
    other = Job("make", "y", one.inputs, (directory.path / "three",), IDENTITY)
    directory.receipt("make", "x").rename(directory.receipt("make", "y"))
    assert not current(directory, one) and not current(directory, other)
    write_order(directory, other, again=False)
    with recording(*ordered_job(directory.order("make", "y"))):
        (directory.path / "three").write_text("three")
    assert all(file.is_file() for file in one.outputs)


def test_the_mark_of_a_complete_experiment_may_be_made_again_meanwhile(directory):
    job = job_of(directory, "complete.json")
    do(directory, job)
    assert directory.complete == job.outputs[0]
    job.outputs[0].unlink()
    assert changed_outputs(directory) == []
    assert not current(directory, job)
