"""The files of a folder of evidence: their checksums, tables, claims and scores."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from online_rnnlm.analysis.comparison import Scores
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory

COLUMNS = {
    **{"corpus": "category", "model": "category", "seed": "category", "evaluation": "category"},
    **{"text": "category", "piece": "int32", "tokens": "int32", "log_probability": "float64"},
}
"""The columns of `scores.parquet` and their types."""
_KEYS = ["corpus", "model", "evaluation", "text"]


def networks_of(models: pd.Series[str]) -> pd.Series[str]:
    """Return the network of each model of a table: `100/0` of `100/0 + neural cache`."""
    return models.str.replace(r" \+ .*", "", regex=True)


class EvidenceFolder(ExperimentDirectory):
    """A folder of evidence, such as `docs/evidence/paper`.

    Configuration, claims, tables and figures lie in it as among an experiment's results.
    """

    @property
    def sums(self) -> Path:
        """The sha256 of every other file, in the format of `sha256sum`."""
        return self.path / "SHA256SUMS"

    @property
    def scores(self) -> Path:
        """The log-probability of every piece of a tested text, network, seed and evaluation.

        Pieces are articles; of shuffled text they are sentences, and of text in order whose
        articles are not known, blocks of sentences.
        """
        return self.path / "scores.parquet"

    def read_claims(self) -> Claims:
        """Read the claims."""
        return records.read(Claims, self.claims)

    def read_table(self, name: str, *columns: str) -> pd.DataFrame:
        """Read a table, in which names are texts, such as a corpus `01` or `null`.

        It has no rows if it only says that nothing has finished. Raises UserError if it lacks one
        of the columns.
        """
        path, texts = self.table(name, "csv"), dict.fromkeys(("corpus", "model", "evaluation"), str)
        table = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""])
        needed = ["corpus", "model", *columns]
        if "missing" in table:
            return pd.DataFrame(columns=needed, dtype=str)
        if lacking := [name for name in needed if name not in table]:
            raise UserError(f"{path}: damaged: it has no column `{lacking[0]}`")
        return table

    def scores_of(self, corpus: str, model: str, evaluation: str, text: str = "test") -> Scores:
        """The scores of a network, or of a corpus's rival; raises UserError if there are none."""
        sought = (corpus, model, evaluation, text)
        found = self._scores.get(sought)
        if found is None:
            raise UserError(f"{', '.join(sought)}: the evidence has no scores of it")
        sums = found.groupby("seed", observed=True)[["log_probability", "tokens"]].sum()
        by_piece = found.groupby("piece")[["log_probability", "tokens"]].mean()
        entropies = sums["log_probability"] / sums["tokens"]
        return Scores(
            {str(seed): math.exp(-mean) for seed, mean in entropies.items()},
            by_piece["log_probability"].to_numpy(),
            by_piece["tokens"].to_numpy().round().astype(np.int64),
        )

    @cached_property
    def _scores(self) -> dict[tuple[str, ...], pd.DataFrame]:
        groups = pd.read_parquet(self.scores).groupby(_KEYS, observed=True, sort=False)
        return {tuple(map(str, keys)): group for keys, group in groups}

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
        for file in sorted({*sums, self.scores, self.claims, self.configuration} - there):
            raise UserError(f"{file}: missing")
        for file in sorted(there - {*sums}):
            raise UserError(f"{file}: {self.sums.name} does not list it")
        for file, digest in sums.items():
            if sha256_of(file) != digest:
                raise UserError(f"{file}: its checksum is not the one in {self.sums.name}")
