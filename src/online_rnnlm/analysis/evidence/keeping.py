"""Keep what a reader needs to check an experiment's tables and claims."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from online_rnnlm.analysis.evidence.checking import check_evidence
from online_rnnlm.analysis.evidence.folder import EvidenceFolder
from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from online_rnnlm.config.catalogue import FIGURES, TABLES, those_of
from online_rnnlm.core.adaptation import NONE
from online_rnnlm.storage.paths import ExperimentDirectory


def write_evidence(directory: ExperimentDirectory, folder: Path) -> None:
    """Write the evidence of a finished experiment into a folder: new, empty, or of evidence.

    The folder changes only when all of it has been made and computed again. Raises UserError for
    results that are missing or do not follow from their scores, and for a folder with other files.
    """
    evidence = EvidenceFolder(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        evidence.refuse_changes()
    results = collect(directory)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        made = EvidenceFolder(Path(temporary) / "made")
        _keep(results, made)
        made.write_sums()
        check_evidence(made.path)
        _put_in_place(made.path, folder, before=Path(temporary) / "before")


def _keep(results: Results, evidence: EvidenceFolder) -> None:
    """Copy the records, tables and figures, and write the scores of the tested texts."""
    experiment = results.experiment
    directory = results.directory
    files = [directory.configuration, directory.claims, directory.timings]
    files += [results.scores.files_of(corpus).statistics for corpus in experiment.corpora]
    for table in those_of(TABLES, experiment):
        files += [directory.table(table.name, kind) for kind in ("csv", "md")]
    files += [directory.figure(figure.name, "svg") for figure in those_of(FIGURES, experiment)]
    for run in experiment.trainings():
        of_run = directory.run(run.name)
        files += [of_run.record, of_run.result]
        if of_run.metrics.is_file():  # a run that diverged before its first epoch has none
            files.append(of_run.metrics)
        if not run.searched:
            _keep_tests(run.name, run.settings.corpus, run.evaluations, results, evidence)
    for name, rival in experiment.corpus_rivals.items():
        _keep_tests(name, rival.corpus, [NONE], results, evidence)
    evidence.copy_from(directory, files)


def _keep_tests(
    name: str, corpus: str, evaluations: Iterable[str], results: Results, evidence: EvidenceFolder
) -> None:
    """Keep the records of a run's evaluations, or of a rival's, and the scores of the texts.

    Scores are kept by the smallest pieces that a test draws; larger ones are sums of these.
    """
    texts = {}
    for evaluation in evaluations:
        record = results.directory.evaluation(name, evaluation)
        evidence.copy_from(results.directory, [record])
        for text in (*results.experiment.testing.other_texts, "test"):
            sentences = results.scores.of_units(name, evaluation, text)
            if not sentences.empty:  # else what learns has diverged on the text
                pieces = results.scores.pieces(corpus, "sentence", text)
                columns = ("tokens", "log_probability")
                sums = {column: pieces.sums(sentences[column].to_numpy()) for column in columns}
                texts[evaluation, text] = pd.DataFrame(sums)
    if texts:
        evidence.write_scores(name, texts)


def _put_in_place(made: Path, folder: Path, before: Path) -> None:
    """Move what was made into a folder's place, and what is there to `before`; if this is
    interrupted, put that back."""
    try:
        if folder.is_dir():
            folder.rename(before)
        made.rename(folder)
    finally:
        if before.is_dir() and not folder.is_dir():
            before.rename(folder)
