"""Tests of folders of evidence: what is kept, that it is enough, and that changes are found."""

from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from online_rnnlm.analysis.claims.write import write_claims
from online_rnnlm.analysis.evidence.check import check_evidence
from online_rnnlm.analysis.evidence.claim_tables import OVER_SEEDS, OVER_TEXT
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.evidence.text import with_evidence
from online_rnnlm.analysis.evidence.write import write_evidence
from online_rnnlm.analysis.figures.write import write_figures
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.analysis.tables.write import write_tables
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import read_json, write_json
from online_rnnlm.storage.paths import ExperimentDirectory

SIZES = ((100, 0), (120, 0), (100, 20))
ROWS = [{"hidden_size": hidden, "document_size": size} for hidden, size in SIZES]
TESTING = {
    "updates": ["document_vector", "all"],
    "unit_of_text": ["sentence", "document"],
    "rivals": ["neural_cache", "kneser_ney", "mixture"],
}
IN_ORDER = {"invented": {"source": {"kind": "wikipedia-vital"}, "divide_by": "article"}}


def finish(experiment: Experiment, directory: ExperimentDirectory, published: Path) -> Results:
    """Write the tables, claims and figures of an invented experiment."""
    write_tables(experiment, directory, published)
    write_claims(experiment, directory)
    write_figures(experiment, directory)
    for kind in ("csv", "md", "tex", "html"):
        directory.table("neighbours", kind).write_text("none\n")
    return collect(experiment, directory)


@pytest.fixture(scope="module")
def finished(
    fake: SimpleNamespace, published_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Results:
    """Three rows of two seeds on text in order, with tables, claims and figures."""
    experiment = fake.experiment(rows=ROWS, testing=TESTING, seeds=[1, 2], corpora=IN_ORDER)
    directory = fake.write(tmp_path_factory.mktemp("finished") / "invented", experiment)
    return finish(experiment, directory, published_file)


@pytest.fixture(scope="module")
def written(finished: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "made"
    write_evidence(finished.experiment, finished.directory, folder)
    return folder


@pytest.fixture
def evidence(written: Path, tmp_path: Path) -> EvidenceFolder:
    """The evidence of the experiment, in the place where documents look for it."""
    folder = tmp_path / "docs" / "evidence" / "made"
    shutil.copytree(written, folder)
    return EvidenceFolder(folder)


def test_tables_and_claims_follow_from_the_scores(evidence: EvidenceFolder) -> None:
    checked = check_evidence(evidence.path)
    tables = sum(
        len(pd.read_csv(evidence.table(name, "csv"))) for name in ("perplexity", "updates")
    )
    claims = read_json(evidence.claims)["claims"]
    tested = [claim for claim in claims if claim["evaluation"] is not None]
    assert {claim["effect"]["drawn"] for claim in tested} == {"article"}
    # Both perplexities, change in two units, tokens, both ends of the interval in two units,
    # p-value, corrected p-value and verdict, and where there is a margin, equivalence. Of the
    # vector held still against the static network all but the last four; of the seeds five; of
    # multiply-adds both sides, change and verdict, or both sides of a test. In `mixtures` the
    # network by itself and with everything. Last, the perplexities with the vector held still.
    tables += pd.read_csv(evidence.table("perplexity", "csv"))[STILL].notna().sum()
    effects = [claim["effect"] for claim in tested]
    of_claims = 12 * len(tested) + 4 * (len(claims) - len(tested))
    of_claims += sum(effect["equivalence"] is not None for effect in effects)
    of_claims += 9 * sum(effect["still_against_static"] is not None for effect in effects)
    of_claims += 2 * sum(effect["multiply_adds_per_word"] is not None for effect in effects)
    of_claims += 5 * sum(claim["seeds"] is not None for claim in tested)
    assert checked == tables + of_claims + 2 * len(pd.read_csv(evidence.table("mixtures", "csv")))


def test_the_checksums_are_those_of_sha256sum(evidence: EvidenceFolder) -> None:
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=evidence.path, capture_output=True, text=True, check=True)
    files = {file for file in evidence.path.rglob("*") if file.is_file()} - {evidence.sums}
    assert len(done.stdout.splitlines()) == len(files)


def test_a_file_that_was_changed_or_lost_is_named(evidence: EvidenceFolder) -> None:
    table = evidence.table("perplexity", "csv")
    table.write_text(table.read_text() + "\n")
    with pytest.raises(UserError, match=r"perplexity\.csv: its checksum"):
        check_evidence(evidence.path)
    table.unlink()
    with pytest.raises(UserError, match=r"perplexity\.csv: missing"):
        check_evidence(evidence.path)


def _sealed(evidence: EvidenceFolder) -> None:
    """Make the checksums right again, so that only the values can be wrong."""
    evidence.write_sums(evidence.read_sums())


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, "test_perplexity") for name in ("perplexity", "updates", "mixtures")]
    + [("perplexity", STILL)],
)
def test_a_perplexity_that_the_scores_do_not_give_is_found(
    evidence: EvidenceFolder, name: str, key: str
) -> None:
    path = evidence.table(name, "csv")
    table = pd.read_csv(path)
    table.loc[table[key].last_valid_index(), key] += 0.01
    table.to_csv(path, index=False)
    _sealed(evidence)
    with pytest.raises(UserError, match=rf"{name}\.csv: test perplexity of .*the scores give"):
        check_evidence(evidence.path)


@pytest.mark.parametrize(
    "key",
    [
        *("change_percent", "interval_percent", "p_value", "p_value_holm", "verdict"),
        *("test_perplexity", "test_perplexity_against"),
    ],
)
def test_a_claim_that_the_scores_do_not_give_is_found(evidence: EvidenceFolder, key: str) -> None:
    found: dict[str, Any] = read_json(evidence.claims)
    claim = found["claims"][0]
    if key == "interval_percent":
        claim["effect"][key][1] += 0.1
    elif key == "verdict":
        claim[key] = "undecided" if claim[key] != "undecided" else "supported"
    else:
        (claim if key in claim else claim["effect"])[key] += 0.1
    write_json(evidence.claims, found)
    _sealed(evidence)
    with pytest.raises(UserError, match="claim 1"):
        check_evidence(evidence.path)


@pytest.mark.parametrize(
    "changes",
    [
        {"nats_per_token": -0.1},
        {"interval_nats_per_token": [-0.2, -0.1]},
        {"pieces": 1},
        {"tokens": 1},
        {"seeds": {"nats_per_token": 1}},
        {"still_against_static": {"test_perplexity": 1.5}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_nothing_that_a_verdict_rests_on_is_believed(
    evidence: EvidenceFolder, changes: dict[str, Any]
) -> None:
    found: dict[str, Any] = read_json(evidence.claims)
    [(key, value)] = changes.items()
    claim = next(one for one in found["claims"] if key in one or one["effect"].get(key) is not None)
    place = claim if key in claim else claim["effect"]
    place[key] = place[key] | value if isinstance(place[key], dict) else value
    write_json(evidence.claims, found)
    _sealed(evidence)
    with pytest.raises(UserError, match=f"claim {claim['number']}"):
        check_evidence(evidence.path)


@pytest.mark.parametrize("key", ["change_percent", "multiply_adds_per_word_against", "verdict"])
def test_a_count_of_multiply_adds_that_the_table_has_not_is_found(
    evidence: EvidenceFolder, key: str
) -> None:
    found: dict[str, Any] = read_json(evidence.claims)
    claim = next(one for one in found["claims"] if one["number"] == 3)
    if key == "verdict":
        claim[key] = "undecided" if claim[key] != "undecided" else "supported"
    else:
        claim["effect"][key] += 0.1
    write_json(evidence.claims, found)
    _sealed(evidence)
    with pytest.raises(UserError, match="claim 3"):
        check_evidence(evidence.path)


def test_evidence_takes_the_place_of_evidence_but_of_nothing_else(
    evidence: EvidenceFolder, finished: Results
) -> None:
    before = evidence.sums.read_bytes()
    write_evidence(finished.experiment, finished.directory, evidence.path)
    assert evidence.sums.read_bytes() == before
    other = evidence.path / "my notes.txt"
    other.write_text("mine")
    with pytest.raises(UserError, match="my notes"):
        write_evidence(finished.experiment, finished.directory, evidence.path)
    assert other.read_text() == "mine"
    other.unlink()
    assert check_evidence(evidence.path)


def test_what_is_missing_is_named(finished: Results, tmp_path: Path) -> None:
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(finished.directory.path, copy.path)
    copy.claims.unlink()
    with pytest.raises(UserError, match=r"claims\.json: missing"):
        write_evidence(finished.experiment, copy, tmp_path / "some")
    with pytest.raises(UserError, match="no folder of evidence"):
        check_evidence(tmp_path)


def _document(*parts: str) -> str:
    return "".join(f"<!-- evidence made {part} -->\nold\n<!-- end -->\n" for part in parts)


def test_documents_are_made_from_it(evidence: EvidenceFolder, tmp_path: Path) -> None:
    text = with_evidence(_document("networks", "claims", "mixtures", "gains"), tmp_path)
    assert "\nold\n" not in text
    assert with_evidence(text, tmp_path) == text
    table = pd.read_csv(evidence.table("perplexity", "csv")).set_index("model")
    cached = table.loc["100/20 + neural cache"]
    networks = text[: text.index("evidence made claims")]
    [row] = [line for line in networks.splitlines() if line.startswith("| 100/20 ")]
    assert f"{cached['test_perplexity']:.1f} ± {cached['test_perplexity_sd']:.1f}" in row
    verdicts = [claim["verdict"] for claim in read_json(evidence.claims)["claims"]]
    for verdict in set(verdicts):
        assert text.count(f"| **{verdict}** |") == verdicts.count(verdict)


def test_claims_show_both_intervals_and_what_was_not_tested(
    evidence: EvidenceFolder, tmp_path: Path
) -> None:
    kept = read_json(evidence.claims)
    claim = next(claim for claim in kept["claims"] if claim["number"] == 1)
    claim["seeds"]["interval_nats_per_token"] = [math.log(1.25), math.log(2)]
    reason = {"claim": "something", "reason": "no rival"}
    untested = {"number": 6, "kind": "best_rival", "corpus": "invented", "model": "100/20"}
    write_json(evidence.claims, kept | {"claims": [claim], "not_tested": [untested | reason]})
    _sealed(evidence)
    header, _, tested, *notes = with_evidence(_document("claims"), tmp_path).splitlines()[1:]
    assert [cell.strip() for cell in header.split("|")][6:8] == [OVER_TEXT, OVER_SEEDS]
    assert "−50.0 to −20.0 %" in tested
    assert "Not tested: 6 of 100/20: no rival." in notes


def test_one_seed_is_told(evidence: EvidenceFolder, tmp_path: Path) -> None:
    kept = read_json(evidence.claims)
    write_json(evidence.claims, kept | {"claims": [c | {"seeds": None} for c in kept["claims"]]})
    _sealed(evidence)
    text = with_evidence(_document("claims"), tmp_path)
    assert "over the seeds" not in text
    assert "There is one seed" in text


def test_a_part_that_does_not_exist_is_named(evidence: EvidenceFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"evidence made graph: no part; allowed: summary"):
        with_evidence(_document("graph"), tmp_path)
    evidence.claims.unlink()
    with pytest.raises(UserError, match=r"claims\.json: missing"):
        with_evidence(_document("claims"), tmp_path)


def test_shuffled_text_is_kept_by_sentences(
    fake: SimpleNamespace, published_file: Path, tmp_path: Path
) -> None:
    experiment = fake.experiment(rows=ROWS[1:])
    directory = fake.write(tmp_path / "invented", experiment)
    finish(experiment, directory, published_file)
    write_evidence(experiment, directory, tmp_path / "made")
    evidence = EvidenceFolder(tmp_path / "made")
    assert pd.read_parquet(evidence.scores)["piece"].nunique() == fake.SENTENCES["test"]
    assert check_evidence(evidence.path) > len(pd.read_csv(evidence.table("perplexity", "csv")))


def test_a_users_own_files_are_never_taken_for_evidence(finished: Results, tmp_path: Path) -> None:
    """Their checksums may be there, too, by `sha256sum`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    thesis = folder / "thesis.txt"
    thesis.write_text("years of work")
    with (folder / "SHA256SUMS").open("w") as out:
        subprocess.run(["sha256sum", thesis.name], cwd=folder, stdout=out, check=True)
    with pytest.raises(UserError, match=r"thesis\.txt: no file of evidence"):
        write_evidence(finished.experiment, finished.directory, folder)
    assert thesis.read_text() == "years of work"


@pytest.mark.parametrize("lost", ["claims.json", "tables/updates.md"])
def test_earlier_evidence_stays_if_new_cannot_be_made(
    evidence: EvidenceFolder, finished: Results, tmp_path: Path, lost: str
) -> None:
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(finished.directory.path, copy.path)
    (copy.path / lost).unlink()
    before = sorted(evidence.path.parent.rglob("*"))
    with pytest.raises(UserError, match="missing"):
        write_evidence(finished.experiment, copy, evidence.path)
    assert sorted(evidence.path.parent.rglob("*")) == before
    assert check_evidence(evidence.path)


def test_results_that_do_not_follow_from_their_scores_make_no_evidence(
    finished: Results, tmp_path: Path
) -> None:
    copy = ExperimentDirectory(tmp_path / "copy")
    shutil.copytree(finished.directory.path, copy.path)
    found = read_json(copy.claims)
    found["claims"][0]["verdict"] = "undecided"
    write_json(copy.claims, found)
    with pytest.raises(UserError, match=r"claim 1.*verdict"):
        write_evidence(finished.experiment, copy, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_damaged_folder_is_one_line(evidence: EvidenceFolder) -> None:
    content = evidence.scores.read_bytes()
    for damaged in (content[:1000], b""):
        evidence.scores.write_bytes(damaged)
        _sealed(evidence)
        with pytest.raises(UserError, match=r"scores\.parquet: damaged"):
            check_evidence(evidence.path)
    evidence.scores.unlink()
    sums = evidence.sums.read_text().splitlines(keepends=True)
    evidence.sums.write_text("".join(line for line in sums if "scores" not in line))
    with pytest.raises(UserError, match=r"scores\.parquet: SHA256SUMS does not list it"):
        check_evidence(evidence.path)
    evidence.sums.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="cannot be read as text"):
        check_evidence(evidence.path)


@pytest.mark.parametrize("name", ["01", "null"])
def test_the_name_of_a_corpus_is_a_text(
    fake: SimpleNamespace, published_file: Path, tmp_path: Path, name: str
) -> None:
    corpora = {name: IN_ORDER["invented"]}
    experiment = fake.experiment(rows=ROWS[:1], corpora=corpora)
    directory = fake.write(tmp_path / "invented", experiment)
    finish(experiment, directory, published_file)
    write_evidence(experiment, directory, tmp_path / "made")
    assert check_evidence(tmp_path / "made") == 1


@pytest.mark.parametrize("name", ["/etc/hostname", "../other.txt", "tables/../../other.txt"])
def test_checksums_of_files_elsewhere_are_refused(evidence: EvidenceFolder, name: str) -> None:
    with evidence.sums.open("a") as out:
        out.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(UserError, match="no file of evidence"):
        check_evidence(evidence.path)
