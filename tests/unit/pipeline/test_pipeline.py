"""Tests of the Snakefile's helpers: settings of stages, locks of killed runs, errors of jobs."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from online_rnnlm.config import loading
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.corpora import encoding, extraction, splitting, tokenisation, vocabulary
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.errors import ERROR_MARK, UserError
from online_rnnlm.pipeline import configuration, starting
from online_rnnlm.pipeline import inputs as pipeline
from online_rnnlm.storage import records
from online_rnnlm.storage.paths import SPLITS, CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.records import Tracked
from online_rnnlm.tracking.folder import identify

TEXT = "The {} ship sailed to the {} harbour today. Then a {} storm came over the {} sea!\n"


class Recorder:
    """Settings that record the keys that were read."""

    def __init__(self, settings: CorpusSettings) -> None:
        self._settings, self.read = settings, set[str]()

    def __getattr__(self, key: str) -> Any:
        self.read.add(key)
        return getattr(self._settings, key)


DIGEST = "0" * 64


def _sources(tmp_path: Path) -> list[dict[str, Any]]:
    for name in ("text", *SPLITS):
        lines = [TEXT.format(*[f"{name}{i}{j}" for j in range(4)]) for i in range(20)]
        (tmp_path / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
    one = {"file": str(tmp_path / "text.txt")}
    three = {split: str(tmp_path / f"{split}.txt") for split in SPLITS}
    return [{**files, "tokenised": done} for files in (one, three) for done in (False, True)]


@pytest.mark.parametrize(
    "index", range(4), ids=["one", "one tokenised", "three", "three tokenised"]
)
def test_a_stage_reads_no_other_settings_than_it_is_said_to(tmp_path, index):
    source = {"kind": "text", **_sources(tmp_path)[index]}
    settings = CorpusSettings.model_validate(
        {
            "source": source,
            "valid_sentences": 5,
            "test_sentences": 5,
            "vocabulary": {"min_count": 1},
        }
    )
    directory = CorpusDirectory(tmp_path / "corpus")
    outs = {split: directory.split(split) for split in SPLITS}
    calls = {
        "articles": lambda s: extraction.write_articles(s, tmp_path, directory.articles, 1),
        "sentences": lambda s: tokenisation.write_sentences(
            s, directory.articles, directory.sentences, 1
        ),
        "splits": lambda s: splitting.write_splits(s, directory.path, directory.sentences, outs, 1),
        "vocabulary": lambda s: vocabulary.write_vocabulary(s, outs["train"], directory.vocabulary),
        "encode": lambda s: encoding.encode(s, "corpus", directory),
    }
    for stage in source_of(settings.source).stages():
        recorder = Recorder(settings)
        calls[stage](recorder)
        assert recorder.read <= set(pipeline.STAGE_SETTINGS[stage]), stage


def test_every_setting_of_a_corpus_decides_some_stage():
    decided = {key for keys in pipeline.STAGE_SETTINGS.values() for key in keys}
    assert decided == set(CorpusSettings.model_fields)


def test_what_decides_no_result_makes_no_page_anew():
    def whole(**changed):
        made = {"experiment": "some", "corpora": {"own": {"source": {"kind": "wikipedia-vital"}}}}
        return pipeline.whole_experiment(
            loading.parse({**made, "rows": [{"hidden_size": 5}], **changed})
        )

    assert whole(downloads="elsewhere", tracking={"watch_seconds": 0}) == whole()
    assert whole(testing={"updates": ["all"]}) != whole()


def test_only_classes_by_exchange_depend_on_its_code():
    source = {"kind": "wikipedia-excerpt"}
    by_counts, by_exchange = (
        CorpusSettings.model_validate({"source": source, "classes": {"rule": rule}})
        for rule in ("sqrt_frequency", "exchange")
    )
    for stage in ("splits", "vocabulary", "encode"):
        codes = {pipeline.stage_code(stage, settings) for settings in (by_counts, by_exchange)}
        assert len(codes) == (2 if stage == "vocabulary" else 1)


def test_a_stages_settings_change_with_its_own_keys_only():
    settings = CorpusSettings.model_validate({"source": {"kind": "wikipedia-vital"}})
    other = settings.model_copy(update={"train_sentences": 10})
    assert pipeline.stage_settings("splits", settings) != pipeline.stage_settings("splits", other)
    for stage in ("articles", "sentences", "vocabulary", "encode"):
        assert pipeline.stage_settings(stage, settings) == pipeline.stage_settings(stage, other)
    assert "train_sentences" in json.loads(pipeline.stage_settings("splits", settings))


@pytest.mark.parametrize("what", ["no such file", "is a directory"])
def test_a_users_file_that_is_not_there_is_named_with_its_key(tmp_path, what):
    file = tmp_path / "text"
    if "directory" in what:
        file.mkdir()
    values = {
        "experiment": "test",
        "corpora": {"own": {"source": {"kind": "text", "file": str(file)}}},
        "rows": [{}],
    }
    with pytest.raises(UserError, match=rf"corpora\.own\.source\.file.*{what}"):
        configuration.check_files(loading.parse(values), "my.yaml")


def _marks() -> list[Path]:
    marks = [Path(".snakemake/locks/0.input.lock"), Path(".snakemake/incomplete/cmVz")]
    for mark in marks:
        mark.parent.mkdir(parents=True)
        mark.touch()
    return marks


def test_a_killed_runs_marks_are_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marks = _marks()
    held = starting.forget_killed_run()
    assert held is not None
    held.close()
    assert not any(mark.exists() for mark in marks)


def test_a_living_runs_marks_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    marks = _marks()
    with (tmp_path / starting.SOLE_RUN).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another Snakemake"):
            starting.forget_killed_run()
        assert starting.forget_killed_run(dry_run=True) is None
    assert all(mark.exists() for mark in marks)


def test_only_the_errors_of_jobs_that_failed_now_are_repeated(tmp_path):
    directory = ExperimentDirectory(tmp_path)
    for name, text in (
        ("good", "done\n"),
        ("bad", f"reading\n{ERROR_MARK}no text\n{ERROR_MARK}no title\n"),
        ("new", ""),
    ):
        directory.log("articles", name).parent.mkdir(parents=True, exist_ok=True)
        directory.log("articles", name).write_text(text, encoding="utf-8")
    now = directory.log("articles", "bad").stat().st_mtime
    assert starting.errors(directory, since=now - 1) == [
        f"{ERROR_MARK}no text",
        f"{ERROR_MARK}no title",
    ]
    assert starting.errors(directory, since=now + 1000) == []


def _runs(prefix: str, command: str, path: str | None = None) -> list[str]:
    """Run a command after a shell prefix, formatted once as by Snakemake; return its words."""
    done = subprocess.run(
        ["bash", "-c", prefix.format() + command],
        env=os.environ | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_jobs_find_this_environment_and_this_code_in_spite_of_odd_names(tmp_path):
    source = tmp_path / "a project's code"
    source.mkdir()
    (source / "marker.py").write_text("print('found')", encoding="utf-8")
    command = "exec python3 -c 'import marker, sys; print(sys.executable)'"
    found, python = _runs(starting.shell_prefix(source, conda=False), command)
    assert found == "found"
    assert Path(python).parent == Path(sys.executable).parent


def test_where_snakemake_makes_the_environment_jobs_use_that_one(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\necho conda\n", encoding="utf-8")
    (tmp_path / "python3").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert _runs(starting.shell_prefix(None, conda=True), "exec python3", path) == ["conda"]


@pytest.mark.parametrize("conda", [False, True])
def test_jobs_import_the_package_from_a_checkout_if_there_is_one(tmp_path, conda):
    assert starting.package_folder(tmp_path, conda) == tmp_path


def test_an_environment_of_condas_gets_the_installed_package_and_nothing_else(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    nowhere = tmp_path / "nowhere"
    assert starting.package_folder(nowhere, conda=False) is None
    for _ in range(2):
        folder = starting.package_folder(nowhere, conda=True)
        assert folder is not None
        assert [entry.name for entry in folder.iterdir()] == ["online_rnnlm"]
        assert (folder / "online_rnnlm" / "errors.py").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cores", "1"],
        ["--workflow-profile", "none"],
        ["--workflow-profile", "here"],
        ["--workflow-profile=beside"],
        ["--cores", "1", "--workflow-profile", "some/where", "a_target"],
    ],
    ids=" ".join,
)
def test_a_profile_that_snakemake_finds_is_right(tmp_path, monkeypatch, arguments):
    (tmp_path / "beside" / "profiles" / "beside").mkdir(parents=True)
    for folder in ("profiles/here", "some/where"):
        (tmp_path / "work" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    starting.check_profile(arguments, tmp_path / "beside")


def test_a_profile_that_is_not_there_is_said_with_those_that_are(tmp_path, monkeypatch):
    (tmp_path / "profiles" / "slurm").mkdir(parents=True)
    (tmp_path / "profiles" / "slurm" / "config.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="slrum: no such profile; there are: slurm"):
        starting.check_profile(["--workflow-profile", "slrum"], tmp_path)


CONFIGURED = hashlib.sha256(b"{}").hexdigest()
"""The sha256 of the configuration of `_tracked`."""


def _tracked(directory: ExperimentDirectory, store: str = "http://some") -> None:
    """Write the configuration, and the record of entries that it has marked."""
    records.write(directory.tracked, Tracked(store=store, configuration=CONFIGURED, runs={}))
    directory.configuration.write_bytes(b"{}")


@pytest.mark.parametrize(("how", "again"), [("stays", False), ("copied", True), ("moved", True)])
def test_a_moved_or_copied_folder_is_entered_into_mlflow_again(tmp_path, how, again):
    """Its database has the addresses of files at the old place."""
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    _tracked(directory)
    known = identify(directory)
    place = ExperimentDirectory(tmp_path / "results" / "other")
    if how == "moved":
        directory.path.rename(place.path)
    elif how == "copied":
        shutil.copytree(directory.path, place.path)
    else:
        place = directory
    starting.enter_again_if_needed(place, CONFIGURED)
    assert place.tracked.is_file() != again
    assert (identify(place) == known) == (how != "copied")
    _tracked(place)
    starting.enter_again_if_needed(place, CONFIGURED)
    assert place.tracked.is_file()


@pytest.mark.parametrize("lost", [None, "mlflow.db", "mlartifacts"])
def test_a_database_that_was_deleted_is_made_again(tmp_path, lost):
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    folder = tmp_path / "elsewhere"
    (folder / "mlartifacts").mkdir(parents=True)
    (folder / "mlflow.db").touch()
    _tracked(directory, f"sqlite:///{folder / 'mlflow.db'}")
    if lost:
        (folder / lost).rename(folder / "lost")
    starting.enter_again_if_needed(directory, CONFIGURED)
    assert directory.tracked.is_file() == (lost is None)


def test_a_file_in_place_of_a_folder_of_results_is_named(tmp_path):
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    directory.path.mkdir(parents=True)
    for folder in directory.folders():
        folder.touch()
        with pytest.raises(UserError, match=rf"{folder}: is a file"):
            starting.check_writable(directory)
        folder.unlink()
        folder.mkdir()
        starting.check_writable(directory)


def test_another_configuration_enters_the_runs_again(tmp_path):
    """The entries were marked by the one before, which may have been left by Ctrl-C."""
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    _tracked(directory)
    starting.enter_again_if_needed(directory, CONFIGURED)
    assert directory.tracked.is_file()
    starting.enter_again_if_needed(directory, "1" * 64)
    assert not directory.tracked.is_file()


@pytest.mark.parametrize("left", [b'{"edited": 1}', None])
def test_a_configuration_that_was_edited_or_deleted_enters_the_runs_again(tmp_path, left):
    """Snakemake writes it again if it runs any job; otherwise nothing would."""
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    _tracked(directory)
    directory.configuration.unlink()
    if left is not None:
        directory.configuration.write_bytes(left)
    starting.enter_again_if_needed(directory, CONFIGURED)
    assert not directory.tracked.is_file()


@pytest.mark.parametrize("content", ["", "{", '{"store": 3}'])
def test_a_damaged_record_of_what_was_entered_enters_the_runs_again(tmp_path, capsys, content):
    directory = ExperimentDirectory(tmp_path / "results" / "some")
    _tracked(directory)
    directory.tracked.write_text(content)
    starting.enter_again_if_needed(directory, CONFIGURED)
    assert not directory.tracked.is_file()
    assert str(directory.tracked) in capsys.readouterr().err
