"""The records of evaluations and timings, and the readers of the log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from online_rnnlm.config.evaluations import decisive_settings
from online_rnnlm.config.plan import Plan
from online_rnnlm.core.adaptation import Adaptation
from online_rnnlm.errors import UserError
from online_rnnlm.storage import records
from online_rnnlm.storage.files import check
from online_rnnlm.storage.paths import ExperimentDirectory
from online_rnnlm.storage.records import Digest, Number, Part, Record
from online_rnnlm.storage.runs import Machine


class Costs(Part):
    """The mean costs of a token in an evaluation, counted from the equations."""

    parameters_touched_per_word: float = Field(ge=0)
    """Number of values that learning changes per token; for a document vector, its length."""
    multiply_adds_per_word: float = Field(ge=0)
    """Multiply-adds per token, learning included."""


class SplitMetrics(Part):
    """The metrics of one split."""

    sentences: int
    """Number of sentences."""
    tokens: int
    """Number of tokens; a sentence's `</s>` is one."""
    perplexity: float
    """Perplexity over all tokens, `</s>` and `<unk>` included."""
    perplexity_without_unk: float
    """Perplexity over all tokens except `<unk>`."""
    oov_rate: float
    """Share of the words, without `</s>`, that are `<unk>`."""
    words_per_second: float
    """Number of tokens scored per second."""


class Trial(Part):
    """A combination of settings that was tried on `valid`."""

    settings: dict[str, Number]
    """The settings by name: `learning_rate` and `document_rate` of what learns; `window`, `theta`,
    `weight` of a cache; `learning_rate`, `decay`, `epsilon`, `tokens` of dynamic evaluation."""
    valid_perplexity: float | None
    """Perplexity of `valid` with these settings; `null` if the model diverged."""


class Mixture(Part):
    """Some parts of a mixture, with the weights that are best for them on `valid`."""

    weights: dict[str, float]
    """The weight of each part, by name."""
    valid_perplexity: float
    """Perplexity of `valid`."""
    test_perplexity: float
    """Perplexity of `test`."""


TestedWith = dict[str, int | tuple[float, ...] | tuple[str, ...]]


class Evaluation(Record):
    """The metrics of one evaluation; written last, when all its other files are complete.

    An evaluation that has failed has a reason and no metrics; its other files are there, but empty.
    """

    missing: ClassVar = "the run has no such evaluation yet: run the experiment first"

    run: str
    """Name of the run, or of the n-gram model."""
    identity: Digest
    """Identity of the run, or sha256 of the n-gram model's name and corpus."""
    evaluation: str
    """Name of the evaluation."""
    adaptation: Adaptation | None = None
    """The adaptation that is tested; `null` for a rival. Rates that are `null` are chosen on
    `valid`."""
    tested_with: TestedWith = Field(default={})
    """The settings of `testing` that decide its scores; `parts` are those of a mixture."""
    curve: tuple[Trial, ...] = ()
    """All settings that were tried on `valid`."""
    files: dict[str, Digest]
    """sha256 of the evaluation's other files, by name."""
    reason: str = ""
    """If the run, or what learns during testing, has diverged, a line that names the failure and
    what can be tried; else empty."""
    costs: Costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=0)
    """Mean costs of a token of `test`; 0 if the evaluation has failed."""
    parameters: int | None = None
    """Number of an n-gram model's parameters; `null` for a run."""
    chosen: dict[str, Number] = Field(default={})
    """The settings that are best on `valid`, by name as in `curve`, or the weights of a mixture's
    parts; empty if no setting was chosen."""
    mixtures: tuple[Mixture, ...] = ()
    """Only of the evaluation `mixture`: the network with each other part alone, and all parts
    without each."""
    splits: dict[str, SplitMetrics] = Field(default={})
    """The metrics by split, texts of another kind among them, but for those on which what learns
    diverged; only the evaluations `none` and `document_vector` of a run include `train`."""


class Timing(Part):
    """The time that a network takes to score the beginning of `test` in one of its evaluations."""

    corpus: str
    """The corpus."""
    network: str
    """The row's name in tables; its first seed's run is timed."""
    evaluation: str
    """Name of the evaluation; what it has chosen on `valid` for this run is used."""
    tokens: int | None = None
    """Number of tokens that were scored, the first of `test`; `null`: all of them."""
    seconds_per_word: tuple[float, ...]
    """Time per token, one value for each round (s): processor time, or, on a GPU or by
    Theano, the time that passed."""


class Timings(Record):
    """The time that the networks take to score the same text, one after the other, round by round.

    A round times every network once in each evaluation, so that other load slows all alike. Each
    set of updated parts is timed once, with the first entries of `learn_after` and `unit_of_text`;
    where no weights are updated, with all of them. Mixtures are not timed.
    """

    missing: ClassVar = "the networks have not been timed yet: run the experiment first"

    machine: Machine
    """The hardware and system that all were timed on."""
    timings: tuple[Timing, ...]
    """The networks' times, in the order of the rows; of what has diverged there is none."""


def read_evaluation(path: Path) -> Evaluation:
    """Read the record of an evaluation; raises UserError if it is missing or damaged."""
    return records.read(Evaluation, path)


def refuse_other_settings(path: Path, tested: Evaluation, planned: Mapping[str, Any]) -> None:
    """Raise UserError if an evaluation was made with other settings than those planned now."""
    made = tested.model_dump(mode="json")["tested_with"]
    for key in sorted({*made, *planned}):
        if made.get(key) != planned.get(key):
            raise UserError(
                f"{path}: made with another `testing.{key}` than the configuration has: delete it, "
                "and start the experiment again"
            )


def refuse_renamed_results(directory: ExperimentDirectory, experiment: Plan) -> None:
    """Raise UserError if a renamed folder has an evaluation by other settings than those planned.

    Snakemake does not know by which settings the files of a renamed folder were made.
    """
    for run in experiment.runs():
        for name, evaluation in run.evaluations.items():
            path = directory.evaluation(run.name, name)
            if path.is_file():
                planned = decisive_settings(evaluation, run.testing)
                refuse_other_settings(path, read_evaluation(path), planned)


def token_scores(
    directory: ExperimentDirectory, name: str, evaluation: str, split: str = "test"
) -> npt.NDArray[np.float32]:
    """Read natural log P of every token of a split in order: float32 (tokens,)."""
    path = directory.token_scores(name, evaluation, split)
    check_evaluated(directory, name, evaluation, path)
    scores: npt.NDArray[np.float32] = np.load(path)
    return scores


def check_evaluated(directory: ExperimentDirectory, name: str, evaluation: str, path: Path) -> None:
    """Raise UserError if a file of an evaluation is missing or has changed since it was written."""
    record = directory.evaluation(name, evaluation)
    check(path, read_evaluation(record).files, record)
