"""The paths of an experiment's files; docs/data-formats.md says what each of them holds.

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
    """A file or folder inside a folder, by its name there."""

    def __init__(self, name: str) -> None:
        self.name = name

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

    source = File("source.json")
    articles = File("articles.jsonl")
    sentences = File("sentences.txt")
    sentence_articles = File("sentences.articles.npy")
    sentence_splitter = File("sentences.splitter.json")

    def counts(self, stage: str) -> Path:
        """The number of articles or sentences that a stage read, and of those that it dropped."""
        return self.path / f"{stage}.counts.json"

    def split_articles(self, split: str) -> Path:
        """The number of each sentence's article."""
        return self.path / f"{split}.articles.npy"

    def tokens(self, split: str) -> Path:
        """The sentences of `valid` or `test`, one per line, before the vocabulary is applied."""
        return self.path / f"{split}.tokens.txt"

    splitter = File("splitter.json")
    vocabulary = File("vocabulary.tsv")

    def text(self, split: str) -> Path:
        """The sentences of a split, one per line, with `<unk>`; other toolkits can read them."""
        return self.path / f"{split}.txt"

    def stream(self, split: str) -> Path:
        """The words of a split, by their ids."""
        return self.path / f"{split}.npy"

    def offsets(self, split: str) -> Path:
        """The place at which each sentence begins in the stream."""
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

    statistics = File("statistics.json")


@dataclass(frozen=True)
class RunDirectory(Folder):
    """The folder `runs/<run>/`, which is complete without MLflow."""

    record = File("run.json")
    metrics = File("metrics.jsonl")
    result = File("result.json")
    model = File("model.npz")
    state = File("checkpoint.npz")
    log = File("train.log")

    def finished_files(self) -> list[Path]:
        """The files that a run leaves when it has ended."""
        return [self.record, self.metrics, self.model, self.result]


@dataclass(frozen=True)
class ExperimentDirectory(Folder):
    """The folder `results/<experiment>/`."""

    configuration = File("config.json")

    def corpus(self, folder: str) -> CorpusDirectory:
        """The folder of a corpus, by its name: that of the corpus and its digits."""
        return CorpusDirectory(self.path / "corpora" / folder)

    runs = File("runs")

    def run(self, run: str) -> RunDirectory:
        """The folder of the run of that name."""
        return RunDirectory(self.runs / run)

    def evaluations(self, run: str) -> Path:
        """The folder of a run's evaluations."""
        return self.path / "evaluations" / run

    def evaluation(self, run: str, evaluation: str) -> Path:
        """The record of one evaluation, which is written last."""
        return self.evaluations(run) / f"{evaluation}.json"

    def token_scores(self, run: str, evaluation: str, split: str = "test") -> Path:
        """The log P of every token of a split."""
        return self.evaluations(run) / f"{evaluation}.{split}.npy"

    def document_vectors(self, run: str, split: str) -> Path:
        """The document vector after every sentence."""
        return self.evaluations(run) / f"document_vector.{split}.vectors.npy"

    logs = File("logs")

    def entered(self, name: str) -> Path:
        """MLflow's id of a run that has been entered, of the `summary`, or of the `experiment`."""
        return self.path / "tracking" / f"{name}.txt"

    tables = File("tables")

    def table(self, table: str, kind: str) -> Path:
        """A table, as `csv` (with all digits), `md`, `tex` and `html`."""
        return self.path / "tables" / f"{table}.{kind}"

    figures = File("figures")

    def figure(self, figure: str, kind: str) -> Path:
        """A figure, as `svg` and `png`."""
        return self.path / "figures" / f"{figure}.{kind}"

    captions = File("figures/captions.json")
    timings = File("timings.json")
    audits = File("audits.json")
    claims = File("claims.json")
    complete = File("complete.json")
    report = File("report.html")
    summary = File("summary.txt")
    store = File("mlflow.db")
    artifacts = File("mlartifacts")


def experiment_directory(experiment: str) -> ExperimentDirectory:
    """Return the folder of an experiment's results, relative to the current folder."""
    return ExperimentDirectory(RESULTS / experiment)
