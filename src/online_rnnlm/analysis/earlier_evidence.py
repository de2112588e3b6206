"""The check of evidence of earlier experiments, of which no records were kept.

It goes when those folders in docs/evidence do. Records are made of what the tables have, and hold
nothing else.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd

from online_rnnlm.analysis.claims import judge
from online_rnnlm.analysis.evidence import (
    EvidenceFolder,
    KeptResults,
    by_place,
    networks_of,
    refuse_difference,
)
from online_rnnlm.analysis.results import NothingToShowError, Results, row_of
from online_rnnlm.analysis.row import FinishedRun, System
from online_rnnlm.analysis.tables import (
    comparisons,
    equal_perplexity,
    lengths,
    other_texts,
    perplexity,
    updates,
)
from online_rnnlm.analysis.tables.perplexity import STILL
from online_rnnlm.config.evaluations import evaluations_of, final_evaluation
from online_rnnlm.config.experiment import Plan, load
from online_rnnlm.config.runs import Digits
from online_rnnlm.config.testing import MIXTURE
from online_rnnlm.core.way import NONE, Way
from online_rnnlm.corpora.records import SplitStatistics, Statistics
from online_rnnlm.errors import UserError
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.claims import Claims
from online_rnnlm.storage.evaluations import Costs, Evaluation, SplitMetrics, Timings
from online_rnnlm.storage.runs import RunResult

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
_NOT_KEPT = {
    "parameters": math.nan,
    "multiply_adds_per_word": math.nan,
    "parameters_touched_per_word": math.nan,
    "words_per_second": math.nan,
    "valid_perplexity": math.inf,  # so that it is not the best
}
"""The values of a network in an evaluation of which no table has any."""


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
        rivals.append(
            System(
                corpus=corpus,
                title=rival.title,
                by_seed=[tested],
                parameters=int(kept["parameters"]),
                rival=rival,
            )
        )
    timings = records.read(Timings, evidence.timings).timings
    return KeptResults(
        experiment=experiment,
        directory=evidence,
        rows=[row_of(runs, experiment, rivals, timings) for runs in rows.values()],
        candidates=(),
        missing=(),
        rivals=rivals,
        corpora=_statistics(evidence),
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


def check_earlier_evidence(evidence: EvidenceFolder) -> int:
    """Compute all claims and all test perplexities of the tables again; return how many there are.

    The settings in the table `choices` must have the lowest perplexity on `valid` of all that were
    tried. Of all else in a table only the checksum is checked. Raises UserError for the first value
    that differs.
    """
    results = read_results(evidence)
    checked = _check_claims(evidence, results) + _check_choices(evidence)
    for name, make in _MADE_AGAIN.items():
        if evidence.table(name, "csv").is_file():
            try:
                table = make(results)
                made = table.csv_data
            except NothingToShowError:
                made = pd.DataFrame(columns=_SIDE)
            checked += _check_table(evidence, name, made)
    if evidence.table("mixtures", "csv").is_file():
        checked += _check_table(evidence, "mixtures", _mixtures(results))
    return checked


def _mixtures(results: Results) -> pd.DataFrame:
    """The perplexities of each network by itself, and with all rivals mixed in."""
    return pd.DataFrame(
        {
            "corpus": row.corpus,
            "model": row.label,
            "test_perplexity": row.main.perplexity().mean(),
            "test_perplexity_all": row.sides[MIXTURE].perplexity().mean(),
        }
        for row in results.rows
        if MIXTURE in row.sides
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
                refuse_difference(f"{what}: {column}", row[column], values[key][column])
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
        refuse_difference(what, chosen, tried["valid_perplexity"].min())
        checked += 1
    return checked


def _check_claims(evidence: EvidenceFolder, results: Results) -> int:
    """Test and judge all claims again; return their number."""
    kept = records.read(Claims, evidence.claims)
    made = judge(results)
    refuse_difference(
        str(evidence.claims),
        by_place(kept.model_dump(exclude={"settings"})),
        by_place(made.model_dump(exclude={"settings"})),
    )
    return len(kept.claims)
