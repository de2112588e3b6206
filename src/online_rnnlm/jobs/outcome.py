"""The data of an evaluation: the network that is tested, and the results or their failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from online_rnnlm.config.training import RunSettings
from online_rnnlm.core.parameters import Parameters
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.storage.evaluations import Costs, Mixture, Trial
from online_rnnlm.storage.records import Number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """The result of one evaluation, by split."""

    log_probabilities: Mapping[str, Floats]
    """(tokens,): natural log P of every token, in order."""
    seconds: Mapping[str, float]
    """Duration of the scoring."""
    costs: Costs
    """Mean costs of a token of `test`."""
    chosen: Mapping[str, Number] = field(default_factory=dict)
    """The settings that are best on `valid`; empty if no setting was chosen."""
    curve: Sequence[Trial] = ()
    """All settings that were tried on `valid`."""
    parameters: int | None = None
    """Number of parameters of an n-gram model; None for a run."""
    document_vectors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """(sentences, D): d after every sentence's last word."""
    mixtures: Sequence[Mixture] = ()
    """Smaller mixtures of the same parts, for a mixture."""


class Failure(NamedTuple):
    """The result of an evaluation without scores: run or test diverged."""

    reason: str
    """One line that names what failed and what can be tried."""
    curve: Sequence[Trial] = ()
    """All settings that were tried on `valid`."""
    document_vectors: Mapping[str, NDArray[Any]] = {}
    """(0, D), if scores would come with vectors."""
    log_probabilities: Mapping[str, Floats] = {}
    """Nothing."""


@dataclass(frozen=True)
class Network:
    """A trained network and the corpus that it is tested on."""

    name: str
    settings: RunSettings
    corpus: Corpus
    weights: Parameters
