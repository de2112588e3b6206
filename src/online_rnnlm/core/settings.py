"""The settings of a network and of its training, which `config` takes from a user's configuration.

The original Theano loads this file, so it keeps to Python 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnitOfText = Literal["sentence", "document", "stream"]


@dataclass(frozen=True)
class NetworkSettings:
    """The settings that decide what a network predicts, beside its weights and its vocabulary.

    `config.training.RunSettings` describes each.
    """

    hidden_size: int
    """M."""
    cell: str
    """Name of the hidden layer's kind, a module of `cells`."""
    context_size: int
    """Number of slow context units in the cell `slow_context`; others have none."""
    context_decay: float
    """γ, the share of a slow context unit's value that the next word keeps."""
    document_size: int
    """D; 0 for a static network."""
    document_rate: float
    """α, the learning rate of the document vector in training."""
    document_decay: float
    """The share of d that a step keeps."""
    document_step: str
    """`error`: d moves against the gradient of a word's error; `words`: by V_c and V_o alone."""
    document_gradient: str
    """Part of the updates of d in the gradients of the weights: `constant` or `through`."""
    unit_of_text: UnitOfText
    """The unit at whose start the document vector and the hidden state are 0 in training."""
    error_clip: float
    """Bound on each element of the deltas of the hidden units' inputs; 0 means no bound."""
    precision: str
    """dtype of the weights: `float32` or `float64`."""

    @property
    def context_units(self) -> int:
        """C, the number of slow context units."""
        return self.context_size if self.cell == "slow_context" else 0

    @property
    def steps_by_error(self) -> bool:
        """True if d moves against the gradient of each word's error, False if by V_c and V_o."""
        return self.document_step == "error"

    @property
    def through_updates(self) -> bool:
        """True if the gradients of the weights go back through the updates of d."""
        return self.document_size > 0 and self.document_gradient == "through"


@dataclass(frozen=True)
class TrainingRule:
    """The settings that decide how the weights are trained; `RunSettings` describes each."""

    seed: int
    optimizer: str
    """`adagrad` or `sgd`."""
    learning_rate: float
    accumulator_start: float
    """Initial value of AdaGrad's sums of squared gradients."""
    batch_sentences: int
    """Number of lanes that a batch has at most."""
    segment_tokens: int
    """Length of the stretches that units longer than a sentence are cut into; 0: sentences."""
    rare_class_words: int
    """Number of words from which a class's output weights are updated; fewer are deferred."""
    dropout: float
    embedding_dropout: float
    max_epochs: int
    rate_rule: str
    """`cooldown` or `toolkit` (`schedule`)."""
    cooldown: float
    improvement_factor: float
    rate_divisor: float

    @property
    def drops_units(self) -> bool:
        """True if units are left out in training."""
        return self.dropout > 0 or self.embedding_dropout > 0
