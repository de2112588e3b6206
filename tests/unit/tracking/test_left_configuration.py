"""Tests of what has left the configuration: it is not the best model, and not in the summary."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from online_rnnlm.corpora.corpus import digest_of
from online_rnnlm.errors import UserError
from online_rnnlm.pipeline import starting
from online_rnnlm.storage import records
from online_rnnlm.storage.asked import Asked
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Evaluation, RunRecord, RunResult, Statistics, Tracked
from online_rnnlm.tracking.best import BEST
from online_rnnlm.tracking.saving import save_model
from online_rnnlm.tracking.stores import store_for
from online_rnnlm.tracking.synchronisation import Synchronised, synchronise
from tests.unit.tracking.stored import assert_right, name_of, view

pytestmark = [
    pytest.mark.slow,  # real MLflow stores
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

RUN, SECOND = "invented-M100-D35-seed1", "invented-M100-D20-seed1"
"""The runs that are best and second best on `valid`."""
OTHER_DIGEST = "1" * 64


@pytest.fixture(scope="module")
def entered(
    fake: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ExperimentDirectory, Path]:
    """An experiment whose runs have been entered into its own store, and a copy of its folder."""
    folder = tmp_path_factory.mktemp("left")
    directory: ExperimentDirectory = fake.write(
        folder / "invented",
        fake.experiment(rows=rows_without()),
        {"100/35": 50.0, "100/20": 60.0},
    )
    directory.report.write_text("<p>one</p>")
    synchronise(directory)
    shutil.copytree(directory.path, folder / "copy")
    return directory, folder / "copy"


@pytest.fixture
def directory(entered: tuple[ExperimentDirectory, Path]) -> ExperimentDirectory:
    """The experiment as it was when its runs had just been entered, at the same place."""
    directory, copy = entered
    shutil.rmtree(directory.path, ignore_errors=True)
    shutil.copytree(copy, directory.path)
    return directory


def configure(directory: ExperimentDirectory, fake: SimpleNamespace, **changes: Any) -> None:
    described = fake.experiment(**changes)
    write_json(directory.configuration, described.model_dump(mode="json"))


def rows_without(*document_sizes: int) -> list[dict[str, Any]]:
    sizes = [size for size in (0, 20, 35) if size not in document_sizes]
    return [{"hidden_size": 100, "document_size": size, "learning_rate": 0.1} for size in sizes]


def best(directory: ExperimentDirectory, found: Synchronised) -> str | None:
    """Return the name of the run whose model has the alias, or None."""
    names = {run_id: name for name, run_id in found.runs.items()}
    model = name_of(directory).replace("/", "-")
    with store_for(directory, None).client() as client:
        [registered] = client.search_registered_models(f"name = '{model}'")
        if BEST not in registered.aliases:
            return None
        run_id: str = client.get_model_version_by_alias(model, BEST).run_id
    return names.get(run_id, run_id)


def leave_by_row(directory: ExperimentDirectory, fake: SimpleNamespace) -> None:
    configure(directory, fake, rows=rows_without(35))


def leave_by_settings(directory: ExperimentDirectory, fake: SimpleNamespace) -> None:
    rows = rows_without(0)
    configure(directory, fake, rows=[rows[0], rows[1] | {"learning_rate": 0.3}])


def leave_by_corpus(directory: ExperimentDirectory, fake: SimpleNamespace) -> None:
    """Another text is prepared; all runs but the best one have been trained on it."""
    path, files = directory.corpus("invented").statistics, {"a.npy": OTHER_DIGEST}
    of_other = {"files": files, "digest": digest_of(files)}
    records.write(path, records.read(Statistics, path).model_copy(update=of_other))
    for run in fake.experiment(rows=rows_without()).runs():
        if run.name != RUN:
            fake.write_run(directory, run, {"100/20": 60.0})


def leave_with_files(directory: ExperimentDirectory, fake: SimpleNamespace) -> None:
    leave_by_row(directory, fake)
    shutil.rmtree(directory.run(RUN).path)


@pytest.mark.parametrize(
    "leave", [leave_by_row, leave_by_settings, leave_by_corpus, leave_with_files]
)
def test_a_run_that_has_left_is_marked_and_is_not_the_best(
    directory: ExperimentDirectory,
    fake: SimpleNamespace,
    leave: Callable[[ExperimentDirectory, SimpleNamespace], None],
) -> None:
    leave(directory, fake)
    found = synchronise(directory)
    assert best(directory, found) == SECOND
    entries = view(directory, None)
    assert entries[RUN]["tags"]["kind"] == "earlier"
    assert entries[SECOND]["tags"]["kind"] == "online"
    if leave is not leave_with_files:
        assert RUN in found.earlier
        assert_right(directory)


def test_a_run_that_returns_is_the_best_again(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    first = synchronise(directory)
    assert (best(directory, first), first.earlier) == (RUN, [])
    leave_by_row(directory, fake)
    assert best(directory, synchronise(directory)) == SECOND
    configure(directory, fake, rows=rows_without())
    again = synchronise(directory)
    assert again.runs == first.runs
    assert best(directory, again) == RUN
    assert_right(directory)


def test_a_corpus_that_has_left_has_neither_a_best_model_nor_a_summary(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    configure(directory, fake, corpora={"other": {"source": {"kind": "wikipedia-vital"}}})
    found = synchronise(directory)
    assert best(directory, found) is None
    assert "summary" not in view(directory, None)
    assert len(found.earlier) == len(found.runs) == 3


def test_the_summary_has_only_what_the_configuration_asks_for(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    files = [directory.table("perplexity", "md"), directory.figure("learning_curves", "svg")]
    earlier = [directory.table("neighbours", "csv"), directory.figure("vector_map", "png")]
    for path in [*files, *earlier]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    synchronise(directory)
    assert {"tables/neighbours.csv", "figures/vector_map.png"} <= {
        *view(directory, None)["summary"]["files"]
    }
    configure(directory, fake, rows=rows_without(20, 35))
    synchronise(directory)
    assert {*view(directory, None)["summary"]["files"]} == {
        *("tables/perplexity.md", "figures/learning_curves.svg", "report.html")
    }
    assert_right(directory)


def test_a_rebuilt_store_packs_no_model_with_another_vocabulary(
    directory: ExperimentDirectory, fake: SimpleNamespace, empty_store: Path, tmp_path: Path
) -> None:
    """The old run is entered with all that it is known by, but its words are not there any more."""
    leave_by_corpus(directory, fake)
    shutil.copy(empty_store, directory.store)
    found = synchronise(directory)
    with store_for(directory, None).client() as client:
        [experiment] = found.experiments.values()
        models = client.search_logged_models([experiment])
        run = client.get_run(found.runs[RUN])
    assert found.runs[RUN] not in {model.source_run_id for model in models}
    assert len(models) == 2
    [used] = run.inputs.dataset_inputs
    record = records.read(RunRecord, directory.run(RUN).record)
    assert used.dataset.digest == record.corpus_digest[:36]
    with pytest.raises(UserError, match="trained on another corpus"):
        save_model(directory, RUN, tmp_path / "model")


def test_one_damaged_run_keeps_no_other_out(
    directory: ExperimentDirectory, empty_store: Path
) -> None:
    shutil.copy(empty_store, directory.store)
    directory.run(RUN).model.write_bytes(b"no weights")
    with pytest.raises(UserError, match=rf"{RUN}/model\.npz: damaged"):
        synchronise(directory)
    found = view(directory, None)
    assert found[SECOND]["status"] == "FINISHED"
    assert found[RUN]["status"] == "RUNNING"


def test_without_a_configuration_nothing_is_entered(directory: ExperimentDirectory) -> None:
    directory.configuration.unlink()
    with pytest.raises(UserError, match=r"config\.json: missing"):
        synchronise(directory)


SEARCH = {"search": {"learning_rate": [0.1, 0.4]}, "rows": [{"hidden_size": 100}]}


@pytest.mark.parametrize(("rate", "asked"), [(0.1, True), (0.4, True), (0.2, False)])
def test_a_search_asks_for_any_of_its_candidates(
    fake: SimpleNamespace, tmp_path: Path, rate: float, asked: bool
) -> None:
    directory = fake.write(tmp_path / "searched", fake.experiment(**SEARCH))
    name = "invented-M100-D0-seed1"
    record = records.read(RunRecord, directory.run(name).record)
    settings = record.settings.model_copy(update={"learning_rate": rate})
    changed = record.model_copy(update={"settings": settings})
    assert Asked(directory).asks_for(name, changed) == asked


def test_a_searched_optimizer_asks_for_the_settings_that_mean_something_with_it(
    fake: SimpleNamespace, tmp_path: Path
) -> None:
    """A run that took `sgd` has no start of AdaGrad's sums."""
    row = {"hidden_size": 100, "accumulator_start": 0.5}
    changes = {"search": {"optimizer": ["sgd", "adagrad"]}, "rows": [row]}
    directory = fake.write(tmp_path / "searched", fake.experiment(**changes))
    asked = Asked(directory)
    for path in directory.runs.glob("*/run.json"):
        record = records.read(RunRecord, path)
        assert asked.asks_for(record.name, record), record


def model_folders(directory: ExperimentDirectory) -> list[Path]:
    return sorted(path.parent for path in directory.artifacts.rglob("MLmodel"))


def delete_all(directory: ExperimentDirectory) -> None:
    shutil.rmtree(directory.artifacts)


def damage_several(directory: ExperimentDirectory) -> None:
    first, second, _ = model_folders(directory)
    content = bytearray((first / "data" / "run" / "model.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (first / "data" / "run" / "model.npz").write_bytes(content)
    (second / "data" / "run" / "vocabulary.tsv").unlink()
    next(directory.artifacts.rglob("artifacts/run.json")).write_text("{}")
    next(directory.artifacts.rglob("report.html")).unlink()


@pytest.mark.parametrize("damage", [delete_all, damage_several])
def test_missing_and_damaged_copies_are_made_again(
    directory: ExperimentDirectory,
    damage: Callable[[ExperimentDirectory], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = records.read(Tracked, directory.tracked).runs
    damage(directory)
    found = synchronise(directory)
    assert "missing or damaged" in caplog.text
    assert_right(directory)
    assert best(directory, found) == RUN
    same = {name for name, run_id in found.runs.items() if first[name] == run_id}
    assert {*found.runs} - same == {"summary of invented"}
    weights = {path.read_bytes() for path in directory.runs.glob("*/model.npz")}
    copies = [folder / "data/run/model.npz" for folder in model_folders(directory)]
    assert len(copies) == 3
    assert {path.read_bytes() for path in copies} == weights
    caplog.clear()
    synchronise(directory)
    assert caplog.messages == []


def test_what_mlflow_adds_to_a_models_folder_is_no_damage(
    directory: ExperimentDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    """Loading a model leaves a note and compiled code there."""
    for folder in model_folders(directory):
        (folder / "registered_model_meta").write_text("model_name: some")
    synchronise(directory)
    assert caplog.messages == []


def sources(directory: ExperimentDirectory) -> list[str]:
    """Return where a folder's store finds the best model, and its runs' artifacts."""
    with store_for(directory, None).client() as client:
        experiment = client.get_experiment_by_name(name_of(directory))
        model = name_of(directory).replace("/", "-")
        version = client.get_model_version_by_alias(model, BEST)
        runs = client.search_runs([experiment.experiment_id])
        return [version.source, *(run.info.artifact_uri for run in runs)]


def test_a_copied_folder_gives_its_own_models(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    before = sources(directory)
    other = ExperimentDirectory(tmp_path / "another place" / "other")
    shutil.copytree(directory.path, other.path)
    synchronise(other)
    here = f"{other.artifacts.as_uri()}/"
    assert all(address.startswith(here) for address in sources(other))
    assert_right(other)
    assert sources(directory) == before


def test_the_result_of_an_older_training_is_not_packed(
    directory: ExperimentDirectory, tmp_path: Path
) -> None:
    files = directory.run(RUN)
    result = records.read(RunResult, files.result)
    records.write(files.result, result.model_copy(update={"identity": OTHER_DIGEST}))
    with pytest.raises(UserError, match=r"result\.json: belongs to an older training"):
        save_model(directory, RUN, tmp_path / "model")


def test_a_changed_record_is_not_packed(directory: ExperimentDirectory, tmp_path: Path) -> None:
    """A record has the settings that decide how a model is computed, such as its cell."""
    path = directory.run(RUN).record
    record = records.read(RunRecord, path)
    settings = record.settings.model_copy(update={"document_rate": 9.0})
    records.write(path, record.model_copy(update={"settings": settings}))
    with pytest.raises(UserError, match=r"run\.json: changed since the run began"):
        save_model(directory, RUN, tmp_path / "model")


def test_a_copy_of_a_run_under_another_name_is_not_entered(directory: ExperimentDirectory) -> None:
    first = records.read(Tracked, directory.tracked).runs
    shutil.copytree(directory.run(RUN).path, directory.run("copy").path)
    shutil.copytree(directory.evaluations(RUN), directory.evaluations("copy"))
    assert synchronise(directory).runs == first
    assert len(view(directory, None)) == len(first)


def test_evaluations_that_nobody_asked_for_are_not_entered(
    directory: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    """One is a renamed copy, and another has left the configuration."""
    made, renamed, left = "document_vector", "all.word.sentence", "output.word.sentence"
    found = records.read(Evaluation, directory.evaluation(RUN, made))
    records.write(directory.evaluation(RUN, renamed), found)
    records.write(directory.evaluation(RUN, left), found.model_copy(update={"evaluation": left}))

    def entered() -> set[str]:
        synchronise(directory)
        keys = (key for key, *_ in view(directory, None)[RUN]["metrics"])
        return {key for key in keys if key.startswith("valid_perplexity_")}

    configure(directory, fake, rows=rows_without(), testing={"updates": ["all"]})
    assert entered() == {"valid_perplexity_vector_still"}
    configure(directory, fake, rows=rows_without(), testing={"updates": ["all", "output"]})
    assert entered() == {"valid_perplexity_vector_still", f"valid_perplexity_{left}"}


def test_a_damaged_record_of_the_folder_is_made_anew(
    directory: ExperimentDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    first = records.read(Tracked, directory.tracked).runs
    directory.folder.write_text("")
    found = synchronise(directory)
    assert f"{directory.folder}: damaged" in caplog.text
    assert found.runs[RUN] == first[RUN]
    caplog.clear()
    assert synchronise(directory).runs == found.runs
    assert caplog.messages == []


def test_a_folder_may_have_any_name(directory: ExperimentDirectory, tmp_path: Path) -> None:
    other = ExperimentDirectory(tmp_path / 'mine\'s "best": yes')
    shutil.copytree(directory.path, other.path)
    found = synchronise(other)
    with store_for(other, None).client() as client:
        [registered] = client.search_registered_models()
        version = client.get_model_version_by_alias(registered.name, BEST)
    assert version.run_id == found.runs[RUN]


@pytest.mark.parametrize(
    "older",
    ["another report", "an earlier mark", "deleted in MLflow", "no status", "no best", "no model"],
)
def test_an_older_database_in_the_place_of_a_newer_one_is_noticed(
    directory: ExperimentDirectory, tmp_path: Path, older: str
) -> None:
    def start() -> bool:
        """Return True if a start of the experiment finds nothing to be entered."""
        starting.enter_again_if_needed(directory, Asked(directory).digest)
        return directory.tracked.is_file()

    kept = tmp_path / "kept.db"
    with store_for(directory, None).client() as client:
        [summary, *_] = client.search_runs(["1"], "tags.kind = 'summary'")
        if older == "an earlier mark":
            client.set_tag(summary.info.run_id, "kind", "earlier")
        if older == "deleted in MLflow":
            client.delete_run(summary.info.run_id)
        if older == "no status":
            client.set_terminated(summary.info.run_id, "FAILED")
        if older == "no best":
            client.delete_registered_model(name_of(directory).replace("/", "-"))
        if older == "no model":
            for model in client.search_logged_models(["1"]):
                client.delete_logged_model(model.model_id)
    shutil.copy2(directory.store, kept)
    if older == "another report":
        directory.report.write_text("<p>two</p>")
    synchronise(directory)
    assert start()
    shutil.copy(kept, directory.store)
    assert not start()
    synchronise(directory)
    assert start()
    assert_right(directory)


@pytest.mark.parametrize("by_hand", ["status", "metric", "run deleted for good"])
def test_what_was_changed_in_mlflow_is_made_right_again(
    directory: ExperimentDirectory, by_hand: str
) -> None:
    found = synchronise(directory)
    with store_for(directory, None).client() as client:
        if by_hand == "status":
            client.set_terminated(found.runs[RUN], "FAILED")
        elif by_hand == "metric":
            client.log_metric(found.runs[RUN], "test_perplexity", 1.0)
        else:
            client.delete_run(found.runs[RUN])
            client._tracking_client.store._hard_delete_run(found.runs[RUN])
    assert best(directory, synchronise(directory)) == RUN
    assert_right(directory)


def test_runs_have_not_left_while_their_corpus_is_made_anew(
    directory: ExperimentDirectory,
) -> None:
    statistics = directory.corpus("invented").statistics
    content, before = statistics.read_bytes(), view(directory, None)
    statistics.unlink()
    assert synchronise(directory).earlier == []
    assert best(directory, synchronise(directory)) == RUN
    statistics.write_bytes(content)
    synchronise(directory)
    assert view(directory, None) == before


@pytest.mark.parametrize("name", ["backup", "copy of none", "none-old"])
def test_other_files_beside_evaluations_are_no_evaluations(
    directory: ExperimentDirectory, fake: SimpleNamespace, name: str
) -> None:
    (directory.evaluations(RUN) / f"{name}.json").write_text("a note")
    assert RUN in synchronise(directory).runs
    configure(directory, fake, rows=rows_without(35))
    assert RUN in synchronise(directory).earlier
    assert_right(directory)
