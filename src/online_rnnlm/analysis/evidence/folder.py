"""A folder of evidence, and the checksums of its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory


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
