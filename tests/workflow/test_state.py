"""Tests that any series of changes, kills and starts ends with the results of a fresh start.

Snakemake, its rules and the preparation of the corpus are real; see `stub_verbs.py` for the rest.
"""

import os
import shutil

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.workflow.stub_project import CONFIGURATIONS, StubProject

STEPS, EXAMPLES = 7, 4


class Workflow(RuleBasedStateMachine):
    """A user who changes a configuration, loses files, kills and starts the workflow again."""

    base: StubProject
    fresh: dict[str, dict[str, bytes]]
    folder = None

    @initialize()
    def begin(self):
        self.folder = self.base.path.parent / f"machine-{os.urandom(4).hex()}"
        self.project = self.base.copied(self.folder)
        self.name, self.current = "first", False
        self.trained = set(self.project.trained())

    def teardown(self):
        if self.folder:
            shutil.rmtree(self.folder)

    @rule(name=st.sampled_from(sorted(CONFIGURATIONS)))
    def configure(self, name):
        self.project.choose(name)
        self.current = self.current and name == self.name
        self.name = name

    @rule(chance=st.randoms(use_true_random=False))
    def delete(self, chance):
        files = sorted(self.project.results())
        if files:
            (self.project.path / chance.choice(files)).unlink()
            self.current = False

    @rule(comment=st.booleans())
    def edit_the_code_of_the_tables(self, comment):
        self.project.edit("src/online_rnnlm/analysis/results.py", comment=comment)
        self.current = self.current and comment

    @rule(chance=st.randoms(use_true_random=False))
    def kill(self, chance):
        self.project.killed_after(chance.randrange(1, 12))
        self.current = False

    @rule()
    def run(self):
        said = self.project.succeed()
        assert ("Nothing to be done" in said) == self.current
        self.current = True
        # A table that the configuration has no longer stays where it was.
        fresh, found = self.fresh[self.name], self.project.outcome()
        assert {file: found.get(file) for file in fresh} == fresh
        # A run is begun once, however often the workflow is killed or its settings come back.
        begun = self.project.trained()
        assert len(begun) == len(set(begun))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A project that has made the first configuration's results."""
    project = StubProject.made(tmp_path_factory.mktemp("state") / "project")
    project.choose("first")
    project.succeed()
    return project


def test_any_series_of_changes_ends_with_the_results_of_a_fresh_start(base, tmp_path):
    fresh = {}
    for name in CONFIGURATIONS:
        project = StubProject.made(tmp_path / name)
        project.choose(name)
        project.succeed()
        fresh[name] = project.outcome()
    assert len({tuple(sorted(files.items())) for files in fresh.values()}) == len(fresh)
    machine = type("Machine", (Workflow,), {"base": base, "fresh": fresh})
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
