"""Tests that drawn series of changes, kills and starts end with the results of a fresh start."""

import os
import shutil
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.workflow.stub_project import StubProject

STEPS = 6
EXAMPLES = 2
NAMES = ["another rate", "first", "other words"]


class Workflow(RuleBasedStateMachine):
    """A user who changes a configuration, loses files, kills and starts the workflow again."""

    base: StubProject
    fresh: Callable[[str], dict[str, bytes]]
    """A function that returns the outcome of a fresh start."""

    folder = None

    @initialize()
    def begin(self):
        self.folder = self.base.path.parent / f"machine-{os.urandom(4).hex()}"
        self.project = self.base.copied(self.folder)
        self.name = "first"

    def teardown(self):
        if self.folder:
            self.run()
            assert "Nothing to be done" in self.project.succeed()
            shutil.rmtree(self.folder)

    @rule(name=st.sampled_from(NAMES))
    def configure(self, name):
        self.project.choose(name)
        self.name = name

    @rule(chance=st.randoms(use_true_random=False))
    def delete(self, chance):
        files = [file for file in self.project.results() if "/corpora/" not in file]
        if files:
            (self.project.path / chance.choice(sorted(files))).unlink()

    @rule(
        file=st.sampled_from(["analysis/results.py", "jobs/evaluation_files.py"]),
        says=st.booleans(),
    )
    def edit(self, file, says):
        self.project.edit(f"src/online_rnnlm/{file}", "\n# Said.\n" if says else "\n_ADDED = 1\n")

    @rule(chance=st.randoms(use_true_random=False))
    def kill(self, chance):
        self.project.kill_at(chance.randrange(1, 12))

    @rule()
    def run(self):
        there = self.project.complete_runs()
        self.project.succeed()
        # Only what was lost, or never finished, is trained.
        assert self.project.trained().isdisjoint(there)
        # A table that the configuration has no longer stays where it was.
        fresh = self.fresh(self.name)
        found = self.project.outcome()
        assert {file: found.get(file) for file in fresh} == fresh


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A project that has made the first configuration's results."""
    project = StubProject.made(tmp_path_factory.mktemp("state") / "project")
    project.choose("first")
    project.succeed()
    return project


def test_series_of_changes_end_with_the_results_of_a_fresh_start(base, tmp_path):
    @cache
    def fresh(name):
        if name == "first":
            return base.outcome()
        project = StubProject.made(tmp_path / name)
        project.choose(name)
        project.succeed()
        return project.outcome()

    machine = type("Machine", (Workflow,), {"base": base, "fresh": staticmethod(fresh)})
    case = machine.TestCase
    case.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # a shorter example would take minutes to find
        suppress_health_check=list(HealthCheck),
    )
    case().runTest()
