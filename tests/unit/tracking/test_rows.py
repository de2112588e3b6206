"""Tests of the entries of rows in MLflow: means over the seeds, and verdicts."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.storage import records
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Claims, Evaluation
from online_rnnlm.tracking.synchronisation import synchronise
from tests.unit.tracking.stored import view

pytestmark = [
    pytest.mark.slow,  # real stores of MLflow
    pytest.mark.filterwarnings("ignore"),  # MLflow's own warnings
]

SEEDS = [1, 2, 3]
SIZES = ((100, 0), (100, 20))
ROWS = [{"hidden_size": hidden, "document_size": size} for hidden, size in SIZES]


@pytest.fixture
def described(fake: SimpleNamespace) -> Experiment:
    made: Experiment = fake.experiment(rows=ROWS, seeds=SEEDS)
    return made


@pytest.fixture
def seeds(
    fake: SimpleNamespace, tmp_path: Path, empty_store: Path, described: Experiment
) -> ExperimentDirectory:
    """Two rows of three seeds, with their claims, in the folder's own store."""
    made: ExperimentDirectory = fake.write(tmp_path / "seeds", described)
    write_claims(described, made)
    made.report.write_text("<p>one</p>")
    shutil.copy(empty_store, made.store)
    return made


def metrics(entry: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value, _, _ in entry["metrics"]}


def test_a_row_has_the_means_and_deviations_of_its_seeds(seeds: ExperimentDirectory) -> None:
    found = synchronise(seeds)
    assert found.with_rows == ["invented"]
    entry = view(seeds, None)["row 100/20"]
    names = [f"invented-M100-D20-seed{seed}" for seed in SEEDS]
    for ending, evaluation in (("", "document_vector"), ("_vector_still", "none")):
        values = [
            records.read(Evaluation, seeds.evaluation(name, evaluation)).splits["test"].perplexity
            for name in names
        ]
        key = f"test_perplexity{ending}"
        assert metrics(entry)[key] == pytest.approx(statistics.mean(values))
        assert metrics(entry)[f"{key}_sd"] == pytest.approx(statistics.stdev(values))
    assert not any(key.startswith("slurm/") for key in metrics(entry))
    assert entry["label"] == "100/20 · mean of 3 seeds"
    assert (entry["tags"]["kind"], entry["tags"]["seeds"]) == ("row", "1, 2, 3")
    assert "seed" not in entry["parameters"]
    assert entry["parameters"]["hidden_size"] == "100"


def test_a_row_says_the_verdicts_on_its_claims(seeds: ExperimentDirectory) -> None:
    synchronise(seeds)
    claims = [claim for claim in records.read(Claims, seeds.claims).claims if claim.row == "100/20"]
    tags = view(seeds, None)["row 100/20"]["tags"]
    assert {key for key in tags if key.startswith("claim.")} == {
        f"claim.{claim.number}" for claim in claims
    }
    assert tags["claim.1"] == next(claim.verdict for claim in claims if claim.number == 1)


def test_claims_of_another_configuration_are_not_said(
    seeds: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    other = fake.experiment(rows=ROWS, seeds=SEEDS, testing={"steps": 7})
    write_json(seeds.configuration, other.model_dump(mode="json"))
    synchronise(seeds)
    tags = view(seeds, None)["row 100/20"]["tags"]
    assert not any(key.startswith("claim.") for key in tags)


def test_a_row_is_entered_when_its_last_seed_has_finished(
    seeds: ExperimentDirectory, fake: SimpleNamespace, described: Experiment
) -> None:
    last = seeds.run("invented-M100-D20-seed3").result
    content = last.read_bytes()
    last.unlink()
    synchronise(seeds)
    assert {name for name in view(seeds, None) if name.startswith("row")} == {"row 100/0"}
    last.write_bytes(content)
    first = synchronise(seeds).runs
    assert "row 100/20 of invented" in first
    assert synchronise(seeds).runs == first
    fake.write_run(seeds, described.runs()[-1], {"100/20": 50.0})
    again = synchronise(seeds).runs
    changed = {name for name in first if again[name] != first[name]}
    assert changed == {"row 100/20 of invented", described.runs()[-1].name}


def test_a_row_that_has_left_the_configuration_is_marked(
    seeds: ExperimentDirectory, fake: SimpleNamespace
) -> None:
    synchronise(seeds)
    other = fake.experiment(rows=ROWS[:1], seeds=SEEDS)
    write_json(seeds.configuration, other.model_dump(mode="json"))
    synchronise(seeds)
    found = view(seeds, None)
    kinds = {name: found[name]["tags"]["kind"] for name in found if name.startswith("row")}
    assert kinds == {"row 100/0": "row", "row 100/20": "earlier"}


def test_a_row_of_one_seed_has_no_entry_of_its_own(directory: ExperimentDirectory) -> None:
    assert synchronise(directory).with_rows == []
    assert not any(name.startswith("row") for name in view(directory, None))
