"""A small folder by which a reader checks an experiment's tables without training its networks.

It keeps the records of runs and evaluations, and the scores of each article. The check gives them
to the code that made the tables and the claims.
"""

from __future__ import annotations

import math
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.figures.drawing import write_figure
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.analysis.scores import Scores, files_of
from online_rnnlm.analysis.significance import Pieces, pieces_of
from online_rnnlm.analysis.tables.table import make_table
from online_rnnlm.analysis.tables.writing import write_table
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.config.evaluations import evaluations_of
from online_rnnlm.config.experiment import Plan, load_plan
from online_rnnlm.core.way import NONE, UnitOfText
from online_rnnlm.corpora.records import Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.evaluations import Evaluation
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""
COLUMNS = {
    "evaluation": "category",
    "text": "category",
    "piece": "int32",
    "tokens": "int32",
    "log_probability": "float64",
}
"""The columns of a run's `scores.parquet` and their types."""


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


def keep_finished(experiment: Plan, directory: ExperimentDirectory, folder: Path) -> int:
    """Keep the runs of an experiment that have finished so far; return how many are kept in all.

    A run is kept once it has ended and, unless it is one of the search, all its evaluations have.
    Runs that the folder already keeps stay, even if their machine is lost. To go on elsewhere, copy
    its `runs` and `evaluations` into the results: searches that have ended are not repeated.
    """
    evidence = EvidenceFolder(folder)
    scores = Scores(experiment, directory)
    _copy(directory, evidence, [directory.configuration])
    for corpus in experiment.corpora:
        statistics = files_of(experiment, directory, corpus).statistics
        _copy(directory, evidence, [statistics] if statistics.is_file() else [])
    kept = 0
    for run in experiment.trainings():
        tested = {} if run.searched else evaluations_of(run.settings, experiment.testing)
        awaited = [directory.run(run.name).result]
        awaited += [directory.evaluation(run.name, name) for name in tested]
        last = evidence.scores_of(run.name) if tested else evidence.run(run.name).result
        is_kept = last.is_file()
        if not is_kept and all(record.is_file() for record in awaited):
            _keep_run(scores, evidence, run.name, run.settings.corpus, [*tested])
            is_kept = True
        kept += is_kept
    for name, trained in rivals_of_corpora(experiment).items():
        is_kept = evidence.scores_of(name).is_file()
        if not is_kept and directory.evaluation(name, NONE).is_file():
            _keep_run(scores, evidence, name, trained.corpus, [NONE])
    return kept


def finish_evidence(folder: Path) -> None:
    """Make claims, tables and figures, but those of the text, from the runs that a folder keeps.

    It is for an experiment whose runs were kept as they finished, on several machines: nobody has
    all weights and texts. `timings.json` of a machine that timed all networks must be there. Raises
    UserError for runs that are not kept yet.
    """
    evidence = EvidenceFolder(folder)
    results = kept_results(evidence)
    records.write(evidence.claims, judge(results))
    for entry in those_of(TABLES, results.experiment):
        if not entry.of_text:
            write_table(entry.name, make_table(entry, results), evidence, ("csv", "md"))
    for figure in those_of(FIGURES, results.experiment):
        if not figure.of_text:
            write_figure(figure, results, evidence, ("svg",))
    files = (file for file in folder.rglob("*") if file.is_file() and file != evidence.sums)
    evidence.write_sums(files)


def write_evidence(experiment: Plan, directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        EvidenceFolder(folder).refuse_changes()
    collect(experiment, directory)  # raises UserError if a result is missing
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        keep_finished(experiment, directory, made.path)
        tables = [
            directory.table(table.name, kind)
            for table in those_of(TABLES, experiment)
            for kind in ("csv", "md")
        ]
        figures = [directory.figure(figure.name, "svg") for figure in those_of(FIGURES, experiment)]
        _copy(directory, made, [directory.claims, directory.timings, *tables, *figures])
        made.write_sums(file for file in made.path.rglob("*") if file.is_file())
        check_evidence(made.path)
        if folder.is_dir():
            folder.rename(Path(temporary) / "before")
        made.path.rename(folder)


def _copy(directory: ExperimentDirectory, evidence: EvidenceFolder, files: Iterable[Path]) -> None:
    """Copy files of results to their places in the evidence; raises UserError if one is missing."""
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: missing: run the experiment first")
        copy = evidence.path / file.relative_to(directory.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _keep_run(
    scores: Scores, evidence: EvidenceFolder, run: str, corpus: str, tested: Sequence[str]
) -> None:
    """Copy the records of a run, or of a corpus's rival, and write the scores of its tests."""
    directory = scores.directory
    files = directory.run(run)
    # A rival has no training, and a run that diverged before its first epoch no metrics.
    of_run = [file for file in (files.record, files.metrics, files.result) if file.is_file()]
    _copy(directory, evidence, [*of_run, *(directory.evaluation(run, name) for name in tested)])
    tables = []
    other_texts = scores.experiment.testing.other_texts
    # Most tests compare models that forget at a sentence's end: theirs are the pieces kept.
    kept_for: dict[str, UnitOfText] = dict.fromkeys(other_texts, "document")
    kept_for["test"] = "sentence"
    for text, unit in kept_for.items() if tested else ():
        pieces = scores.pieces(corpus, unit, text)
        for name in tested:
            of_text = scores.of_sentences(run, name, text)
            if not of_text.empty:  # else it diverged on that text of another kind
                values = {
                    "evaluation": name,
                    "text": text,
                    "piece": np.arange(pieces.count),
                    "tokens": pieces.sums(of_text["tokens"].to_numpy()),
                    "log_probability": pieces.sums(of_text["log_probability"].to_numpy()),
                }
                tables.append(pd.DataFrame(values).astype(COLUMNS))
    if tables:
        table = pd.concat(tables, ignore_index=True)
        table.to_parquet(evidence.scores_of(run), index=False, compression="zstd")


@dataclass(frozen=True)
class KeptScores(Scores):
    """The log-probabilities that evidence keeps: those of pieces in place of sentences."""

    corpora: Mapping[str, Statistics]
    tables: Mapping[str, Mapping[str, Mapping[str, pd.DataFrame]]]
    """`tokens` and `log_probability` of the pieces, by run, evaluation and text."""
    runs: Mapping[str, str]
    """A run on each corpus, by which the pieces of its texts are counted."""

    def of_sentences(self, run: str, evaluation: str, text: str = "test") -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each piece of a text."""
        return self.tables[run][evaluation][text]

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The kept pieces themselves, or blocks of them where shuffled sentences are kept."""
        count = len(self.of_sentences(self.runs[corpus], NONE, text))
        if not self.is_in_order(corpus, text):
            return pieces_of(np.zeros(count, np.int32), kept_for, in_order=False)
        are_articles = count == self.corpora[corpus].splits[text].documents
        return Pieces("article" if are_articles else "block", np.arange(count))


def kept_results(evidence: EvidenceFolder) -> Results:
    """Read the results that the evidence holds.

    Raises UserError for records that are missing or damaged, and for perplexities in them that do
    not follow from the scores.
    """
    found = collect(load_plan(evidence.configuration), evidence)
    tested = {run.name: run.evaluations for run in found.runs}
    tested |= {rival.by_seed[0].run: {NONE: rival.by_seed[0]} for rival in found.rivals}
    tables = {run: _read_scores(evidence, run) for run in tested}
    for run, evaluations in tested.items():
        for name, record in evaluations.items():
            what = f"{evidence.scores_of(run)}: {name}"
            _refuse_other_perplexities(what, record, tables[run].get(name, {}))
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


def _refuse_other_perplexities(
    what: str, record: Evaluation, kept: Mapping[str, pd.DataFrame]
) -> None:
    """Raise UserError if a perplexity in a record does not follow from the kept scores."""
    for text in record.splits.keys() - {"train", "valid"}:
        if text not in kept:
            raise UserError(f"{what}: perplexity of {text}: no scores of it")
        scored = math.exp(-kept[text]["log_probability"].sum() / kept[text]["tokens"].sum())
        refuse_difference(f"{what}: perplexity of {text}", record.splits[text].perplexity, scored)


def check_evidence(folder: Path) -> int:
    """Make all tables and claims again; return the number of values that are the same.

    The code that made them makes them from the kept records and scores, from which test
    perplexities follow. Raises UserError, with the file and both values, for the first that
    differs, and for files that are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    results = kept_results(evidence)
    kept = records.read(Claims, evidence.claims)
    made = judge(results)
    refuse_difference(
        str(evidence.claims), by_place(kept.model_dump()), by_place(made.model_dump())
    )
    checked = len(kept.claims)
    for entry in those_of(TABLES, results.experiment):
        if not entry.of_text:
            table = make_table(entry, results)
            checked += _check_table(evidence, entry.name, table.data)
    return checked


def by_place(record: dict[str, Any]) -> dict[str, Any]:
    """Claims by what each is about, so that a difference names it."""

    def name(claim: dict[str, Any]) -> str:
        return " ".join(
            filter(
                None, ["claim", claim["letter"], claim["row"], claim["corpus"], claim.get("case")]
            )
        )

    return {
        **record,
        "claims": {name(claim): claim for claim in record["claims"]},
        "not_tested": {name(claim): claim for claim in record["not_tested"]},
    }


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
