"""The files of a folder of evidence, and their checksums."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Claim, Claims, UntestedClaim

COLUMNS = {
    **{"corpus": "category", "model": "category", "seed": "category", "evaluation": "category"},
    **{"piece": "int32", "tokens": "int32", "log_probability": "float64"},
}
"""The columns of `scores.parquet` and their types."""


def networks_of(models: pd.Series[str]) -> pd.Series[str]:
    """Return the network of each model of a table: `100/0` of `100/0 + neural cache`."""
    return models.str.replace(r" \+ .*", "", regex=True)


class EvidenceFolder(ExperimentDirectory):
    """A folder of evidence, such as `docs/evidence/comparison`.

    Configuration, claims, tables and figures lie in it as among an experiment's results.
    """

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

    def read_table(self, name: str, *columns: str) -> pd.DataFrame:
        """Read a table, in which names are texts, such as a corpus `01` or `null`.

        It has no rows if it only says that nothing has finished. Raises UserError if it lacks one
        of the columns.
        """
        path, names = self.table(name, "csv"), ("corpus", "model", "evaluation")
        try:
            table = pd.read_csv(
                path, dtype=dict.fromkeys(names, str), keep_default_na=False, na_values=[""]
            )
        except ValueError:
            raise UserError(f"{path}: damaged: it is no table") from None
        if "missing" in table:
            return table.iloc[:0]
        lacking = [name for name in ("corpus", "model", *columns) if name not in table]
        if lacking:
            raise UserError(f"{path}: damaged: it has no column `{lacking[0]}`")
        return table

    def read_claims(self) -> tuple[Claim, ...]:
        """Read the claims that were tested."""
        return records.read(Claims, self.claims).claims

    def read_untested_claims(self) -> tuple[UntestedClaim, ...]:
        """Read the claims that could not be tested."""
        return records.read(Claims, self.claims).not_tested

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
        shown = (self.table("any", "csv").parent, self.figure("any", "svg").parent)
        return file in self._always or file.parent in shown

    @property
    def _always(self) -> tuple[Path, ...]:
        return self.sums, self.scores, self.claims, self.configuration

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
