"""The settings of one training run."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from online_rnnlm.config.base import (
    AboveOne,
    AtLeastOne,
    Fraction,
    Name,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    PositiveShare,
    PositiveSize,
    Seed,
    Settings,
    Share,
    Size,
)
from online_rnnlm.config.engines import ENGINES, EngineName, EngineProperties
from online_rnnlm.config.mistakes import NETWORK_NAME
from online_rnnlm.core.settings import NetworkSettings, TrainingRule, UnitOfText

CellName = Literal["sigmoid", "slow_context", "lstm"]
"""The hidden layers: modules of `core/cells/`."""

UNITS: Mapping[UnitOfText, str] = {
    "sentence": "sentence",
    "document": "article",
    "stream": "stream",
}
"""The name of each unit of text for people."""

OF_VECTOR = ("document_rate", "document_decay", "document_step", "document_gradient")
"""The settings that change nothing in a network without a document vector."""


HiddenSize = Annotated[
    Annotated[PositiveSize, Tag("units")]
    | Annotated[str, Field(pattern=NETWORK_NAME), Tag("network")],
    Discriminator(lambda written: "network" if "/" in str(written) else "units"),
]
"""A number of hidden units, or a network with a vector, such as `100/20`."""


class TrainingSettings(Settings):
    """Settings of training, each with one value."""

    hidden_size: HiddenSize = 100
    """Number of hidden units, M; or a network with a vector, such as `100/20`: the smallest number
    with which a static network of the same hidden layer has at least as many parameters."""
    cell: CellName = "sigmoid"
    """The hidden layer. `sigmoid`: the paper's simple recurrent network. `slow_context`: the same
    beside slow context units, which remember and do not learn in testing (Mikolov et al. 2015).
    `lstm`: long short-term memory."""
    context_size: PositiveSize = 20
    """`cell: slow_context`: number of slow context units, C; the output layer reads them beside the
    hidden units."""
    context_decay: Share = 0.95
    """`cell: slow_context`: share γ of a context unit's value that the next word keeps; the rest
    comes from the word."""
    document_size: Size = 0
    """Length of the document vector, D; 0: a static network."""
    document_rate: NonNegativeFloat = 0.15
    """Learning rate α of the document vector, which learns after every word in training and in
    testing."""
    unit_of_text: UnitOfText = "sentence"
    """Unit of text at whose start the document vector and the hidden state are set to 0, in
    training and in testing: every sentence, every document (an article), or the whole text.
    Documents are read in order, `batch_sentences` of them side by side. A `stream` is never reset:
    training cuts it into `batch_sentences` parts of about the same length, reads them side by side,
    and begins anew with each epoch; testing reads it from the first to the last sentence."""
    segment_tokens: Size = 0
    """Number of tokens of each document or part of a stream that an update reads; the error is
    propagated back to the first of them. 0: the next sentence."""
    document_decay: PositiveShare = 1.0
    """Share of the document vector that each of its steps keeps."""
    document_step: Literal["error", "words"] = "error"
    """The step of the document vector after a word. `error`: against the gradient of the word's
    error, the paper's idea. `words`: by the columns of V_c and V_o of the word itself, with no
    prediction taken off; so the vector is a memory of the words that were read, and learns from no
    error (docs/method.md)."""
    document_gradient: Literal["constant", "through"] = "constant"
    """Part of the updates of the document vector in the gradients of the weights. `constant`: each
    updated vector counts as a constant. `through`: the gradients go back through the updates, as in
    meta-learning (MAML, CAVIA)."""
    optimizer: Literal["adagrad", "sgd"] = "adagrad"
    """Rule that computes the updates from the gradients."""
    learning_rate: PositiveFloat = 0.2
    """Learning rate of the weights."""
    accumulator_start: PositiveFloat = 1.0
    """Initial value of AdaGrad's sums of squared gradients."""
    batch_sentences: PositiveInt = 64
    """Number of sentences per update, one from each unit of text; their errors are summed."""
    rare_class_words: Size = 0
    """Number of words of a class that its output weights (W_o and V_o) learn from at once. A batch
    has few words of a rare class: their updates are deferred until the class has so many, or
    the epoch ends (docs/method.md). 0: every batch's words at once. Only with the engines `kernel`
    and `graph`."""
    dropout: Fraction = 0.0
    """Share of the hidden units that are left out before the output layer in training, drawn anew
    for every word; the others are divided by 1 less that share. Not with `engine: jax`."""
    embedding_dropout: Fraction = 0.0
    """Share of the elements of the embeddings that are left out, likewise."""
    error_clip: NonNegativeFloat = 15.0
    """Bound on each element of the error that is propagated back to the hidden units' inputs (the
    RNNLM Toolkit's rule); 0 is no bound."""
    max_epochs: PositiveInt = 10
    """Number of epochs; `toolkit` may end training sooner."""
    rate_rule: Literal["cooldown", "toolkit"] = "cooldown"
    """Rule that lowers the learning rate and ends training. `cooldown`: the rate is constant, and
    falls linearly to 0 in the last part of training. `toolkit`, the RNNLM Toolkit's rule: once an
    epoch is no improvement, the rate is divided after it and every later one; the second such epoch
    ends training, and after an epoch that is worse it goes back to the best weights. In any case,
    the trained weights are those after the epoch that is best on `valid`."""
    cooldown: Share = 0.1
    """Share of all epochs, at the end, in which the rate of `cooldown` falls."""
    improvement_factor: AtLeastOne = 1.003
    """`toolkit`: an epoch is an improvement if the validation entropy falls by this factor."""
    rate_divisor: AboveOne = 2.0
    """`toolkit`: divisor of the learning rate when it falls."""
    engine: EngineName = Field(
        default="kernel",
        description=" ".join(f"`{name}`: {engine.description}" for name, engine in ENGINES.items()),
    )
    device: Literal["cpu", "gpu"] = "cpu"
    """Device that `engine: jax` computes on. `gpu` is an NVIDIA GPU; if there is none, the run
    fails at once."""
    precision: Literal["float32", "float64"] = "float32"
    """Floating-point type of weights and arithmetic."""


class RunSettings(TrainingSettings):
    """All settings that decide one training run; the corpus's content and the code do, too."""

    corpus: Name
    """Key of the corpus under `corpora`."""
    seed: Seed = 1
    """Seed of the initial weights and of the order of the sentences."""
    hidden_size: PositiveSize = 100
    """Number of hidden units, M."""

    @property
    def network(self) -> NetworkSettings:
        """The settings that decide the network's predictions."""
        return NetworkSettings(**self._part(NetworkSettings))

    @property
    def rule(self) -> TrainingRule:
        """The settings that decide how its weights are trained."""
        return TrainingRule(**self._part(TrainingRule))

    def _part(self, kind: type[NetworkSettings | TrainingRule]) -> dict[str, Any]:
        """Return the settings that are fields of a class of `core`."""
        return {field.name: getattr(self, field.name) for field in fields(kind)}

    @property
    def unused(self) -> frozenset[str]:
        """Names of the settings that change nothing in this run, whatever their values."""
        unused = set()
        if not self.document_size:
            unused |= {*OF_VECTOR}
        if self.cell != "slow_context":
            unused |= {"context_size", "context_decay"}
        if self.optimizer != "adagrad":
            unused |= {"accumulator_start"}
        if self.unit_of_text == "sentence":
            unused |= {"segment_tokens"}
        cools = self.rate_rule == "cooldown"
        unused |= {"improvement_factor", "rate_divisor"} if cools else {"cooldown"}
        return frozenset(unused)

    def without_unused(self, undecided: Container[str] = ()) -> RunSettings:
        """Return the settings with the default value of each that changes nothing.

        `undecided` are settings that a search is still to choose: those of an optimizer or a
        rule that it may choose are kept.
        """
        kept = {"accumulator_start"} if "optimizer" in undecided else set()
        if "rate_rule" in undecided:
            kept |= {"cooldown", "improvement_factor", "rate_divisor"}
        own = RunSettings.model_fields
        return self.model_copy(update={key: own[key].default for key in self.unused - kept})

    @model_validator(mode="after")
    def _go_together(self) -> RunSettings:
        for lack in self._lacking_in(ENGINES[self.engine]):
            able = [
                f"`engine: {name}`"
                for name, engine in ENGINES.items()
                if lack not in self._lacking_in(engine)
            ]
            raise ValueError(f"{lack} needs {' or '.join(able)}, not `engine: {self.engine}`")
        return self

    def _lacking_in(self, engine: EngineProperties) -> Iterator[str]:
        """Yield the settings with which an engine cannot train, such as `cell: lstm`."""
        if not engine.has_cell(self.cell):
            yield f"`cell: {self.cell}`"
        if self.device not in engine.devices:
            yield f"`device: {self.device}`"
        for key in engine.only_default:
            value = getattr(self, key)
            if value != RunSettings.model_fields[key].default and key not in self.unused:
                yield f"`{key}: {value}`"
