"""Where an experiment's files lie: the only module that knows their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "valid", "test")
RESULTS = Path("results")


@dataclass(frozen=True)
class CorpusDirectory:
    """`corpora/<corpus>/`: each file is one stage's output."""

    path: Path

    @property
    def articles(self) -> Path:
        """A JSON object an article a line: `title`, `text` (a paragraph a line), maybe `topic`."""
        return self.path / "articles.jsonl"

    @property
    def sentences(self) -> Path:
        """One tokenised sentence a line, in the articles' order, duplicates and fragments gone."""
        return self.path / "sentences.txt"

    @property
    def sentence_articles(self) -> Path:
        """int32 (sentences,): the line, from 0, of each sentence's article in the articles."""
        return self.articles_beside(self.sentences)

    def split(self, split: str) -> Path:
        """One tokenised sentence a line, before the vocabulary is applied."""
        return self.path / f"{split}.tokens.txt"

    def split_articles(self, split: str) -> Path:
        """int32 (sentences,): the number, from 0, of each of a split's sentences' article."""
        return self.articles_beside(self.split(split))

    @staticmethod
    def articles_beside(text: Path) -> Path:
        """Where the numbers of the articles of a text's sentences lie: beside the text."""
        return text.with_name(f"{text.name.partition('.')[0]}.articles.npy")

    @property
    def vocabulary(self) -> Path:
        """`word<TAB>count<TAB>class`, a header first, words in the order of their ids."""
        return self.path / "vocabulary.tsv"

    def text(self, split: str) -> Path:
        """One sentence a line, `<unk>` in place, no `</s>`: for any other toolkit."""
        return self.path / f"{split}.txt"

    def stream(self, split: str) -> Path:
        """int32 (tokens + 1,): `</s>`, then every sentence's words and its `</s>`."""
        return self.path / f"{split}.npy"

    def offsets(self, split: str) -> Path:
        """int64 (sentences + 1,): sentence k's targets: stream[offsets[k]+1 : offsets[k+1]+1]."""
        return self.path / f"{split}.offsets.npy"

    def model_files(self) -> list[Path]:
        """What a model reads: the vocabulary and every split's arrays."""
        kinds = (self.stream, self.offsets, self.split_articles)
        return [self.vocabulary, *(kind(split) for split in SPLITS for kind in kinds)]

    @property
    def statistics(self) -> Path:
        """Counts, OOV rates, class sizes and digests."""
        return self.path / "statistics.json"


@dataclass(frozen=True)
class RunDirectory:
    """`runs/<run>/`: complete without MLflow."""

    path: Path

    @property
    def record(self) -> Path:
        """The run's record: its settings, its identity, and what it is computed with."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """An epoch a line."""
        return self.path / "metrics.jsonl"

    @property
    def result(self) -> Path:
        """What the finished run has reached; written last."""
        return self.path / "result.json"

    @property
    def failure(self) -> Path:
        """Why the run could not be finished; gone as soon as it is trained again."""
        return self.path / "failure.json"

    @property
    def model(self) -> Path:
        """The best weights, by parameter name."""
        return self.path / "model.npz"

    @property
    def checkpoint(self) -> Path:
        """Where training has got to; no declared output, so that it survives."""
        return self.path / "checkpoint"

    @property
    def accounting(self) -> Path:
        """What Slurm says of the jobs that trained the run, one after the other; not declared."""
        return self.path / "accounting.json"

    @property
    def state(self) -> Path:
        """The last checkpoint; sealed."""
        return self.checkpoint / "state.npz"

    @property
    def previous_state(self) -> Path:
        """The checkpoint before the last one, for when that is damaged."""
        return self.checkpoint / "previous.npz"

    def finished_files(self) -> list[Path]:
        """The files that a finished run leaves."""
        return [self.record, self.metrics, self.model, self.result]

    @property
    def log(self) -> Path:
        """A line an epoch; whoever trains the run holds the kernel's lock on it."""
        return self.path / "train.log"


@dataclass(frozen=True)
class ExperimentDirectory:
    """`results/<experiment>/`."""

    path: Path

    @property
    def configuration(self) -> Path:
        """The configuration with all defaults filled in, which every job reads."""
        return self.path / "config.json"

    def corpus(self, corpus: str) -> CorpusDirectory:
        """The prepared corpus of that name."""
        return CorpusDirectory(self.path / "corpora" / corpus)

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.path / "runs"

    def run(self, run: str) -> RunDirectory:
        """The run of that name."""
        return RunDirectory(self.runs / run)

    def evaluations(self, run: str) -> Path:
        """The folder of a run's evaluations."""
        return self.path / "evaluations" / run

    def evaluation(self, run: str, evaluation: str) -> Path:
        """The metrics of one evaluation; written last."""
        return self.evaluations(run) / f"{evaluation}.json"

    def sentence_scores(self, run: str, evaluation: str) -> Path:
        """Per-sentence log-probabilities of one evaluation."""
        return self.evaluations(run) / f"{evaluation}.parquet"

    def token_scores(self, run: str, evaluation: str) -> Path:
        """float32 (test tokens,): natural log P of every test token in one evaluation."""
        return self.evaluations(run) / f"{evaluation}.test.npy"

    def further_evaluations(self, run: str) -> Path:
        """Names the evaluations of a run that `testing` asks for: written when all are there."""
        return self.evaluations(run) / "further" / "evaluations.json"

    def document_vectors(self, run: str, split: str) -> Path:
        """float32 (sentences, D): a vector for every sentence of a split, after its last word."""
        return self.evaluations(run) / f"document_vector.{split}.vectors.npy"

    def log(self, *names: str) -> Path:
        """What a job said; a run's own log is in its directory."""
        return self.path / "logs" / f"{'/'.join(names)}.log"

    @property
    def logs(self) -> Path:
        """All jobs' logs but those of training."""
        return self.path / "logs"

    @property
    def kernels(self) -> Path:
        """Says for which floating-point types the kernels have been compiled."""
        return self.path / "kernels.json"

    @property
    def online_kernels(self) -> Path:
        """The same of the kernel for weights that learn during testing."""
        return self.path / "online_kernels.json"

    def cross_check(self, run: str) -> Path:
        """How far apart the engines are on a run's first updates, Theano among them."""
        return self.path / "cross_check" / f"{run}.json"

    @property
    def tracked(self) -> Path:
        """Says what is in MLflow: the store's address, and MLflow's ids of runs."""
        return self.path / "tracking" / "tracked.json"

    def table(self, table: str, kind: str) -> Path:
        """A table as `csv`, `md`, `tex` or `html`."""
        return self.path / "tables" / f"{table}.{kind}"

    def figure(self, figure: str, kind: str) -> Path:
        """A figure as `svg` or `png`."""
        return self.path / "figures" / f"{figure}.{kind}"

    @property
    def captions(self) -> Path:
        """What each figure shows, by its name."""
        return self.path / "figures" / "captions.json"

    @property
    def claims(self) -> Path:
        """The paper's claims, each with its verdict on this experiment."""
        return self.path / "claims.json"

    @property
    def report(self) -> Path:
        """One self-contained page."""
        return self.path / "report.html"

    @property
    def store(self) -> Path:
        """MLflow's sqlite database."""
        return self.path / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.path / "mlartifacts"


def experiment_directory(experiment: str) -> ExperimentDirectory:
    """The folder of an experiment's results, by its name, from the project's root."""
    return ExperimentDirectory(RESULTS / experiment)
