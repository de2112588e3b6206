"""The files of a folder of evidence, and their checksums."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import replacing, sha256_of

COLUMNS = {
    **{"corpus": "category", "model": "category", "seed": "category", "evaluation": "category"},
    **{"piece": "int32", "tokens": "int32", "log_probability": "float64"},
}
"""The columns of `scores.parquet` and their types."""


@dataclass(frozen=True)
class EvidenceFolder:
    """A folder of evidence, such as `docs/evidence/comparison`."""

    path: Path

    @property
    def sums(self) -> Path:
        """The sha256 of every other file, in the format of `sha256sum`."""
        return self.path / "SHA256SUMS"

    @property
    def scores(self) -> Path:
        """The test log-probability of every piece of text, network, seed and evaluation.

        Pieces are articles; of shuffled text they are sentences, and of text in order whose
        articles are not known, blocks of sentences.
        """
        return self.path / "scores.parquet"

    @property
    def claims(self) -> Path:
        """The claims and their verdicts."""
        return self.path / "claims.json"

    def table(self, name: str, kind: str = "csv") -> Path:
        """A table of the experiment."""
        return self.path / "tables" / f"{name}.{kind}"

    def read_sums(self) -> dict[Path, str]:
        """Read the checksums by file; raises UserError if they cannot be read."""
        try:
            lines = self.sums.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            raise UserError(f"{self.sums}: missing: this is no folder of evidence") from None
        except (OSError, UnicodeDecodeError):
            raise UserError(f"{self.sums}: cannot be read as text") from None
        found = {}
        for number, line in enumerate(lines, start=1):
            digest, separator, name = line.partition("  ")
            if not separator:
                raise UserError(f"{self.sums}: line {number}: a checksum and a name are needed")
            found[self.path / name] = digest
        return found

    def write_sums(self, files: Iterable[Path]) -> None:
        """Write the checksums of these files, by which the folder is complete."""
        names = {file.relative_to(self.path).as_posix(): sha256_of(file) for file in files}
        with replacing(self.sums) as temporary:
            lines = [f"{digest}  {name}\n" for name, digest in sorted(names.items())]
            temporary.write_text("".join(lines), encoding="utf-8")

    def is_own(self, file: Path) -> bool:
        """True if a file of the folder has a name that evidence has."""
        parts = file.relative_to(self.path).parts
        return file in self._always or (parts[0] in ("tables", "figures") and len(parts) == 2)

    @property
    def _always(self) -> tuple[Path, ...]:
        return self.sums, self.scores, self.claims, self.path / "config.json"

    def refuse_changes(self) -> None:
        """Raise UserError unless the folder has the files that were written, and no others."""
        sums = self.read_sums()
        for file, digest in sums.items():
            if not self.is_own(file):
                raise UserError(f"{self.sums}: {file.name}: no file of evidence")
            if not file.is_file():
                raise UserError(f"{file}: missing")
            if sha256_of(file) != digest:
                raise UserError(f"{file}: its checksum is not the one in {self.sums.name}")
        there = {file for file in self.path.rglob("*") if file.is_file()}
        for file in sorted({*there, *self._always} - {*sums, self.sums}):
            raise UserError(f"{file}: {self.sums.name} does not list it")
