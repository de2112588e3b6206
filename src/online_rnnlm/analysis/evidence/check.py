"""Keep an experiment's evidence, and compute what it says once more, from the scores in it."""

from __future__ import annotations

import math
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims import LEARNING
from online_rnnlm.analysis.comparison import compare_times, compared, pieces_of_test
from online_rnnlm.analysis.evidence.choices import SIDE, check_choices, refuse_difference
from online_rnnlm.analysis.evidence.folder import COLUMNS, EvidenceFolder, networks_of
from online_rnnlm.analysis.results import Results, collect
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.analysis.verdicts import judged
from online_rnnlm.config.evaluations import final_evaluation
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.core.way import DOCUMENT_VECTOR, NONE, UnitOfText
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claim
from online_rnnlm.storage.evaluations import Timings, sentence_scores
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.shown import figure_files, table_files

_KEPT = (".csv", ".md", ".svg")
"""The formats of tables and figures that are kept."""
_OF_DRAWN_PIECES = {
    "interval_percent",
    "interval_nats_per_token",
    "pieces",
    "equivalence",
}
"""The values that depend on the pieces of text that a test draws; the kept pieces may differ."""
_Costs = Mapping[Any, Mapping[Any, float]]
"""By the name of a cost, its values by corpus, network and evaluation."""
_TEST = "test_perplexity"
_ADDS, _PARAMETERS = "multiply_adds_per_word", "parameters"


def write_evidence(experiment: Experiment, directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        EvidenceFolder(folder).refuse_changes()
    results = collect(experiment, directory)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        kept = _copied(experiment, directory, made)
        frames = pd.concat(_scores(results), ignore_index=True).astype(COLUMNS)
        frames.to_parquet(made.scores, index=False, compression="zstd")
        made.write_sums([*kept, made.scores])
        check_evidence(made.path)
        if folder.is_dir():
            folder.rename(Path(temporary) / "before")
        made.path.rename(folder)


def _copied(
    experiment: Experiment, directory: ExperimentDirectory, evidence: EvidenceFolder
) -> list[Path]:
    """Copy the configuration, claims, tables and figures; return the copies."""
    shown = [*table_files(experiment, directory), *figure_files(experiment, directory)]
    kept = [path for path in shown if path.suffix in _KEPT]
    copies = []
    for path in (directory.configuration, directory.claims, directory.timings, *kept):
        if not path.is_file():
            raise UserError(f"{path}: missing: run the experiment first")
        copies.append(evidence.path / path.relative_to(directory.path))
        copies[-1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copies[-1])
    return copies


def _scores(results: Results) -> Iterator[pd.DataFrame]:
    """Yield the scores of all evaluations of all rows, and of the rivals of corpora."""
    # Most tests compare models that forget at a sentence's end: theirs are the pieces kept.
    kept_for: dict[str, UnitOfText] = dict.fromkeys(
        results.experiment.testing.other_texts, "document"
    )
    kept_for["test"] = "sentence"
    tested = [
        (row.corpus, run.name, row.label, str(run.seed), evaluation)
        for row in results.rows
        for run in row.runs
        for evaluation in row.evaluations
    ]
    tested += [(one.corpus, one.by_seed[0].run, one.name, "", NONE) for one in results.rivals]
    pieces_of_texts = {
        (corpus, text): pieces_of_test(results, corpus, unit, text)
        for corpus in results.corpora
        for text, unit in kept_for.items()
    }
    for corpus, folder, model, seed, evaluation in tested:
        for text in kept_for:
            scores = sentence_scores(results.directory, folder, evaluation, text)
            if scores.empty:  # it diverged on that text of another kind
                continue
            pieces = pieces_of_texts[corpus, text]
            keys = ("tokens", "log_probability")
            sums = {key: pieces.sums(scores[key].to_numpy()) for key in keys}
            frame = pd.DataFrame({"piece": np.arange(pieces.count), **sums}).assign(text=text)
            yield frame.assign(corpus=corpus, model=model, seed=seed, evaluation=evaluation)


def check_evidence(folder: Path) -> int:
    """Check all test perplexities, choices and claims; return their number.

    Perplexities are those of the tables `perplexity`, `updates`, `other_texts` and `mixtures` (a
    network alone, and with all rivals). A claim goes through the code that made `claims.json`; if
    its test drew other pieces of text than those that are kept, its interval and p-value are not
    checked. Costs are compared with the tables. What was chosen on `valid` (settings, and the
    sides of claims 6 and 7) must have the lowest perplexity there of all that could be chosen. Of
    all else in a table only the checksum is checked.
    Raises UserError, with the file and both values, for the first that differs, and for files that
    are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    names = ("perplexity", "updates", "other_texts", "mixtures")
    there = [name for name in names if evidence.table(name, "csv").is_file()]
    tables = {name: _read(evidence, name) for name in there}
    checked = sum(
        _check_table(table, evidence.table(name, "csv"), evidence) for name, table in tables.items()
    )
    tested = pd.concat([table for table in tables.values() if _ADDS in table], ignore_index=True)
    # Ways to learn have as many parameters as the network by itself, which is a table's first row.
    of_network = tested.groupby(SIDE[:2])[_PARAMETERS].transform("first")
    tested[_PARAMETERS] = tested[_PARAMETERS].fillna(of_network)
    table = tested.drop_duplicates(SIDE).set_index(SIDE)[[_ADDS, _PARAMETERS]]
    costs: _Costs = table.astype(float).to_dict()
    return checked + check_choices(evidence, tested) + _check_claims(evidence, costs)


def _read(evidence: EvidenceFolder, name: str) -> pd.DataFrame:
    """Read a table; add the network of each row and the evaluation that its perplexity is of."""
    mixed = name == "mixtures"
    table = evidence.read_table(name, "document_size" if mixed else "evaluation", _TEST)
    if mixed:
        table["evaluation"] = [final_evaluation(int(size)) for size in table["document_size"]]
    return table.assign(network=networks_of(table["model"]))


def _check_table(table: pd.DataFrame, path: Path, evidence: EvidenceFolder) -> int:
    """Check a table's perplexities; return their number."""
    checked = 0
    for row in table.to_dict("records"):
        kinds = {_TEST: row["evaluation"], STILL: NONE, "test_perplexity_all": MIXTURE}
        for key, evaluation in kinds.items():
            if not pd.isna(row.get(key, math.nan)):
                side = (row["corpus"], row["network"], evaluation, row.get("text", "test"))
                scores = evidence.scores_of(*side)
                what = f"{path}: test perplexity of {row['model']}, {evaluation}"
                refuse_difference(what, row[key], scores.perplexity)
                checked += 1
    return checked


def _check_claims(evidence: EvidenceFolder, costs: _Costs) -> int:
    """Test and judge all claims again; return their number.

    Raises UserError for a claim on a network that this experiment does not have.
    """
    claims = evidence.read_claims().claims
    kept = _kept_pieces(evidence, claims)
    again = judged([_tested_again(evidence, claim, kept[claim.corpus], costs) for claim in claims])
    for claim, found in zip(claims, again, strict=True):
        what = f"{evidence.claims}: claim {claim.number}, {claim.model}"
        refuse_difference(what, claim.model_dump(), found.model_dump())
    return len(claims)


def _kept_pieces(
    evidence: EvidenceFolder, claims: Sequence[Claim]
) -> Mapping[str, Collection[str]]:
    """By corpus, the kinds of pieces of which a test drew as many as are kept."""
    found: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        if claim.evaluation is not None and claim.effect.drawn is not None:
            scores = evidence.scores_of(claim.corpus, claim.network, claim.evaluation)
            if claim.effect.pieces == len(scores.tokens):
                found[claim.corpus].add(claim.effect.drawn)
    return {claim.corpus: found[claim.corpus] or {"sentence"} for claim in claims}


def _tested_again(
    evidence: EvidenceFolder, claim: Claim, kept: Collection[str], costs: _Costs
) -> Claim:
    """Test a claim again; `kept` are the kinds of pieces that are kept as they are drawn.

    `costs` are those in the tables. What does not follow from the evidence stays as it is.
    """
    effect = claim.effect
    sides = (
        (claim.corpus, claim.network, claim.evaluation or DOCUMENT_VECTOR),
        (claim.corpus, claim.network_against, claim.evaluation_against or NONE),
    )
    # Of a frozen vector, a table has costs only where further ways to learn are tested.
    if claim.number != LEARNING and not all(side in costs[_ADDS] for side in sides):
        raise UserError(f"{evidence.claims}: the tables have no costs of {sides}")
    values: dict[str, Any] = {
        f"{key}{which}": kind(costs[key][side])
        for key, kind in ((_ADDS, float), (_PARAMETERS, int))
        for side, which in zip(sides, ("", "_against"), strict=True)
        if getattr(effect, key) is not None and side in costs[key]
    }
    if claim.evaluation is None:
        values["change_percent"] = 100 * (values[_ADDS] / values[f"{_ADDS}_against"] - 1)
        timings = records.read(Timings, evidence.timings).timings
        values |= compare_times(timings, claim.corpus, claim.network, claim.network_against)
        return claim.model_copy(update={"effect": effect.model_copy(update=values)})
    ours, theirs = (evidence.scores_of(*side) for side in sides)
    found = compared(ours, theirs, effect.margin_percent)
    as_drawn = effect.drawn in kept
    values |= {k: v for k, v in found.effect.items() if as_drawn or k not in _OF_DRAWN_PIECES}
    return claim.model_copy(
        update={
            "effect": effect.model_copy(update=values),
            "seeds": found.seeds,
            "p_value": found.p_value if as_drawn else claim.p_value,
        }
    )
