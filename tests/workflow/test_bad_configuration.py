"""Tests that a wrong configuration stops Snakemake at once, with one line and no traceback."""

import copy
from typing import Any

import pytest
import yaml

GOOD: dict[str, Any] = {
    "experiment": "bad",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}],
}


def _changed(path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(GOOD)
    part: Any = changed
    *keys, last = path.split(".")
    for key in keys:
        part = part[int(key) if key.isdigit() else key]
    part[last] = value
    return changed


@pytest.fixture(scope="module")
def shared(tmp_path_factory, copy_of_project):
    return copy_of_project(tmp_path_factory.mktemp("bad") / "project")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (_changed("sedes", [1]), ["sedes"]),
        (_changed("rows.0.hiden_size", 5), ["rows.0", "hiden_size", "hidden_size"]),
        (_changed("rows.0.hidden_size", -3), ["rows.0.hidden_size", "-3", "greater than"]),
        (
            _changed("testing", {"updates": ["hidden"]}),
            ["testing.updates.0", "'hidden'", "'output'"],
        ),
        (_changed("corpora.vital.source", {"kind": "wikipedia"}), ["source", "wikipedia-vital"]),
        (
            _changed("corpora.vital.source", {"kind": "text", "file": "missing.txt"}),
            ["corpora.vital.source.file", "missing.txt", "no such file"],
        ),
    ],
    ids=[
        "unknown key",
        "unknown key of a row",
        "negative",
        "unknown part",
        "unknown kind",
        "missing file",
    ],
)
def test_a_wrong_configuration_is_one_line(shared, values, expected):
    file = shared.configure(**values)
    done = shared.snakemake("--cores", "1", "--configfile", file)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert len(lines) == 1
    for text in [file, *expected]:
        assert text in lines[0]
    assert not (shared.path / "results").exists()


def test_configfile_takes_the_defaults_place(shared):
    file = shared.configure(**GOOD)
    said = shared.succeed("--dry-run", "--configfile", file)
    assert "Train vital-M10-D0-seed1" in said
    assert "results/demo" not in said
    assert "M100" not in said


def test_without_configfile_the_demo_runs_and_config_changes_a_key(shared):
    demo = yaml.safe_load((shared.path / "config/config.yaml").read_text(encoding="utf-8"))
    said = shared.succeed("--dry-run", "--config", "seeds=[1,2]")
    runs = {line.split()[-1] for line in said.splitlines() if ": Train " in line}
    assert len(runs) == 2 * len(demo["rows"])
    assert any(run.endswith("seed2") for run in runs)


def test_config_alone_can_be_wrong(shared):
    done = shared.snakemake("--dry-run", "--config", "seeds=[-1]")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "seeds.0" in done.stderr


def test_an_engine_is_not_searched_for(shared):
    file = shared.configure(**GOOD, search={"engine": ["kernel", "graph"]})
    done = shared.snakemake("--dry-run", "--configfile", file)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "`search`: `engine` decides what hardware" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "profile"),
    [
        ((), "profiles/default"),
        (("--workflow-profile", "slurm"), "profiles/slurm"),
        (("--workflow-profile", "workflow/profiles/slurm"), "workflow/profiles/slurm"),
    ],
    ids=["by default", "by its name", "by its path"],
)
def test_a_profile_is_found(shared, arguments, profile):
    said = shared.succeed("--dry-run", *arguments)
    assert f"Using workflow specific profile {profile} for" in said


def test_a_profile_that_is_not_there_is_one_line(shared):
    done = shared.snakemake("--dry-run", "--workflow-profile", "slrum")
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "slrum: no such profile; there are: cluster-generic, default, slurm" in done.stderr
