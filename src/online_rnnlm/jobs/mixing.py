"""The test of a mixture, from the scores that its parts' evaluations have left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.errors import UserError
from online_rnnlm.jobs.outcome import Failure, Floats, Outcome
from online_rnnlm.rivals import NETWORK, mixed_rivals, parts_of
from online_rnnlm.rivals.base import ComposedRival, MixedRival, Rival
from online_rnnlm.storage.evaluations import (
    Costs,
    DivergedEvaluation,
    Evaluation,
    read_evaluation,
    token_scores,
)
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory
from online_rnnlm.storage.runs import RunRecord


def composed(
    experiment: ExperimentDirectory,
    run: RunRecord,
    rival: ComposedRival,
    testing: TestingSettings,
) -> Outcome | Failure:
    """Score all texts with a rival that is composed of a run's other evaluations.

    A text of another kind on which one of these diverged is left out. If one of them failed, the
    result is a Failure. Raises UserError for files that are missing or damaged.
    """
    rivals = {mixed.name: mixed for mixed in mixed_rivals([rival.name], testing)}
    places = parts_of(run, rival.name, testing)
    found: dict[str, Evaluation] = {}
    for part, place in places.items():
        tested = read_evaluation(experiment, *place)
        if tested is None:
            raise UserError(f"{experiment.evaluation(*place)}: missing: make this evaluation first")
        if isinstance(tested, DivergedEvaluation):
            reason = f"{run.name}, {rival.name}: its part {part} is missing: {tested.reason}"
            return Failure(reason)
        found[part] = tested
    tested_on = set.intersection(*({*part.splits} for part in found.values()))
    texts = [text for text in (*HELD_OUT, *testing.other_texts) if text in tested_on]
    scores: dict[str, dict[str, Floats]] = {
        split: {
            part: token_scores(experiment, *place, split).astype(np.float64)
            for part, place in places.items()
        }
        for split in texts
    }
    rival.fit(scores["valid"])
    logs = {split: rival.score(parts) for split, parts in scores.items()}
    seconds = {split: _seconds_in_all(found, rivals, split) for split in texts}
    return Outcome(
        logs,
        seconds,
        _costs(found, rivals),
        chosen=rival.chosen,
        mixtures=rival.smaller(scores["valid"], scores["test"]),
    )


def _seconds(part: Evaluation, split: str) -> float:
    return part.splits[split].tokens / part.splits[split].words_per_second


def _seconds_in_all(found: dict[str, Evaluation], rivals: dict[str, Rival], split: str) -> float:
    """Add up the parts' times; at least the network's, since times are noisy."""
    added = _in_all(found, rivals, lambda part: _seconds(part, split))
    return max(added, _seconds(found[NETWORK], split))


def _costs(found: dict[str, Evaluation], rivals: dict[str, Rival]) -> Costs:
    """Add up the parts' costs, and one multiply-add for each part's weight."""
    adds = _in_all(found, rivals, lambda part: part.costs.multiply_adds_per_word) + len(found)
    touched = max(part.costs.parameters_touched_per_word for part in found.values())
    return Costs(parameters_touched_per_word=touched, multiply_adds_per_word=adds)


def _in_all(
    found: dict[str, Evaluation], rivals: dict[str, Rival], cost: Callable[[Evaluation], float]
) -> float:
    """Add up a cost of all parts, the network's once: that of a `MixedRival` contains it."""
    network = cost(found[NETWORK])
    again = sum(isinstance(rival, MixedRival) for rival in rivals.values())
    return sum(map(cost, found.values())) - again * network
