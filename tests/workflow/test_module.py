"""Tests of a workflow that loads this one as a module, as `snakedeploy` makes it."""

import shutil

import pytest

from tests.project import ROOT, Project, jobs_in, own_text

SNAKEFILE = """
configfile: "config/config.yaml"


module online_rnnlm:
    snakefile:
        "{repository}/workflow/Snakefile"
    config:
        config


use rule * from online_rnnlm
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """A user's folder: a configuration, the profiles and a Snakefile that loads the module.

    The package is that of the environment, as there is none beside the workflow's files.
    """
    repository = tmp_path_factory.mktemp("repository")
    path = tmp_path_factory.mktemp("deployed")
    shutil.copytree(ROOT / "workflow", repository / "workflow")
    shutil.copy2(ROOT / "environment.yml", repository)
    shutil.copytree(ROOT / "config", path / "config")
    shutil.copytree(ROOT / "workflow" / "profiles", path / "profiles")
    (path / "workflow").mkdir()
    text = SNAKEFILE.format(repository=repository)
    (path / "workflow" / "Snakefile").write_text(text, encoding="utf-8")
    return Project(path)


def test_it_plans_the_whole_experiment_of_the_users_configuration(deployed):
    smoke = (deployed.path / "config" / "smoke.yaml").read_text(encoding="utf-8")
    mine = smoke.replace("experiment: smoke", "experiment: mine")
    (deployed.path / "config" / "config.yaml").write_text(mine, encoding="utf-8")
    said = deployed.succeed("--dry-run")
    assert "Using workflow specific profile profiles/default" in said
    assert f"Train {deployed.runs('config/config.yaml')[-1]}" in said
    # Snakemake does not call a module's `onstart`, so this is written whenever it is read.
    made = [file.name for file in (deployed.path / "results").rglob("*") if file.is_file()]
    assert made == ["config.json"]
    assert {"fetch", "train", "evaluate", "report", "track", "all"} <= {*jobs_in(said)}


def test_it_trains_a_tiny_network_with_the_installed_package(deployed):
    values = {
        "experiment": "tiny",
        "corpora": {"own": own_text(deployed)},
        "training": {"max_epochs": 1},
        "rows": [{"hidden_size": 4, "document_size": 2}],
    }
    (deployed.path / deployed.configure(**values)).replace(deployed.path / "config/config.yaml")
    deployed.succeed("--cores", "1", "--until", "train")
    [run] = deployed.runs("config/config.yaml")
    assert (deployed.path / "results/tiny/runs" / run / "result.json").is_file()
