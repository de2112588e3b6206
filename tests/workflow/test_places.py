"""The whole experiment in awkward places: odd letters, full and read-only disks, a second Snakemake."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ERROR = "online-rnnlm: error: "


@pytest.fixture
def configuration(own_text):
    """Writes a tiny experiment's configuration into a project; returns how Snakemake is called."""

    def write(project, **training):
        file = project.configure(
            experiment="tiny",
            corpora={"own": own_text(project)},
            training={"max_epochs": 1, **training},
            rows=[{"hidden_size": 4}, {"hidden_size": 4, "document_size": 2}],
        )
        return ("--cores", "1", "--configfile", file)

    return write


def _mount(folder: Path, *options: str) -> None:
    command = ["mount", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")


def test_a_path_with_spaces_and_letters_of_other_alphabets(
    tmp_path, monkeypatch, copy_of_project, configuration
):
    home = tmp_path / "Übung macht den Meister ☃"
    kernels = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
    cache = home / "Zwischen Speicher"
    cache.mkdir(parents=True)
    if kernels.is_dir():
        shutil.copytree(kernels, cache / "online-rnnlm")  # compiled already, elsewhere
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    project = copy_of_project(home / "meine Experimente")
    arguments = configuration(project)
    said = project.succeed(*arguments)
    assert "results/tiny/report.html" in said
    page = (project.path / "results/tiny/report.html").read_text(encoding="utf-8")
    assert "4/2" in page
    assert "Nothing to be done" in project.succeed(*arguments)
