"""The paths of an experiment's files.

Python code takes them from here; the rules of the workflow write them out, as Snakemake's users
expect. Where a rule's path and the one here differ, the job fails: Snakemake misses its output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "valid", "test")
HELD_OUT = SPLITS[1:]
RESULTS = Path("results")
_MODEL = "wikipedia-100-20.onlm"
_PLACES = [
    Path(__file__).parents[3] / "resources",
    # As in pyproject.toml: beside `lib`, or in the folder of `pip install --target`.
    *(folder / "share" / "online-rnnlm" for folder in Path(__file__).parents),
]
RESOURCES = next((place for place in _PLACES if (place / _MODEL).is_file()), _PLACES[0])
"""The text and the models that come with the project; a package without a checkout has no text."""
SUPPLIED_MODEL = RESOURCES / _MODEL
"""The model that comes with the project, whose vector learns."""
SUPPLIED_STATIC_MODEL = RESOURCES / "wikipedia-110-0.onlm"
"""The static one beside it, with at least as many parameters."""
FIGURE_KINDS = ("svg", "png")
"""The formats of every figure."""


class File:
    """A file or folder inside a folder, by its name there; its docstring says what it holds."""

    def __init__(self, name: str, about: str) -> None:
        self.name = name
        self.__doc__ = about

    def __get__(self, folder: Folder, kind: type[Folder]) -> Path:
        """Return its path in a folder."""
        return folder.path / self.name


@dataclass(frozen=True)
class Folder:
    """A folder of which some files are known."""

    path: Path


@dataclass(frozen=True)
class CorpusDirectory(Folder):
    """The folder `corpora/<corpus>-<digits>/`: each file is the output of one stage."""

    source = File("source.json", "The record of the files that the text is read from.")
    articles = File(
        "articles.jsonl",
        "The articles, a JSON object per line: `title` and `text` (a line end between paragraphs).",
    )
    sentences = File(
        "sentences.txt",
        "The tokenised sentences in order, one per line, without duplicates and fragments.",
    )
    sentence_articles = File(
        "sentences.articles.npy",
        "int32 (sentences,): the line, from 0, of each sentence's article in `articles.jsonl`.",
    )
    sentence_splitter = File(
        "sentences.splitter.json",
        "The rules, learnt from the articles, by which they were divided into sentences.",
    )

    def counts(self, stage: str) -> Path:
        """The number of articles or sentences that a stage read, and of those that it dropped."""
        return self.path / f"{stage}.counts.json"

    def split_articles(self, split: str) -> Path:
        """int32 (sentences,): the number, from 0, of each sentence's article.

        All sentences of one article in a split are a document. Text in ready splits has no
        `articles.jsonl`: its articles are counted from 0 in each split, over all of its files.
        """
        return self.path / f"{split}.articles.npy"

    def tokens(self, split: str) -> Path:
        """The sentences of `valid` or `test`, one per line, before the vocabulary is applied."""
        return self.path / f"{split}.tokens.txt"

    splitter = File(
        "splitter.json",
        "The rules that divide other text as the corpus was divided; empty for tokenised text.",
    )
    vocabulary = File(
        "vocabulary.tsv",
        "The words in the order of ids, below a header: `word`, `count` and `class`, "
        "tab-separated. Word 0 is `</s>`, whose count is the number of training sentences; the "
        "others, `<unk>` among them, follow by falling count. A class is a contiguous run of "
        "ids.",
    )

    def text(self, split: str) -> Path:
        """The sentences of a split, one per line, with `<unk>`; other toolkits can read them."""
        return self.path / f"{split}.txt"

    def stream(self, split: str) -> Path:
        """int32 (tokens + 1,): word 0, then every sentence's words and its `</s>`.

        Each value is the target of the value before it.
        """
        return self.path / f"{split}.npy"

    def offsets(self, split: str) -> Path:
        """int64 (sentences + 1,): sentence k has targets [offsets[k]+1 : offsets[k+1]+1]."""
        return self.path / f"{split}.offsets.npy"

    def arrays(self, split: str) -> list[Path]:
        """The arrays of a split: its stream, its offsets and its articles."""
        return [self.stream(split), self.offsets(split), self.split_articles(split)]

    def model_files(self) -> list[Path]:
        """The files that a model reads: the vocabulary and the arrays of every split."""
        return [self.vocabulary, *(array for split in SPLITS for array in self.arrays(split))]

    def encoded_files(self, other_texts: Iterable[str] = ()) -> list[Path]:
        """The files that a model or another toolkit reads; `other_texts` are further splits."""
        others = (file for text in other_texts for file in [*self.arrays(text), self.text(text)])
        return [*self.model_files(), *(self.text(split) for split in SPLITS), *others]

    statistics = File(
        "statistics.json",
        "The corpus's record: counts, OOV rates, class sizes and digests.",
    )


@dataclass(frozen=True)
class RunDirectory(Folder):
    """The folder `runs/<run>/`, which is complete without MLflow."""

    record = File(
        "run.json",
        "The run's record: its settings, its identity, and its hardware and software.",
    )
    metrics = File("metrics.jsonl", "The metrics of the epochs, one epoch per line.")
    result = File(
        "result.json",
        "The results of the finished run, or the reason of its divergence; written last.",
    )
    model = File(
        "model.npz",
        "The best weights. `embeddings` (V, M), `recurrent` (M, M), `class_output` (K, M), "
        "`word_output` (V, M), `class_document` (D, K), `word_document` (D, V). `cell: lstm` "
        "has 4 M rows of `recurrent`, and as many columns of `embeddings`.",
    )
    state = File(
        "checkpoint.npz",
        "The last checkpoint, which is removed when the run has ended. It is not an output in "
        "Snakemake's sense, so Snakemake never deletes it.",
    )
    log = File(
        "train.log",
        "The log of training, one line per epoch; the process that trains the run locks it.",
    )

    def finished_files(self) -> list[Path]:
        """The files that a run leaves when it has ended."""
        return [self.record, self.metrics, self.model, self.result]


@dataclass(frozen=True)
class ExperimentDirectory(Folder):
    """The folder `results/<experiment>/`."""

    configuration = File(
        "config.json",
        "The configuration with all defaults filled in, and `digits`, which end the names of "
        "the folders; every job reads it.",
    )

    def corpus(self, folder: str) -> CorpusDirectory:
        """The folder of a corpus, by its name: that of the corpus and its digits."""
        return CorpusDirectory(self.path / "corpora" / folder)

    runs = File("runs", "The folder of all runs.")

    def run(self, run: str) -> RunDirectory:
        """The folder of the run of that name."""
        return RunDirectory(self.runs / run)

    def evaluations(self, run: str) -> Path:
        """The folder of a run's evaluations."""
        return self.path / "evaluations" / run

    def evaluation(self, run: str, evaluation: str) -> Path:
        """The record of one evaluation: its metrics, its cost and what was chosen on `valid`.

        It is written last.
        """
        return self.evaluations(run) / f"{evaluation}.json"

    def token_scores(self, run: str, evaluation: str, split: str = "test") -> Path:
        """float32 (tokens,): the natural log P of every token of `valid`, `test` or another text.

        The split's offsets say where its sentences begin. The array is empty if what learns
        diverged on the text.
        """
        return self.evaluations(run) / f"{evaluation}.{split}.npy"

    def document_vectors(self, run: str, split: str) -> Path:
        """float32 (sentences, D): the document vector after the last word of every sentence."""
        return self.evaluations(run) / f"document_vector.{split}.vectors.npy"

    logs = File("logs", "The folder of the jobs' logs; a run's own log is in its folder.")

    def entered(self, name: str) -> Path:
        """MLflow's id of a run that has been entered, of the `summary`, or of the `experiment`."""
        return self.path / "tracking" / f"{name}.txt"

    tables = File("tables", "The folder of the tables.")

    def table(self, table: str, kind: str) -> Path:
        """A table, as `csv` (with all digits), `md`, `tex` and `html`."""
        return self.path / "tables" / f"{table}.{kind}"

    figures = File("figures", "The folder of the figures.")

    def figure(self, figure: str, kind: str) -> Path:
        """A figure, as `svg` and `png`."""
        return self.path / "figures" / f"{figure}.{kind}"

    captions = File("figures/captions.json", "The captions of the figures, by name.")
    timings = File(
        "timings.json",
        "The time that the networks take to score the test text, measured side by side.",
    )
    audits = File("audits.json", "The findings of the audit of each network.")
    claims = File("claims.json", "The paper's claims, each with its verdict on this experiment.")
    complete = File(
        "complete.json",
        "The mark of an experiment that lacks nothing; absent if anything is missing.",
    )
    report = File("report.html", "The report, one self-contained page.")
    summary = File("summary.txt", "The networks and the findings, for a terminal.")
    store = File("mlflow.db", "MLflow's sqlite database.")
    artifacts = File("mlartifacts", "The folder of MLflow's artifacts.")


def experiment_directory(experiment: str) -> ExperimentDirectory:
    """Return the folder of an experiment's results, relative to the current folder."""
    return ExperimentDirectory(RESULTS / experiment)
