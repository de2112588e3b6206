"""The typed settings: sources, corpora, training, testing.

Defaults, descriptions and validation are here and nowhere else: the schema and `config/README.md`
are made from these classes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from online_rnnlm.model.sizes import Sizes

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.]*(-[a-z0-9_.]+)*$")]
PositiveInt = Annotated[int, Field(ge=1)]
NaturalInt = Annotated[int, Field(ge=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class PackagedSource(Settings):
    """Wikipedia text that arrives with a Python package from the package index."""

    kind: Literal["wikipedia-vital", "wikipedia-excerpt"] = Field(
        description="`wikipedia-vital`: lead sections of Vital Articles, one JSON file. "
        "`wikipedia-excerpt`: 206 pages of a true MediaWiki dump."
    )


class TextSource(Settings):
    """The user's own text: one file to be shuffled and split, or three ready files.

    Ready files keep their order, and no sentence is dropped for being in another of them.
    """

    kind: Literal["text"] = Field(description="Your own files.")
    file: Path | None = Field(
        default=None,
        description="One file to be split: plain text (a paragraph a line; a sentence a line if "
        "`tokenised`), or `.jsonl` with an article's text under `text`. "
        "`.gz`, `.bz2` and `.xz` are read as they are.",
    )
    train: Path | None = Field(
        default=None, description="Ready file for `train`, of the same kinds as `file`."
    )
    valid: Path | None = Field(
        default=None, description="Ready file for `valid`, of the same kinds as `file`."
    )
    test: Path | None = Field(
        default=None, description="Ready file for `test`, of the same kinds as `file`."
    )
    tokenised: bool = Field(
        default=False,
        description="The text is one sentence a line, its tokens separated by spaces: nothing is "
        "tokenised, lower-cased or dropped any more, but empty lines.",
    )

    @model_validator(mode="after")
    def _one_file_or_three(self) -> TextSource:
        ready = [self.train, self.valid, self.test]
        one = self.file is not None and not any(ready)
        three = self.file is None and all(ready)
        if not one and not three:
            raise ValueError("give either `file`, or all of `train`, `valid` and `test`")
        return self


Source = Annotated[PackagedSource | TextSource, Field(discriminator="kind")]


class VocabularySettings(Settings):
    """Which words the model knows; all others become `<unk>`."""

    min_count: PositiveInt = Field(
        default=5, description="A word is kept if it occurs at least so often in `train`."
    )
    max_size: Annotated[int, Field(ge=3)] | None = Field(
        default=None,
        description="At most so many words, the most frequent first; `<unk>` and `</s>` count.",
    )


class ClassSettings(Settings):
    """How the vocabulary is divided into word classes."""

    count: PositiveInt = Field(default=30, description="Number of word classes.")
    rule: Literal["sqrt_frequency", "frequency", "equal_size"] = Field(
        default="sqrt_frequency",
        description="What every class gets an equal share of: the square roots of the words' "
        "frequencies (the RNNLM Toolkit's rule), the frequencies, or the words.",
    )


class CorpusSettings(Settings):
    """One corpus: where its text comes from and how it is prepared."""

    source: Source = Field(description="Where the text comes from.")
    seed: NaturalInt = Field(
        default=1, description="Seed of the shuffle before the split, and of the sample."
    )
    divide_by: Literal["sentence", "article"] = Field(
        default="sentence",
        description="What is shuffled and goes to a split. `article`: articles stay whole and in "
        "order; the last one of a split is cut at its number of sentences, the rest of it is left "
        "out. In tokenised text an empty line ends an article.",
    )
    lowercase: bool = Field(default=True, description="Lower-case every token.")
    min_tokens: PositiveInt = Field(
        default=3, description="Shorter sentences are dropped as fragments."
    )
    max_tokens: PositiveInt = Field(default=100, description="Longer sentences are dropped.")
    train_sentences: PositiveInt | None = Field(
        default=None, description="Sample so many training sentences; `null`: all that remain."
    )
    valid_sentences: PositiveInt = Field(
        default=2000, description="Sentences for validation; a ready file is taken whole."
    )
    test_sentences: PositiveInt = Field(
        default=2000, description="Sentences for testing; a ready file is taken whole."
    )
    vocabulary: VocabularySettings = Field(default=VocabularySettings(), description="The words.")
    classes: ClassSettings = Field(default=ClassSettings(), description="The word classes.")


class RunSettings(Settings):
    """Everything that decides one training run, but the corpus's content and the code."""

    corpus: Name = Field(description="Key of the corpus under `corpora`.")
    seed: NaturalInt = Field(default=1, description="Seed of the weights and of the order.")
    hidden_size: PositiveInt = Field(default=100, description="Hidden units, M.")
    document_size: NaturalInt = Field(
        default=0, description="Length of the document vector, D; 0 is the static baseline."
    )
    document_layer: Literal["output", "hidden", "both"] = Field(
        default="output",
        description="What the document vector feeds: the output layer (the paper's choice), the "
        "hidden layer, or both.",
    )
    document_rate: NonNegativeFloat = Field(
        default=0.15,
        description="Rate α at which the document vector learns after every word, "
        "in training and in testing.",
    )
    unit_of_text: Literal["sentence"] = Field(
        default="sentence",
        description="What a document vector and a hidden state live through; both start at 0.",
    )
    optimizer: Literal["adagrad", "sgd"] = Field(
        default="adagrad", description="How gradients become updates."
    )
    learning_rate: PositiveFloat = Field(default=0.2, description="Learning rate of the weights.")
    accumulator_start: PositiveFloat = Field(
        default=1.0, description="AdaGrad: where the sums of squared gradients start."
    )
    batch_sentences: PositiveInt = Field(
        default=64, description="Sentences an update; their losses are summed."
    )
    l2: NonNegativeFloat = Field(
        default=0.0,
        description="L2 penalty: adds `l2 / 2 · w²` for every weight that an update touches.",
    )
    error_clip: NonNegativeFloat = Field(
        default=15.0,
        description="Bound on each element of the error that is propagated back to a hidden "
        "unit's input (the RNNLM Toolkit's rule); 0 is no bound.",
    )
    initial_scale: NonNegativeFloat = Field(
        default=0.1, description="Standard deviation of the normal initial weights."
    )
    max_epochs: PositiveInt = Field(default=30, description="Stop after so many epochs at most.")
    rate_rule: Literal["plateau", "toolkit"] = Field(
        default="plateau",
        description="When the rate falls and training ends. `plateau`: the rate is divided after "
        "every epoch that is no improvement; the third ends training. `toolkit`, the RNNLM "
        "Toolkit's: from the first such epoch on it is divided before every epoch; the second "
        "ends training. Either gives up a worse epoch's weights for the best ones.",
    )
    improvement_factor: Annotated[float, Field(ge=1)] = Field(
        default=1.003,
        description="An epoch is an improvement if the validation entropy falls by this factor.",
    )
    rate_divisor: Annotated[float, Field(gt=1)] = Field(
        default=2.0, description="What the learning rate is divided by when it falls."
    )
    divergence_perplexity: PositiveFloat = Field(
        default=10.0,
        description="Stop as diverged if a perplexity exceeds this many times the vocabulary size.",
    )
    engine: Literal["kernel", "graph", "jax"] = Field(
        default="kernel",
        description="`kernel`: the fast step. `graph`: the plain symbolic graph, the reference. "
        "`jax`: that graph compiled by JAX, for a GPU (docs/gpu.md); JAX is to be installed.",
    )
    device: Literal["cpu", "gpu"] = Field(
        default="cpu",
        description="What `engine: jax` computes on. `gpu`, an NVIDIA one: where there is none, "
        "the run fails at once.",
    )
    precision: Literal["float32", "float64"] = Field(
        default="float32", description="Floating-point type of weights and arithmetic."
    )

    @model_validator(mode="after")
    def _jax_alone_has_a_gpu(self) -> RunSettings:
        if self.device == "gpu" and self.engine != "jax":
            raise ValueError(f"`device: gpu` needs `engine: jax`, not `engine: {self.engine}`")
        return self

    def sizes(self, vocabulary: int, classes: int) -> Sizes:
        """The sizes of the run's model on a corpus of so many words and word classes."""
        layer = self.document_layer if self.document_size else "output"
        return Sizes(vocabulary, self.hidden_size, classes, self.document_size, layer)


CacheKind = Literal["unigram", "neural"]
LearnAfter = Literal["word", "sentence"]
UnitOfText = Literal["sentence", "document", "stream"]
Part = Literal["document_vector", "embeddings", "recurrent", "output", "all"]
Subset = Annotated[
    list[Part],
    Field(min_length=1),
    BeforeValidator(
        lambda value: value if isinstance(value, list) else [value],
        json_schema_input_type=Part | list[Part],
    ),
]


class TrackingSettings(Settings):
    """Where runs are entered; no part of a run's identity."""

    store: str | None = Field(
        default=None,
        description="Address of an MLflow server or database, such as `http://localhost:5000`; "
        "without one, `results/<experiment>/mlflow.db`. Passwords do not belong here: give "
        "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment.",
    )
    watch_seconds: float = Field(
        default=10.0,
        ge=0,
        description="While runs train, what they have written is entered at most so often, in "
        "seconds; 0: at the end only.",
    )

    @field_validator("store")
    @classmethod
    def _has_no_password(cls, store: str | None) -> str | None:
        if store is not None and urlsplit(store).password:
            raise ValueError("leave the password out: MLFLOW_TRACKING_PASSWORD has a place for it")
        return store


class TestingSettings(Settings):
    """What else is tried during testing; no part of a run's identity."""

    updates: list[Subset] = Field(
        default=[],
        description="What else learns during testing, each entry further evaluations of every run: "
        "`document_vector`, groups of weights, a list of them, or `all`. Every run is tested with "
        "nothing learning and, if it has one, with its document vector learning anyway. What a "
        "run does not have is left out, and what is the same then is done once.",
    )
    learn_after: Annotated[list[LearnAfter], Field(min_length=1)] = Field(
        default=["word"], description="When it learns: after every word, or after every sentence."
    )
    unit_of_text: Annotated[list[UnitOfText], Field(min_length=1)] = Field(
        default=["sentence"],
        description="How long what was learnt is kept: the vector and the weights go back to their "
        "start with every sentence, with every document (all sentences of an article), or never. "
        "Learning after a sentence that ends the unit is left out.",
    )
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1)] = Field(
        default=[0.003, 0.01, 0.03, 0.1, 0.3],
        description="Rates of the plain step that weights take; the best on `valid` is used.",
    )
    document_rates: Annotated[list[PositiveFloat], Field(min_length=1)] = Field(
        default=[0.02, 0.05, 0.1, 0.15, 0.2, 0.3],
        description="Rates of the document vector where it learns alone; the best on `valid` is "
        "used. Beside weights that learn it keeps the rate it was trained with.",
    )
    steps: PositiveInt = Field(
        default=5, description="Hidden states that a word's loss is propagated back through."
    )
    caches: list[CacheKind] = Field(
        default=[],
        description="Caches of the words just read that every static network is tested with: "
        "their frequencies, or their frequencies by the likeness of their hidden states. Their "
        "settings are those best on `valid`.",
    )
    kneser_ney: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        description="Order of a modified Kneser-Ney n-gram model to compare with; `null`: none.",
    )
