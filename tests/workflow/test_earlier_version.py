"""Tests of the message about results of an earlier version, and that its advice works."""

import json
import shutil

CONFIGURATION = {
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}],
}


def test_earlier_results_are_refused_and_the_advice_works(tmp_path, copy_of_project):
    project = copy_of_project(tmp_path / "project")
    statistics = project.path / "results/earlier/corpora/vital/statistics.json"
    statistics.parent.mkdir(parents=True)
    statistics.write_text(json.dumps({"corpus": "vital", "classes": 2}), encoding="utf-8")
    arguments = ("--dry-run", "--configfile")
    file = project.configure(experiment="earlier", **CONFIGURATION)
    done = project.snakemake(*arguments, file)
    [line] = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    assert "results/earlier/corpora/vital/statistics.json: made by an earlier version" in line
    renamed = project.configure(experiment="another", **CONFIGURATION)
    assert "Encode vital" in project.succeed(*arguments, renamed)
    shutil.rmtree(project.path / "results/earlier")
    again = project.configure(experiment="earlier", **CONFIGURATION)
    assert "Encode vital" in project.succeed(*arguments, again)
