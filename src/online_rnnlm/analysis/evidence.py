"""A small folder by which a reader checks an experiment's tables without training its networks.

The check reads `Results` from the kept scores and gives them to the code that made the tables and
the claims.
"""

from __future__ import annotations

import math
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm.analysis.results import NothingToShowError, Results, collect
from online_rnnlm.analysis.row import FinishedRow, FinishedRun, System
from online_rnnlm.analysis.significance import Pieces, pieces_of
from online_rnnlm.analysis.tables import (
    comparisons,
    equal_perplexity,
    lengths,
    other_texts,
    perplexity,
    updates,
)
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.analysis.verdicts import judge
from online_rnnlm.config.catalogue import figures_of, tables_of
from online_rnnlm.config.evaluations import evaluations_of, final_evaluation
from online_rnnlm.config.experiment import Plan, load
from online_rnnlm.config.runs import Digits
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.core.way import NONE, UnitOfText, Way
from online_rnnlm.corpora.records import SplitStatistics, Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.evaluations import Costs, Evaluation, SplitMetrics, Timings
from online_rnnlm.storage.files import replacing, sha256_of
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.runs import RunResult

TOLERANCE = 1e-6
"""The relative difference that counts as equal: scores are kept in more digits than that."""
COLUMNS = {
    **{"corpus": "category", "model": "category", "seed": "category", "evaluation": "category"},
    **{"text": "category", "piece": "int32", "tokens": "int32", "log_probability": "float64"},
}
"""The columns of `scores.parquet` and their types."""
_SIDE = ["corpus", "model", "evaluation"]
_TELL_ROWS_APART = [*_SIDE, "text", "length", "model_against", "evaluation_against"]
_MADE_AGAIN = {
    "perplexity": perplexity.make,
    "updates": updates.make,
    "other_texts": other_texts.make,
    "lengths": lengths.make,
    "comparisons": comparisons.make,
    "equal_perplexity": equal_perplexity.make,
}
"""The tables that are made again."""
_OF_SCORES = [
    *("test_perplexity", "test_perplexity_sd", "test_perplexity_against", STILL, f"{STILL}_sd"),
    *("change_percent", "interval_low_percent", "interval_high_percent"),
    *("articles", "share_percent", "test_perplexity_all"),
    *("p_value", "units", "units_low", "units_high"),
]
"""The columns of these tables that follow from the scores of the test text and of other texts."""
_TIME = "seconds_per_word"
"""The cost in a claim's record that the tables do not have for every evaluation."""
_NOT_KEPT = {
    "parameters": math.nan,
    "multiply_adds_per_word": math.nan,
    "parameters_touched_per_word": math.nan,
    "words_per_second": math.nan,
    "valid_perplexity": math.inf,  # so that it is not the best
}
"""The values of a network in an evaluation of which no table has any."""


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
        path = self.table(name, "csv")
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(("corpus", "model", "evaluation"), str),
            keep_default_na=False,
            na_values=[""],
        )
        needed = ["corpus", *columns]
        if "missing" in table:
            return pd.DataFrame(columns=needed, dtype=str)
        for column in needed:
            if column not in table:
                raise UserError(f"{path}: damaged: it has no column `{column}`")
        return table

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


def networks_of(models: pd.Series[str]) -> pd.Series[str]:
    """Return the network of each model of a table: `100/0` of `100/0 + neural cache`."""
    return models.str.replace(r" \+ .*", "", regex=True)


def write_evidence(experiment: Plan, directory: ExperimentDirectory, folder: Path) -> None:
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
        copied = [directory.configuration, directory.claims, directory.timings]
        copied += [
            directory.table(table.name, kind)
            for table in tables_of(experiment)
            for kind in ("csv", "md")
        ]
        copied += [directory.figure(figure.name, "svg") for figure in figures_of(experiment)]
        for path in copied:
            if not path.is_file():
                raise UserError(f"{path}: missing: run the experiment first")
            copy = made.path / path.relative_to(directory.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        scores = pd.concat(_scores(results), ignore_index=True).astype(COLUMNS)
        scores.to_parquet(made.scores, index=False, compression="zstd")
        made.write_sums(file for file in made.path.rglob("*") if file.is_file())
        check_evidence(made.path)
        if folder.is_dir():
            folder.rename(Path(temporary) / "before")
        made.path.rename(folder)


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
    tested += [
        (system.corpus, system.by_seed[0].run, system.name, "", NONE) for system in results.rivals
    ]
    pieces_of_texts = {
        (corpus, text): results.pieces(corpus, unit, text)
        for corpus in results.corpora
        for text, unit in kept_for.items()
    }
    for corpus, folder, model, seed, evaluation in tested:
        for text in kept_for:
            scores = results.sentence_scores(folder, evaluation, text)
            if scores.empty:  # it diverged on that text of another kind
                continue
            pieces = pieces_of_texts[corpus, text]
            yield pd.DataFrame(
                {
                    "corpus": corpus,
                    "model": model,
                    "seed": seed,
                    "evaluation": evaluation,
                    "text": text,
                    "piece": np.arange(pieces.count),
                    "tokens": pieces.sums(scores["tokens"].to_numpy()),
                    "log_probability": pieces.sums(scores["log_probability"].to_numpy()),
                }
            )


@dataclass(frozen=True)
class KeptResults(Results):
    """An experiment's results as far as its evidence has them.

    Test perplexities are those of the kept scores. Costs and valid perplexities are the means over
    the seeds in the tables, for each seed. What is not kept is NaN.
    """

    scores: Mapping[tuple[str, str], Mapping[str, pd.DataFrame]]
    """`tokens` and `log_probability` of the pieces of each text, by run and evaluation."""

    def sentence_scores(self, run: str, evaluation: str, text: str = "test") -> pd.DataFrame:
        """The `tokens` and the `log_probability` of each piece of a text."""
        return self.scores[run, evaluation][text]

    def pieces(self, corpus: str, kept_for: UnitOfText, text: str = "test") -> Pieces:
        """The kept pieces themselves, or blocks of them where shuffled sentences are kept."""
        count = len(self.sentence_scores(self.rows_on(corpus)[0].first.name, NONE, text))
        if not self.is_in_order(corpus, text):
            return pieces_of(np.zeros(count, np.int32), kept_for, in_order=False)
        are_articles = count == self.corpora[corpus].splits[text].documents
        return Pieces("article" if are_articles else "block", np.arange(count))


def read_results(evidence: EvidenceFolder) -> KeptResults:
    """Read what the evidence has of an experiment's results.

    Records have only what is kept: to read anything else of them raises AttributeError.
    """
    experiment = load(evidence.configuration)
    if not isinstance(experiment, Plan):  # kept before the names of folders had digits
        experiment = Plan.of(experiment, Digits(core="", corpora={}))
    rivals_of = rivals_of_corpora(experiment)
    folders = {
        (run.settings.corpus, run.model, str(run.settings.seed)): run.name
        for run in experiment.runs()
    }
    for folder, (corpus, _, rival) in rivals_of.items():
        folders[corpus, rival.title, ""] = folder
    scores: dict[tuple[str, str], dict[str, pd.DataFrame]] = defaultdict(dict)
    keys = ["corpus", "model", "seed", "evaluation", "text"]
    for key, pieces in pd.read_parquet(evidence.scores).groupby(keys, observed=True, sort=False):
        corpus, model, seed, evaluation, text = map(str, key)
        scores[folders[corpus, model, seed], evaluation][text] = pieces

    values = _costs_and_valid_perplexities(evidence)
    rows: dict[tuple[str, str], list[FinishedRun]] = defaultdict(list)
    for run in experiment.runs():
        network = (run.settings.corpus, run.model)
        evaluations = {}
        for name, way in evaluations_of(run.settings, experiment.testing).items():
            if (run.name, name) in scores:
                kept = values.get((*network, name), _NOT_KEPT)
                evaluations[name] = _evaluation(name, way, kept, scores[run.name, name])
        if evaluations:
            main = final_evaluation(run.settings.document_size)
            end = RunResult.model_construct(
                parameters=int(values[*network, main]["parameters"]),
                training_multiply_adds_per_word=math.nan,
                words_per_second=math.nan,
            )
            rows[network].append(FinishedRun(run, end, evaluations))
    rivals = []
    for folder, (corpus, _, rival) in rivals_of.items():
        kept = values[corpus, rival.title, NONE]
        tested = _evaluation(NONE, rival.name, kept, scores[folder, NONE])
        rivals.append(System(corpus, [tested], int(kept["parameters"]), rival=rival))
    return KeptResults(
        experiment=experiment,
        directory=evidence,
        rows=[FinishedRow(tuple(runs)) for runs in rows.values()],
        candidates=(),
        missing=(),
        rivals=rivals,
        corpora=_statistics(evidence),
        timings=records.read(Timings, evidence.timings).timings,
        scores=scores,
    )


def _costs_and_valid_perplexities(
    evidence: EvidenceFolder,
) -> dict[tuple[str, str, str], dict[str, float]]:
    """Read the values of networks and rivals by corpus, network and evaluation."""
    # The words per second of the table of perplexities are those of training.
    tables = [evidence.read_table("perplexity", *_SIDE).drop(columns="words_per_second")]
    if evidence.table("updates", "csv").is_file():
        tables.insert(0, evidence.read_table("updates", *_SIDE))
    table = pd.concat(tables, ignore_index=True)
    table["model"] = networks_of(table["model"])
    # Ways to learn have as many parameters as the network by itself.
    table["parameters"] = table["parameters"].fillna(
        table.groupby(["corpus", "model"])["parameters"].transform("first")
    )
    table = table.drop_duplicates(_SIDE).set_index(_SIDE).reindex(columns=[*_NOT_KEPT])
    values: dict[Any, Any] = table.fillna(_NOT_KEPT).to_dict("index")
    return values


def _evaluation(
    name: str, way: Way | str, values: Mapping[str, float], scores: Mapping[str, pd.DataFrame]
) -> Evaluation:
    """Make an evaluation's record of what is kept; `way` may name a rival, `scores` are by text."""
    perplexities = {
        text: math.exp(-pieces["log_probability"].sum() / pieces["tokens"].sum())
        for text, pieces in scores.items()
    }
    splits = {
        split: SplitMetrics.model_construct(
            perplexity=reached,
            perplexity_without_unk=math.nan,
            words_per_second=values["words_per_second"],
        )
        for split, reached in (perplexities | {"valid": values["valid_perplexity"]}).items()
    }
    costs = Costs.model_construct(
        multiply_adds_per_word=values["multiply_adds_per_word"],
        parameters_touched_per_word=values["parameters_touched_per_word"],
    )
    return Evaluation.model_construct(
        evaluation=name, way=way if isinstance(way, Way) else None, costs=costs, splits=splits
    )


def _statistics(evidence: EvidenceFolder) -> dict[str, Statistics]:
    """Read the sizes of the texts by corpus."""
    table = evidence.read_table("corpora", "split", "documents", "sentences", "tokens", "oov_rate")
    corpora: dict[str, dict[str, SplitStatistics]] = defaultdict(dict)
    for row in table.to_dict("records"):
        corpora[row["corpus"]][row["split"]] = SplitStatistics.model_construct(
            documents=int(row["documents"]),
            sentences=int(row["sentences"]),
            tokens=int(row["tokens"]),
            oov_rate=row["oov_rate"],
        )
    return {
        corpus: Statistics.model_construct(corpus=corpus, splits=splits)
        for corpus, splits in corpora.items()
    }


def check_evidence(folder: Path) -> int:
    """Compute all claims and all test perplexities of the tables again; return how many there are.

    The code that made them makes them from the kept scores: the claims from their sides, which were
    chosen on `valid`, to their verdicts, and the changes and intervals in the tables. The settings
    in the table `choices` must have the lowest perplexity on `valid` of all that were tried. Of all
    else in a table only the checksum is checked.
    Raises UserError, with the file and both values, for the first that differs, and for files that
    are missing, damaged or changed.
    """
    evidence = EvidenceFolder(folder)
    evidence.refuse_changes()
    results = read_results(evidence)
    checked = _check_claims(evidence, results) + _check_choices(evidence)
    for name, make in _MADE_AGAIN.items():
        if evidence.table(name, "csv").is_file():
            try:
                table = make(results)
                made = table.data if table.tidy is None else table.tidy
            except NothingToShowError:
                made = pd.DataFrame(columns=_SIDE)
            checked += _check_table(evidence, name, made)
    if evidence.table("mixtures", "csv").is_file():
        checked += _check_table(evidence, "mixtures", _mixtures(results))
    return checked


def _mixtures(results: Results) -> pd.DataFrame:
    """What is kept of mixtures: the perplexity of each network by itself, and with all rivals."""
    return pd.DataFrame(
        {
            "corpus": row.corpus,
            "model": row.label,
            "test_perplexity": row.perplexity("test").mean,
            "test_perplexity_all": row.perplexity("test", MIXTURE).mean,
        }
        for row in results.rows
        if MIXTURE in row.evaluations
    )


def _check_table(evidence: EvidenceFolder, name: str, made: pd.DataFrame) -> int:
    """Check what a table has of the scores; return the number of values."""
    kept = evidence.read_table(name, "model")
    path = evidence.table(name, "csv")
    keys = [key for key in _TELL_ROWS_APART if key in kept and key in made]
    columns = [column for column in _OF_SCORES if column in kept and column in made]
    values = made.drop_duplicates(keys).set_index(keys)[columns].to_dict("index")
    checked = 0
    for row in kept.to_dict("records"):
        key = tuple(row[column] for column in keys)
        what = f"{path}: {', '.join(key)}"
        if key not in values:
            raise UserError(f"{what}: the evidence has no scores of it")
        for column in columns:
            if not (pd.isna(row[column]) and pd.isna(values[key][column])):
                _refuse_difference(f"{what}: {column}", row[column], values[key][column])
                checked += 1
    return checked


def _check_choices(evidence: EvidenceFolder) -> int:
    """Check that the chosen settings are the best on `valid`; return the number of choices."""
    path = evidence.table("choices", "csv")
    if not path.is_file():  # nothing was chosen
        return 0
    table = evidence.read_table("choices", "valid_perplexity", "chosen")
    table = table[table["valid_perplexity"].notna()]
    checked = 0
    for names, tried in table.groupby([*_SIDE, "seed"]):
        what = f"{path}: {', '.join(map(str, names))}: valid_perplexity of what is chosen"
        chosen = tried[tried["chosen"].astype(bool)]["valid_perplexity"].min()
        _refuse_difference(what, chosen, tried["valid_perplexity"].min())
        checked += 1
    return checked


def _check_claims(evidence: EvidenceFolder, results: Results) -> int:
    """Test and judge all claims again; return their number."""
    kept = evidence.read_claims()
    made = judge(results)
    names_kept = [(claim.letter, claim.row, claim.corpus) for claim in kept.claims]
    names_made = [(claim.letter, claim.row, claim.corpus) for claim in made.claims]
    if names_kept != names_made or kept.not_tested != made.not_tested:
        raise UserError(f"{evidence.claims}: claims {names_kept}, but tested are {names_made}")
    for claim, again in zip(kept.claims, made.claims, strict=True):
        what = f"{evidence.claims}: claim {claim.letter}, {claim.row}"
        _refuse_difference(what, claim.model_dump(), again.model_dump())
    return len(kept.claims)


def _refuse_difference(what: str, kept: Any, made: Any) -> None:
    """Raise UserError for the first of nested values that is not the one that was made again."""
    if isinstance(kept, dict) and isinstance(made, dict):
        for key, value in kept.items():
            if made[key] is not None or key != _TIME:  # the evidence has it
                _refuse_difference(f"{what}: {key}", value, made[key])
    elif isinstance(kept, tuple) and isinstance(made, tuple) and len(kept) == len(made):
        for value, other in zip(kept, made, strict=True):
            _refuse_difference(what, value, other)
    elif isinstance(kept, float) or isinstance(made, float):
        if not math.isclose(kept, made, rel_tol=TOLERANCE, abs_tol=1e-9):
            raise UserError(f"{what}: is {kept:.8g}, but the scores give {made:.8g}")
    elif kept != made:
        raise UserError(f"{what}: is {kept}, but the scores give {made}")
