"""Tests of folders of evidence: what is kept, that it is enough, and that changes are found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from online_rnnlm.analysis.claims import write_claims
from online_rnnlm.analysis.evidence.checking import check_evidence
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.evidence.keeping import write_evidence
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.tables.writing import write_tables
from online_rnnlm.config.catalogue import FIGURES, those_of
from online_rnnlm.config.plan import Plan
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.evaluations import read_evaluation
from online_rnnlm.storage.experiments import Claims
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.processes import output_of
from tests.unit.analysis import fake_experiment
from tests.unit.analysis.changes import (
    IN_ORDER,
    diverge,
    diverge_evaluation,
    read_json,
    update_checksums,
)

LAST = "invented-M100-D20-seed2"
ROWS = [{"hidden_size": m, "document_size": d} for m, d in ((100, 0), (120, 0), (100, 20))]
TABLES = (
    *("perplexity", "updates", "other_texts", "mixtures", "lengths", "comparisons"),
    *("equal_perplexity", "learning", "choices", "corpora"),
)
TESTING = {
    "updates": ["document_vector", "all"],
    "unit_of_text": ["sentence", "document"],
    "rivals": ["neural_cache", "kneser_ney", "mixture"],
    "other_texts": {"fiction": "unused"},
}


def finish(experiment: Plan, directory: ExperimentDirectory) -> Results:
    """Write the tables and claims of an invented experiment, and files in place of its figures."""
    write_tables(directory)
    write_claims(directory)
    neighbours = [directory.table("neighbours", kind) for kind in ("csv", "md")]
    names = [figure.name for figure in those_of(FIGURES, experiment)]
    for file in (*neighbours, *(directory.figure(name, "svg") for name in names)):
        file.parent.mkdir(exist_ok=True)
        file.write_text("none\n")
    return collect(directory)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Three rows of two seeds on text in order, with tables and claims."""
    settings = {"rows": ROWS, "testing": TESTING, "seeds": [1, 2], "corpora": IN_ORDER}
    experiment = fake_experiment.experiment(**settings)
    directory = fake_experiment.write(tmp_path_factory.mktemp("finished") / "invented", experiment)
    return finish(experiment, directory)


@pytest.fixture(scope="module")
def written(finished: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "made"
    write_evidence(finished.directory, folder)
    return folder


@pytest.fixture
def evidence(written: Path, tmp_path: Path) -> EvidenceFolder:
    """The evidence of the experiment, in the place where documents look for it."""
    folder = tmp_path / "docs" / "evidence" / "made"
    shutil.copytree(written, folder)
    return EvidenceFolder(folder)


def test_tables_and_claims_follow_from_the_scores(evidence):
    claims = records.read(Claims, evidence.claims).claims
    assert {claim.comparison.drawn for claim in claims} == {"article"}
    values = [pd.read_csv(evidence.table(name, "csv")).size for name in TABLES]
    assert check_evidence(evidence.path) == len(claims) + sum(values)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = output_of(command, cwd=evidence.path, check=True)
    files = {file for file in evidence.path.rglob("*") if file.is_file()} - {evidence.sums}
    assert len(done.stdout.splitlines()) == len(files)


@pytest.mark.parametrize(
    ("name", "key"),
    [("perplexity", "test_perplexity"), ("choices", "valid_perplexity"), ("corpora", "oov_rate")],
)
def test_a_value_that_the_scores_do_not_give_is_found(evidence, name, key):
    path = evidence.table(name, "csv")
    table = pd.read_csv(path)
    table.loc[table[key].last_valid_index(), key] += 0.01
    table.to_csv(path, index=False)
    evidence.write_sums()  # so that only the values can be wrong
    with pytest.raises(UserError, match=rf"{name}\.csv: .*{key}: .*the scores give"):
        check_evidence(evidence.path)


def test_a_perplexity_in_a_record_that_the_scores_do_not_give_is_found(evidence):
    path = evidence.evaluation(LAST, "document_vector")
    record = read_json(path)
    record["splits"]["test"]["perplexity"] += 0.01
    write_json(path, record)
    evidence.write_sums()
    with pytest.raises(UserError, match=r"D20-seed2/scores.*document_vector: perplexity of test"):
        check_evidence(evidence.path)


def test_a_run_that_diverged_is_kept_with_its_reason(tmp_path):
    """It has records, but no scores."""
    experiment = fake_experiment.experiment(rows=ROWS, corpora=IN_ORDER, testing={"rivals": []})
    directory = fake_experiment.write(tmp_path / "invented", experiment)
    run = experiment.runs()[1].name
    np.save(directory.token_scores(run, "none"), np.zeros(0, np.float32))
    update_checksums(directory, run, "none")
    diverge_evaluation(directory, run, "none", "it burst")
    diverge(directory, run, "it burst")
    finish(experiment, directory)
    evidence = EvidenceFolder(tmp_path / "kept")
    write_evidence(directory, evidence.path)
    assert check_evidence(evidence.path)
    assert [missing.line for missing in collect(evidence).missing] == ["it burst"]
    assert read_evaluation(evidence.evaluation(run, "none")).reason == "it burst"
    # Its network is left out of all tables, but the record of its other seed is checked.
    record = read_json(evidence.evaluation(experiment.runs()[0].name, "none"))
    record["splits"]["test"]["perplexity"] += 0.01
    write_json(evidence.evaluation(experiment.runs()[0].name, "none"), record)
    evidence.write_sums()
    with pytest.raises(UserError, match=r"seed1/scores.*none: perplexity of test"):
        check_evidence(evidence.path)


def test_evidence_that_was_there_stays_if_the_new_one_is_not_put_in_its_place(
    finished, evidence, monkeypatch
):
    """The interruption comes when the old folder has been moved away."""
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if target == evidence.path and self.name == "made":
            assert not evidence.path.exists()
            raise KeyboardInterrupt
        return rename(self, target)

    sums = evidence.sums.read_bytes()
    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_evidence(finished.directory, evidence.path)
    assert evidence.sums.read_bytes() == sums
    assert [*evidence.path.parent.iterdir()] == [evidence.path]


def other_than(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, str):
        return "undecided" if value == "supported" else "supported"
    return [value[0], value[1] + 0.1] if isinstance(value, list) else value + 1


@pytest.mark.parametrize(
    "place",
    [
        "claims.verdict",
        "claims.p_value_holm",
        "claims.comparison.interval_percent",
        "claims.comparison.theirs.network",
        "not_tested.reason",
    ],
)
def test_a_claim_that_the_scores_do_not_give_is_found(evidence, place):
    """A word, a number, an interval, a value of one side, and why one is not tested."""
    found: dict[str, Any] = read_json(evidence.claims)
    kind, *parents, key = place.split(".")
    inside: Any = found[kind][0]
    for parent in parents:
        inside = inside[parent]
    inside[key] = other_than(inside[key])
    write_json(evidence.claims, found)
    evidence.write_sums()
    with pytest.raises(UserError, match=rf"claims\.json: {kind} 1: .*{key}.*scores give"):
        check_evidence(evidence.path)


def test_earlier_evidence_stays_if_new_cannot_be_made(evidence, finished, tmp_path):
    """A claim that does not follow from the scores, or a lost file, makes no evidence."""
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(finished.directory.path, copy.path)
    before = sorted(evidence.path.parent.rglob("*"))
    found = read_json(copy.claims)
    found["claims"][0]["verdict"] = "undecided"
    write_json(copy.claims, found)
    with pytest.raises(UserError, match=r"claims 1: verdict"):
        write_evidence(copy, evidence.path)
    copy.claims.unlink()
    with pytest.raises(UserError, match=r"claims\.json: missing"):
        write_evidence(copy, evidence.path)
    assert sorted(evidence.path.parent.rglob("*")) == before
    assert check_evidence(evidence.path)


def test_shuffled_text_is_kept_by_sentences(tmp_path):
    """Of these a test may draw blocks."""
    experiment = fake_experiment.experiment(rows=ROWS[1:], testing={"rivals": ["unigram_cache"]})
    directory = fake_experiment.write(tmp_path / "invented", experiment)
    finish(experiment, directory)
    write_evidence(directory, tmp_path / "made")
    evidence = EvidenceFolder(tmp_path / "made")
    run = next(iter(experiment.runs())).name
    pieces = pd.read_parquet(evidence.scores_of(run))["piece"]
    assert pieces.nunique() == fake_experiment.SENTENCES["test"]
    drawn = [claim.comparison.drawn for claim in records.read(Claims, evidence.claims).claims]
    assert {"sentence", "block"} <= set(drawn)
    found = read_json(evidence.claims)
    claim = found["claims"][drawn.index("block")]
    claim["comparison"]["interval_nats_per_token"][0] -= 0.1
    write_json(evidence.claims, found)
    evidence.write_sums()
    with pytest.raises(UserError, match=r"interval_nats_per_token 1: is"):
        check_evidence(evidence.path)


def change_a_table(evidence: EvidenceFolder) -> None:
    table = evidence.table("perplexity", "csv")
    table.write_text(table.read_text() + "\n")


def unlist_the_scores(evidence: EvidenceFolder) -> None:
    evidence.scores_of(LAST).unlink()
    sums = evidence.sums.read_text().splitlines(keepends=True)
    evidence.sums.write_text("".join(line for line in sums if f"{LAST}/scores" not in line))


DAMAGES: list[tuple[Callable[[EvidenceFolder], object], str]] = [
    (change_a_table, r"perplexity\.csv: its checksum"),
    (lambda evidence: evidence.table("perplexity", "csv").unlink(), r"perplexity\.csv: missing"),
    (unlist_the_scores, rf"{LAST}/scores\.parquet: missing"),
    (lambda evidence: evidence.sums.write_bytes(b"\xff\xfe"), "no folder of evidence"),
    (lambda evidence: evidence.sums.unlink(), "no folder of evidence"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_folder_is_one_line(evidence, damage, said):
    damage(evidence)
    with pytest.raises(UserError, match=f"^.*{said}.*$"):
        check_evidence(evidence.path)


def test_evidence_takes_the_place_of_evidence_and_of_nothing_else(evidence, finished):
    """A user's own files may have checksums of `sha256sum`, too."""
    before = evidence.sums.read_bytes()
    thesis = evidence.path / "thesis.txt"
    write_evidence(finished.directory, evidence.path)
    assert evidence.sums.read_bytes() == before
    thesis.write_text("years of work")
    of_thesis = output_of(["sha256sum", thesis.name], cwd=evidence.path, check=True).stdout
    for sums in (before, of_thesis.encode()):
        evidence.sums.write_bytes(sums)
        with pytest.raises(UserError, match=r"SHA256SUMS does not list it"):
            write_evidence(finished.directory, evidence.path)
    assert thesis.read_text() == "years of work"
