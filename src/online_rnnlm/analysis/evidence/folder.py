"""A folder of evidence: its files, and the checksums by which it is complete and unchanged."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory, File

_SCORES = {
    "evaluation": "category",
    "text": "category",
    "piece": "int32",
    "tokens": "int32",
    "log_probability": "float64",
}
"""The columns of `scores.parquet`, and their types."""


TestedText: TypeAlias = tuple[str, str]
"""The name of an evaluation, and of a text that is tested in it."""


class EvidenceFolder(ExperimentDirectory):
    """A folder of evidence, such as `docs/evidence/paper`.

    Its files lie in it as among an experiment's results; the scores and the checksums are its own.
    """

    sums = File("SHA256SUMS")

    def scores_of(self, run: str) -> Path:
        """The log-probability of every piece of the tested texts, for each evaluation of a run.

        Pieces are articles; of shuffled text they are sentences, and of text in order whose
        articles are not known, blocks of sentences.
        """
        return self.evaluations(run) / "scores.parquet"

    def read_scores(self, run: str) -> dict[TestedText, pd.DataFrame]:
        """Read the `tokens` and the `log_probability` of the pieces of each text of a run."""
        texts = pd.read_parquet(self.scores_of(run)).groupby(["evaluation", "text"], observed=True)
        return {(str(evaluation), str(text)): pieces for (evaluation, text), pieces in texts}

    def write_scores(self, run: str, texts: Mapping[TestedText, pd.DataFrame]) -> None:
        """Write the scores of a run's texts, as `read_scores` reads them."""
        tables = [
            pieces.assign(evaluation=evaluation, text=text, piece=range(len(pieces)))
            for (evaluation, text), pieces in texts.items()
        ]
        table = pd.concat([one[[*_SCORES]].astype(_SCORES) for one in tables], ignore_index=True)
        with replacing(self.scores_of(run)) as temporary:
            table.to_parquet(temporary, index=False, compression="zstd")

    def copy_from(self, directory: ExperimentDirectory, files: Iterable[Path]) -> None:
        """Copy files of an experiment's results to their places here.

        Raises UserError if one is missing.
        """
        for file in files:
            if not file.is_file():
                raise UserError(f"{file}: missing: run the experiment first")
            copy = self.path / file.relative_to(directory.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with replacing(copy) as temporary:
                shutil.copyfile(file, temporary)

    def files(self) -> set[Path]:
        """The files that are there, but for the checksums."""
        return {file for file in self.path.rglob("*") if file.is_file()} - {self.sums}

    def write_sums(self) -> None:
        """Write the checksums of the files that are there, by which the folder is complete."""
        names = {file.relative_to(self.path).as_posix(): sha256_of(file) for file in self.files()}
        lines = [f"{digest}  {name}\n" for name, digest in sorted(names.items())]
        with replacing(self.sums) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")

    def refuse_changes(self) -> None:
        """Raise UserError unless the folder has the files that were written, and no others."""
        try:
            lines = self.sums.read_text(encoding="utf-8").splitlines()
            pairs = [line.split("  ", 1) for line in lines]
            sums = {self.path / name: digest for digest, name in pairs}
        except (OSError, ValueError):  # UnicodeDecodeError is among them
            raise UserError(f"{self.sums}: not readable: this is no folder of evidence") from None
        there = self.files()
        for file in sorted({*sums, self.claims, self.configuration} - there):
            raise UserError(f"{file}: missing")
        for file in sorted(there - {*sums}):
            raise UserError(f"{file}: {self.sums.name} does not list it")
        for file, digest in sums.items():
            if sha256_of(file) != digest:
                raise UserError(f"{file}: its checksum is not the one in {self.sums.name}")
