"""The paths of an experiment's files; no other module knows their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "valid", "test")
HELD_OUT = SPLITS[1:]
RESULTS = Path("results")
TABLE_KINDS = ("csv", "md", "tex", "html")
"""The formats of every table."""
FIGURE_KINDS = ("svg", "png")
"""The formats of every figure."""


@dataclass(frozen=True)
class CorpusDirectory:
    """The folder `corpora/<corpus>/`: each file is the output of one stage."""

    path: Path

    @property
    def articles(self) -> Path:
        """The articles, one JSON object per line: `title`, `text` and, if known, `topic`."""
        return self.path / "articles.jsonl"

    @property
    def sentences(self) -> Path:
        """The tokenised sentences in order, one per line, without duplicates and fragments."""
        return self.path / "sentences.txt"

    def counts(self, stage: str) -> Path:
        """The number of articles or sentences that a stage read, and of those that it dropped."""
        return self.path / f"{stage}.counts.json"

    @property
    def sentence_articles(self) -> Path:
        """int32 (sentences,): the number of each sentence's article, its line from 0."""
        return self.articles_beside(self.sentences)

    def split(self, split: str) -> Path:
        """The tokenised sentences of a split, one per line, before the vocabulary is applied."""
        return self.path / f"{split}.tokens.txt"

    def split_articles(self, split: str) -> Path:
        """int32 (sentences,): the number, from 0, of the article of each sentence of a split."""
        return self.articles_beside(self.split(split))

    @staticmethod
    def articles_beside(text: Path) -> Path:
        """The file beside a text that has the number of each sentence's article."""
        return text.with_name(f"{text.name.partition('.')[0]}.articles.npy")

    @property
    def vocabulary(self) -> Path:
        """The vocabulary: a header, then lines `word<TAB>count<TAB>class` in the order of ids."""
        return self.path / "vocabulary.tsv"

    def text(self, split: str) -> Path:
        """The sentences of a split, one per line, with `<unk>`; other toolkits can read them."""
        return self.path / f"{split}.txt"

    def stream(self, split: str) -> Path:
        """int32 (tokens + 1,): `</s>`, then every sentence's words and its `</s>`."""
        return self.path / f"{split}.npy"

    def offsets(self, split: str) -> Path:
        """int64 (sentences + 1,): sentence k's targets: stream[offsets[k]+1 : offsets[k+1]+1]."""
        return self.path / f"{split}.offsets.npy"

    def model_files(self) -> list[Path]:
        """The files that a model reads: the vocabulary and the arrays of every split."""
        kinds = (self.stream, self.offsets, self.split_articles)
        return [self.vocabulary, *(kind(split) for split in SPLITS for kind in kinds)]

    @property
    def statistics(self) -> Path:
        """The corpus's record: counts, OOV rates, class sizes and digests."""
        return self.path / "statistics.json"


@dataclass(frozen=True)
class RunDirectory:
    """The folder `runs/<run>/`, which is complete without MLflow."""

    path: Path

    @property
    def record(self) -> Path:
        """The run's record: its settings, its identity, and its hardware and software."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """The metrics of the epochs, one epoch per line."""
        return self.path / "metrics.jsonl"

    @property
    def result(self) -> Path:
        """The results of the finished run, or the reason of its divergence; written last."""
        return self.path / "result.json"

    @property
    def model(self) -> Path:
        """The best weights, by the parameters' names."""
        return self.path / "model.npz"

    @property
    def checkpoint(self) -> Path:
        """The folder of checkpoints; no declared output, so that Snakemake never deletes it."""
        return self.path / "checkpoint"

    @property
    def accounting(self) -> Path:
        """Slurm's accounting of the jobs that trained the run; no declared output."""
        return self.path / "accounting.json"

    @property
    def state(self) -> Path:
        """The last checkpoint, with a checksum at its end."""
        return self.checkpoint / "state.npz"

    @property
    def previous_state(self) -> Path:
        """The checkpoint before the last one, used if the last one is damaged."""
        return self.checkpoint / "previous.npz"

    @property
    def kept_record(self) -> Path:
        """A copy of the record that Snakemake leaves when it removes that of a failed job."""
        return self.checkpoint / "run.json"

    def finished_files(self) -> list[Path]:
        """The files that a run leaves when it has ended."""
        return [self.record, self.metrics, self.model, self.result]

    @property
    def log(self) -> Path:
        """The log of training, one line per epoch; the process that trains the run locks it."""
        return self.path / "train.log"


@dataclass(frozen=True)
class ExperimentDirectory:
    """The folder `results/<experiment>/`."""

    path: Path

    @property
    def configuration(self) -> Path:
        """The configuration with all defaults filled in; every job reads it."""
        return self.path / "config.json"

    def folders(self) -> list[Path]:
        """The folders in it."""
        names = ("corpora", "runs", "evaluations", "tables", "figures", "logs", "engines")
        more = self.receipts, self.orders, self.artifacts, self.earlier_runs
        return [*(self.path / name for name in (*names, "tracking")), *more]

    @property
    def configuration_file(self) -> Path:
        """The record of the configuration file that the experiment was started with."""
        return self.path / "configuration_file.json"

    def corpus(self, corpus: str) -> CorpusDirectory:
        """The folder of the corpus of that name."""
        return CorpusDirectory(self.path / "corpora" / corpus)

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.path / "runs"

    def run(self, run: str) -> RunDirectory:
        """The folder of the run of that name."""
        return RunDirectory(self.runs / run)

    @property
    def earlier_runs(self) -> Path:
        """The folder of finished trainings that later ones replaced: a folder each, by identity."""
        return self.path / "earlier"

    def evaluations(self, run: str) -> Path:
        """The folder of a run's evaluations."""
        return self.path / "evaluations" / run

    def evaluation(self, run: str, evaluation: str) -> Path:
        """The record of one evaluation, with its metrics; written last."""
        return self.evaluations(run) / f"{evaluation}.json"

    def sentence_scores(self, run: str, evaluation: str) -> Path:
        """The log-probability of every sentence in one evaluation."""
        return self.evaluations(run) / f"{evaluation}.parquet"

    def token_scores(self, run: str, evaluation: str, split: str = "test") -> Path:
        """float32 (tokens,): the natural log P of every token of a split in one evaluation."""
        return self.evaluations(run) / f"{evaluation}.{split}.npy"

    def further_evaluations(self, run: str) -> Path:
        """The list of a run's further evaluations; written when all of them are finished."""
        return self.evaluations(run) / "further" / "evaluations.json"

    def document_vectors(self, run: str, split: str) -> Path:
        """float32 (sentences, D): the document vector after the last word of every sentence."""
        return self.evaluations(run) / f"document_vector.{split}.vectors.npy"

    def log(self, *names: str) -> Path:
        """The log of a job; a run's own log is in its folder."""
        return self.path / "logs" / f"{'/'.join(names)}.log"

    @property
    def logs(self) -> Path:
        """The folder of the jobs' logs; a run's own log is in its folder."""
        return self.path / "logs"

    @property
    def receipts(self) -> Path:
        """The folder of the receipts of the workflow's jobs."""
        return self.path / "receipts"

    @property
    def orders(self) -> Path:
        """The folder of the orders of the workflow's jobs."""
        return self.path / "orders"

    def receipt(self, rule: str, name: str) -> Path:
        """The receipt of a rule's job for a run or corpus; `name` is empty for a single job."""
        return self.receipts / rule / f"{name or 'all'}.json"

    def order(self, rule: str, name: str) -> Path:
        """The file that says what a rule's job for a run or corpus is to read and make."""
        return self.orders / rule / f"{name or 'all'}.json"

    @property
    def kernels(self) -> Path:
        """The record of the networks that the kernels have been compiled for."""
        return self.path / "kernels.json"

    @property
    def online_kernels(self) -> Path:
        """The same record for the kernel with which weights learn during testing."""
        return self.path / "online_kernels.json"

    def measurement(self, name: str, kind: str = "json") -> Path:
        """The record of a measurement of an engine; `npz`: the values of a reference."""
        return self.path / "engines" / f"{name}.{kind}"

    @property
    def folder(self) -> Path:
        """The record of the folder's identity and place, written with the entries in MLflow."""
        return self.path / "tracking" / "directory.json"

    @property
    def tracked(self) -> Path:
        """The record of the entries in MLflow: the store's address and the ids of the runs."""
        return self.path / "tracking" / "tracked.json"

    def table(self, table: str, kind: str) -> Path:
        """A table; `kind` is one of `TABLE_KINDS`."""
        return self.path / "tables" / f"{table}.{kind}"

    def figure(self, figure: str, kind: str) -> Path:
        """A figure; `kind` is one of `FIGURE_KINDS`."""
        return self.path / "figures" / f"{figure}.{kind}"

    @property
    def captions(self) -> Path:
        """The captions of the figures, by name."""
        return self.path / "figures" / "captions.json"

    @property
    def claims(self) -> Path:
        """The paper's claims, each with its verdict on this experiment."""
        return self.path / "claims.json"

    @property
    def complete(self) -> Path:
        """The mark of an experiment that lacks nothing; absent if anything has diverged."""
        return self.path / "complete.json"

    @property
    def report(self) -> Path:
        """The report, one self-contained page."""
        return self.path / "report.html"

    @property
    def store(self) -> Path:
        """MLflow's sqlite database."""
        return self.path / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The folder of MLflow's artifacts."""
        return self.path / "mlartifacts"


def experiment_directory(experiment: str) -> ExperimentDirectory:
    """Return the folder of an experiment's results, relative to the project's root."""
    return ExperimentDirectory(RESULTS / experiment)
