"""Tests that a wrong configuration stops Snakemake at once, with one line and no traceback."""

import copy
import shutil
from typing import Any

import pytest
import yaml

from tests.project import UNWATCHED, own_text

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


def _downloaded(digit: str) -> dict[str, Any]:
    url = {"address": f"https://h/{digit}/x", "sha256": digit * 64}
    return {"source": {"kind": "text", "url": url}}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, copy_of_project):
    return copy_of_project(tmp_path_factory.mktemp("bad") / "project")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (_changed("sedes", [1]), ["sedes"]),
        (_changed("rows.0.hiden_size", 5), ["rows[0]", "hiden_size", "hidden_size"]),
        (_changed("rows.0.hidden_size", -3), ["rows[0].hidden_size", "-3", "greater than"]),
        (
            _changed("testing", {"updates": ["hidden"]}),
            ["testing.updates[0]", "'hidden'", "'output'"],
        ),
        (_changed("corpora.vital.source", {"kind": "encyclopedia"}), ["source", "wikipedia-vital"]),
        (
            _changed("corpora.vital.source", {"kind": "text", "file": "missing.txt"}),
            ["corpora.vital.source.file", "missing.txt", "no such file"],
        ),
        (
            _changed("corpora", {"a": _downloaded("1"), "b": _downloaded("2")}),
            ["corpora.b.source.url.name", "https://h/1/x", "https://h/2/x"],
        ),
    ],
    ids=[
        "unknown key",
        "unknown key of a row",
        "negative",
        "unknown part",
        "unknown kind",
        "missing file",
        "two downloads of one name",
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


def _one_error(done):
    """Return the only line about an error of a Snakemake that has failed."""
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in said, said
    [line] = [line for line in said.splitlines() if "error" in line.lower()]
    return line


@pytest.mark.parametrize(
    ("addition", "expected"),
    [
        (
            "experiment: other\n",
            "config/test.yaml, line 8: not YAML: the key `experiment` is there",
        ),
        ("no: 1\n", "config/test.yaml, line 8: not YAML: the key `no` is no text"),
        ("seeds: [010]\n", "config/test.yaml, line 8: not YAML: 010 "),
    ],
    ids=["a key twice", "a key that is no text", "an octal number"],
)
def test_what_snakemake_reads_without_a_word_is_refused_with_its_line(shared, addition, expected):
    file = shared.configure(**GOOD)
    shared.edit(file, addition)
    assert expected in _one_error(shared.snakemake("-n", "--configfile", file))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("experiment: x\nrows:\n\t- {}\n", "config/config.yaml, line 3: not YAML: a tab"),
        (None, "config/config.yaml: cannot be read: No such file"),
    ],
    ids=["a tab", "missing"],
)
def test_a_default_file_that_is_no_yaml_is_one_line(shared, tmp_path, content, expected):
    (tmp_path / "config").mkdir()
    if content:
        (tmp_path / "config" / "config.yaml").write_text(content, encoding="utf-8")
    elsewhere = type(shared)(tmp_path)
    done = elsewhere.snakemake("-n", "-s", str(shared.path / "Snakefile"))
    assert expected in _one_error(done)


@pytest.mark.parametrize("quiet", [(), ("--quiet", "all")], ids=["", "quiet"])
def test_a_file_in_the_way_of_the_results_is_one_line(shared, tmp_path, quiet):
    (tmp_path / "results").touch()
    elsewhere = type(shared)(tmp_path)
    file = str(shared.path / shared.configure(**GOOD))
    snakefile = str(shared.path / "Snakefile")
    done = elsewhere.snakemake("--cores", "1", "-s", snakefile, "--configfile", file, *quiet)
    assert "results is a file" in _one_error(done)


def test_another_working_folder_needs_nothing_but_the_configuration(shared, tmp_path):
    file = str(shared.path / shared.configure(**GOOD))
    elsewhere = type(shared)(tmp_path)
    plan = elsewhere.planned("-s", str(shared.path / "Snakefile"), "--configfile", file)
    assert {"fetch", "train", "tables", "report"} <= plan
    assert plan == shared.planned("--directory", str(tmp_path), "--configfile", file)


def test_no_cores_are_one_line(shared):
    done = shared.snakemake("--cores", "0", "--configfile", "config/smoke.yaml")
    assert done.returncode != 0
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "error: " in line]
    assert "--cores 0: nothing can run" in line


def test_two_configuration_files_are_not_mixed(shared):
    file = shared.configure(**GOOD)
    done = shared.snakemake("-n", "--configfile", "config/smoke.yaml", file)
    assert f"config/smoke.yaml and {file}: give one" in _one_error(done)


def test_another_file_of_the_same_experiment_is_refused(tmp_path, copy_of_project):
    project = copy_of_project(tmp_path / "project")
    values = {**GOOD, "corpora": {"own": own_text(project)}, "training": {"max_epochs": 1}}
    target = "results/bad/corpora/own/train.tokens.txt"

    def start(file, *options):
        unwatched = (*UNWATCHED, *options, "--configfile", file)
        return project.snakemake("--cores", "1", *unwatched, "--", target)

    file = project.configure(**values)
    assert start(file).returncode == 0
    another = "config/another.yaml"
    shutil.copy2(project.path / file, project.path / another)
    for options in ((), ("--dry-run",)):
        line = _one_error(start(another, *options))
        assert f"{another}: `experiment`: bad: {file} has the same name" in line
    assert start(project.configure(**values, seeds=[2])).returncode == 0  # edited
    (project.path / file).unlink()
    assert start(another).returncode == 0  # it takes the place of the other one


def test_a_secret_in_an_address_is_left_nowhere(tmp_path, copy_of_project):
    secret = "hunter2"
    project = copy_of_project(tmp_path / "project")
    addresses = (f"http://u:{secret}@h", f"postgresql://u@h/db?password={secret}")
    for address in addresses:
        file = project.configure(**GOOD, tracking={"store": address})
        done = project.snakemake("--cores", "1", "--configfile", file)
        assert "`tracking.store`" in _one_error(done)
        assert secret not in done.stdout + done.stderr
    (project.path / file).unlink()
    left = [path for path in project.path.rglob("*") if path.is_file()]
    assert left
    assert [path for path in left if secret.encode() in path.read_bytes()] == []


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
    assert "seeds[0]" in done.stderr


def test_an_engine_is_not_searched_for(shared):
    file = shared.configure(**GOOD, search={"engine": ["kernel", "graph"]})
    done = shared.snakemake("--dry-run", "--configfile", file)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "`search.engine`: decides what hardware" in done.stderr


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


def test_values_on_the_command_line_are_merged_and_checked(shared):
    (shared.path / "config/test.yaml").write_text(yaml.safe_dump(GOOD), encoding="utf-8")
    file = ("--cores", "1", "--configfile", "config/test.yaml")
    values = ("--config", "seeds=[1,2]", "training={max_epochs: 2}")
    assert shared.planned_trainings(*file, *values) == {f"vital-M10-D0-seed{n}" for n in (1, 2)}
    done = shared.snakemake("--dry-run", *file, "--config", "experiment=2024")
    assert done.returncode != 0
    assert "config/test.yaml and --config: `experiment`: " in done.stdout + done.stderr
