"""Tests that a wrong configuration stops Snakemake at once, with one line and no traceback.

`tests/unit/config/mistakes.txt` has all mistakes; here are those that need a real start.
"""

import shutil

import numpy as np
import pytest
import yaml

from tests.project import copy_project
from tests.unit.small_records import configuration

GOOD = configuration()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("bad") / "project")


def _one_error(done):
    """Return the only line about an error of a Snakemake that has failed."""
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said, said
    [line] = [line for line in said.splitlines() if "error" in line.lower()]
    return line


def test_a_mistake_in_the_file_is_one_line_and_nothing_is_made(shared):
    file = shared.configure(**GOOD, sedes=[1])
    done = shared.snakemake("--cores", "1", "--configfile", file)
    expected = "unknown key `sedes`; did you mean `seeds`?"
    assert f"online-rnnlm: error: configuration: {expected}" in _one_error(done)
    assert not (shared.path / "results").exists()


def test_another_working_folder_needs_nothing_but_the_configuration(shared, tmp_path):
    folder = tmp_path / "else {where}"
    file = str(tmp_path / "my {file}.yaml")
    folder.mkdir()
    shutil.copy2(shared.path / shared.configure(**GOOD), file)
    elsewhere = type(shared)(folder)
    plan = elsewhere.planned("-s", str(shared.path / "Snakefile"), "--configfile", file)
    assert {"fetch", "train", "tables", "report"} <= {*plan}
    assert plan == shared.planned("--directory", str(folder), "--configfile", file)


def test_without_configfile_the_demo_runs_and_config_changes_a_key(shared):
    demo = yaml.safe_load((shared.path / "config/config.yaml").read_text(encoding="utf-8"))
    networks = sum(len(np.atleast_1d(row["hidden_size"])) for row in demo["rows"])
    runs = shared.planned_trainings("--config", "seeds=[1,2]")
    assert len(runs) == 2 * networks
    assert len([run for run in runs if "-seed2-" in run]) == networks


def test_config_overrides_the_file_and_is_checked(shared):
    """A name may have a plus."""
    file = ("--configfile", shared.configure(**GOOD, search={"learning_rate": [0.5, 1.0e16]}))
    values = ("--config", "seeds=[1,2]", "training={max_epochs: 2}")
    names = sorted(run.rpartition("-")[0] for run in shared.planned_trainings(*file, *values))
    assert names == [
        *("vital-M10-D0-learning_rate0.5-seed0", "vital-M10-D0-learning_rate1e+16-seed0"),
        *("vital-M10-D0-seed1", "vital-M10-D0-seed2"),
    ]
    done = shared.snakemake("--dry-run", *file, "--config", "experiment=2024")
    assert "configuration: `experiment`: " in _one_error(done)
