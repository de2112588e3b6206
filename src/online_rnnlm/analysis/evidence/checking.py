"""A folder of evidence: its files, its results, and its tables and claims made again."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.scores import UnitScores
from online_rnnlm.analysis.significance import Pieces, pieces_of
from online_rnnlm.analysis.tables.making import make_table
from online_rnnlm.config.catalogue import TABLES, those_of
from online_rnnlm.core.way import NONE, UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.experiments import Claim, Claims, UntestedClaim
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""


class EvidenceFolder(ExperimentDirectory):
    """A folder of evidence, such as `docs/evidence/paper`.

    Configuration, claims, tables and figures lie in it as among an experiment's results.
    """

    @property
    def sums(self) -> Path:
        """The sha256 of every other file, in the format of `sha256sum`."""
        return self.path / "SHA256SUMS"

    def scores_of(self, run: str) -> Path:
        """The log-probability of every piece of the tested texts, for each evaluation of a run.

        Pieces are articles; of shuffled text they are sentences, and of text in order whose
        articles are not known, blocks of sentences.
        """
        return self.evaluations(run) / "scores.parquet"

    def read_sums(self) -> dict[Path, str]:
        """Read the checksums by file; raises UserError if they cannot be read."""
        try:
            lines = self.sums.read_text(encoding="utf-8").splitlines()
            pairs = [line.split("  ", 1) for line in lines]
            return {self.path / name: digest for digest, name in pairs}
        except (OSError, ValueError):  # UnicodeDecodeError is among them
            raise UserError(f"{self.sums}: not readable: this is no folder of evidence") from None

    def write_sums(self, files: Iterable[Path]) -> None:
        """Write the checksums of these files, by which the folder is complete."""
        names = {file.relative_to(self.path).as_posix(): sha256_of(file) for file in files}
        with replacing(self.sums) as temporary:
            lines = [f"{digest}  {name}\n" for name, digest in sorted(names.items())]
            temporary.write_text("".join(lines), encoding="utf-8")

    def refuse_changes(self) -> None:
        """Raise UserError unless the folder has the files that were written, and no others."""
        sums = self.read_sums()
        there = {file for file in self.path.rglob("*") if file.is_file()} - {self.sums}
        for file in sorted({*sums, self.claims, self.configuration} - there):
            raise UserError(f"{file}: missing")
        for file in sorted(there - {*sums}):
            raise UserError(f"{file}: {self.sums.name} does not list it")
        for file, digest in sums.items():
            if sha256_of(file) != digest:
                raise UserError(f"{file}: its checksum is not the one in {self.sums.name}")


@dataclass(frozen=True)
class KeptScores(UnitScores):
    """The log-probabilities that evidence keeps. Its units are articles, sentences or blocks."""

    corpora: Mapping[str, Statistics]
    tables: Mapping[str, Mapping[str, Mapping[str, pd.DataFrame]]]
    """`tokens` and `log_probability` of the units, by run, evaluation and text."""
    runs: Mapping[str, str]
    """A run on each corpus, by which the units of its texts are counted."""

    def of_units(self, run: str, evaluation: str, text: str) -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each article, sentence or block of a text."""
        return self.tables[run][evaluation][text]

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The pieces that tests draw: units of text in order; of shuffled text sentences or blocks.

        Text in order is kept by articles, or where these are not known by blocks, shuffled text by
        sentences.
        """
        count = len(self.of_units(self.runs[corpus], NONE, text))
        if not self.is_in_order(corpus, text):
            return pieces_of(np.zeros(count, np.int32), kept_for, in_order=False)
        are_articles = count == self.corpora[corpus].splits[text].documents
        return Pieces("article" if are_articles else "block", np.arange(count))


def kept_results(evidence: EvidenceFolder) -> Results:
    """Read the results that the evidence holds.

    Raises UserError for records that are missing or damaged, and for perplexities in them that do
    not follow from the scores.
    """
    found = collect(evidence)
    tested = {run.name: run.evaluations for run in found.runs}
    tested |= {rival.by_seed[0].run: {NONE: rival.by_seed[0]} for rival in found.rivals}
    tables = {run: _read_scores(evidence, run) for run in tested}
    for run, evaluations in tested.items():
        for name, record in evaluations.items():
            kept = tables[run].get(name, {})
            for text in record.splits.keys() - {"train", "valid"}:
                what = f"{evidence.scores_of(run)}: {name}: perplexity of {text}"
                if text not in kept:
                    raise UserError(f"{what}: no scores of it")
                scored = math.exp(-kept[text]["log_probability"].sum() / kept[text]["tokens"].sum())
                refuse_difference(what, record.splits[text].perplexity, scored)
    runs = {run.run.settings.corpus: run.name for run in reversed(found.runs)}
    scores = KeptScores(found.experiment, evidence, found.corpora, tables, runs)
    return replace(found, scores=scores)


def _read_scores(evidence: EvidenceFolder, run: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the kept scores of a run, or of a corpus's rival, by evaluation and text."""
    path = evidence.scores_of(run)
    if not path.is_file():
        raise UserError(f"{path}: missing")
    tables: dict[str, dict[str, pd.DataFrame]] = defaultdict(dict)
    for (name, text), pieces in pd.read_parquet(path).groupby(
        ["evaluation", "text"], observed=True
    ):
        tables[str(name)][str(text)] = pieces
    return tables


def check_evidence(folder: Path) -> int:
    """Make all tables and claims again; return the number of values that are the same.

    The code that made them makes them from the kept records and scores, from which test
    perplexities follow. Raises UserError, with the file and both values, for the first that
    differs, and for files that are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    results = kept_results(evidence)
    checked = _check_claims(evidence, results)
    for entry in those_of(TABLES, results.experiment):
        if not entry.of_text:
            checked += _check_table(evidence, entry.name, make_table(entry, results).data)
    return checked


def _check_claims(evidence: EvidenceFolder, results: Results) -> int:
    """Compare the kept claims, in their order, with those made again; return their number."""
    kept = records.read(Claims, evidence.claims)
    made = judge(results)
    where = f"{evidence.claims}: "
    refuse_difference(f"{where}settings", kept.settings, made.settings)
    refuse_difference(f"{where}claims", len(kept.claims), len(made.claims))
    refuse_difference(f"{where}claims not tested", len(kept.not_tested), len(made.not_tested))
    pairs: Iterable[tuple[Claim | UntestedClaim, Claim | UntestedClaim]] = (
        *zip(kept.claims, made.claims, strict=True),
        *zip(kept.not_tested, made.not_tested, strict=True),
    )
    for claim, again in pairs:
        name = f"{where}claim {claim.letter} on {claim.row}, {claim.corpus}"
        refuse_difference(name, claim.model_dump(), again.model_dump())
    return len(kept.claims)


def _check_table(evidence: EvidenceFolder, name: str, made: pd.DataFrame) -> int:
    """Compare a kept table with that made again; return its number of values."""
    path = evidence.table(name, "csv")
    kept = pd.read_csv(path)
    again = pd.read_csv(StringIO(made.to_csv(index=False)))
    if [*kept.columns] != [*again.columns] or len(kept) != len(again):
        raise UserError(f"{path}: has other rows or columns than the records give")
    for number, (row, row_again) in enumerate(
        zip(kept.to_dict("records"), again.to_dict("records"), strict=True), start=1
    ):
        for column, value in row.items():
            other = row_again[column]
            if not (pd.isna(value) and pd.isna(other)):
                refuse_difference(f"{path}: row {number}: {column}", value, other)
    return kept.size


def refuse_difference(what: str, kept: Any, made: Any) -> None:
    """Raise UserError for the first of nested values that is not the one that was made again."""
    if isinstance(kept, dict) and isinstance(made, dict):
        for key in sorted(kept.keys() ^ made.keys()):
            raise UserError(f"{what}: {key}: only {'kept' if key in kept else 'made again'}")
        for key, value in kept.items():
            refuse_difference(f"{what}: {key}", value, made[key])
    elif isinstance(kept, tuple) and isinstance(made, tuple) and len(kept) == len(made):
        for value, other in zip(kept, made, strict=True):
            refuse_difference(what, value, other)
    elif isinstance(kept, float) or isinstance(made, float):
        if not math.isclose(kept, made, rel_tol=TOLERANCE, abs_tol=1e-9):
            raise UserError(f"{what}: is {kept:.8g}, but the scores give {made:.8g}")
    elif kept != made:
        raise UserError(f"{what}: is {kept}, but the scores give {made}")
