"""All jobs of an experiment: what each one reads, makes and depends on.

The rules of the workflow take their inputs and parameters from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from online_rnnlm.config.evaluations import (
    DOCUMENT_VECTOR,
    NONE,
    further_evaluations,
    main_evaluations,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.corpora.sources import source_of
from online_rnnlm.corpora.sources.base import COUNTING_STAGES
from online_rnnlm.pipeline import inputs
from online_rnnlm.rivals import rivals_of_corpora
from online_rnnlm.storage import receipts
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, ExperimentDirectory
from online_rnnlm.storage.shown import figure_files, files_on_request, table_files


@dataclass(frozen=True)
class PlannedJob:
    """A job of the workflow, with what its outputs depend on besides its inputs."""

    rule: str
    name: str
    inputs: list[str]
    outputs: list[str]
    find_code: Callable[[], str]
    settings: str
    """The settings that it reads, as JSON."""
    more_outputs: tuple[str, ...] = ()
    """Files that it makes and that Snakemake does not know, since their names differ by run."""
    more_inputs: tuple[str, ...] = ()
    """Files that it reads where they are there; Snakemake does not know them and makes none."""

    @cached_property
    def code(self) -> str:
        """The digest of the code that it runs."""
        return self.find_code()

    @cached_property
    def identity(self) -> str:
        """The sha256 of its settings and code, as hexadecimal digits."""
        return hashlib.sha256(f"{self.settings}\n{self.code}".encode()).hexdigest()

    @cached_property
    def files(self) -> receipts.Job:
        """The job as receipts know it."""
        made = (*self.outputs, *self.more_outputs)
        return receipts.Job(
            self.rule,
            self.name,
            tuple(map(Path, (*self.inputs, *self.more_inputs))),
            tuple(map(Path, made)),
            self.identity,
        )


class Jobs:
    """The jobs of an experiment, by rule and by run or corpus: jobs["train", "demo-M100-…"]."""

    def __init__(
        self,
        experiment: Experiment,
        directory: ExperimentDirectory,
        published: str,
        *,
        ordered: bool = True,
    ) -> None:
        self._experiment = experiment
        self._directory = directory
        self.published = published
        """The file with the paper's numbers."""
        self._ordered = ordered
        """False if no input is an order: `snakemake --lint` would take one for a prefix."""
        self._jobs = {(job.rule, job.name): job for job in self._all()}

    def __getitem__(self, key: tuple[str, str]) -> PlannedJob:
        """Return the job of a rule for a run or corpus; raises KeyError if there is none."""
        return self._jobs[key]

    def __iter__(self) -> Iterator[PlannedJob]:
        """Iterate over all jobs, each after those that make its inputs."""
        return iter(self._jobs.values())

    def inputs(self, rule: str, name: str) -> list[str]:
        """Return the inputs of a job in Snakemake: the files that it reads, and its order."""
        order = self._directory.order(rule, name)
        # There is none where nothing can be written.
        orders = [str(order)] if self._ordered and order.exists() else []
        return [*self[rule, name].inputs, *orders]

    def order(self, rule: str, name: str) -> str:
        """Return the file that tells a verb what its job reads and makes."""
        return str(self._directory.order(rule, name))

    @property
    def outputs(self) -> list[str]:
        """All files that the jobs make and that Snakemake knows."""
        return [file for job in self for file in job.outputs]

    def folders(self) -> list[Path]:
        """Return the folders below the experiment's that the jobs' files are made in."""
        made = (Path(file) for job in self for file in (*job.outputs, *job.more_outputs))
        top = self._directory.path
        return sorted({folder for file in made for folder in file.parents if top in folder.parents})

    def _all(self) -> Iterator[PlannedJob]:
        for corpus in self._experiment.corpora:
            yield from self._of_corpus(corpus)
        yield from self._rivals()
        for run in self._experiment.trainings():
            yield self._training(run)
            if not run.searched:
                yield from self._evaluations(run)
        yield from self._of_experiment()

    def _of_corpus(self, corpus: str) -> Iterator[PlannedJob]:
        """Yield the stages of a corpus's preparation; a download is known by its checksum."""
        settings = self._experiment.corpora[corpus]
        files = self._directory.corpus(corpus)
        splits = [files.split(split) for split in SPLITS]
        articles = [files.split_articles(split) for split in SPLITS]
        stages = source_of(settings.source).stages()
        counts = {stage: files.counts(stage) for stage in COUNTING_STAGES if stage in stages}
        kinds = (files.text, files.stream, files.offsets)
        encoded = [files.statistics, *(kind(split) for kind in kinds for split in SPLITS)]
        reads_and_makes: dict[str, tuple[Iterable[str | Path], Iterable[Path]]] = {
            "articles": (inputs.article_inputs(self._experiment, corpus), [files.articles]),
            "sentences": ([files.articles], [files.sentences, files.sentence_articles]),
            "splits": (
                inputs.split_inputs(self._experiment, corpus, files),
                [*splits, *articles],
            ),
            "vocabulary": ([files.split("train")], [files.vocabulary]),
            "encode": ([*splits, *articles, files.vocabulary, *counts.values()], encoded),
        }
        for stage in stages:
            if stage in reads_and_makes:
                read, made = reads_and_makes[stage]
                counted = [counts[stage]] if stage in counts else []
                yield PlannedJob(
                    stage,
                    corpus,
                    [*map(str, read)],
                    [*map(str, [*made, *counted])],
                    partial(inputs.stage_code, stage, settings),
                    inputs.stage_settings(stage, settings),
                )

    def _training(self, run: PlannedRun) -> PlannedJob:
        read = self._encoded(run, ("train", "valid"))
        for name in run.candidates:
            read += inputs.run_files(self._directory.run(name))
        return PlannedJob(
            "train",
            run.name,
            read,
            inputs.run_files(self._directory.run(run.name)),
            partial(inputs.run_code, "train", run),
            inputs.as_json(run.model_dump(mode="json")),
        )

    def _evaluations(self, run: PlannedRun) -> Iterator[PlannedJob]:
        """Yield the tests of a run with nothing learning, with its vector learning, and further."""
        directory, testing = self._directory, self._experiment.testing
        size = run.settings.document_size
        read = [*inputs.run_files(directory.run(run.name)), *self._encoded(run, SPLITS)]
        vectors = [str(directory.document_vectors(run.name, split)) for split in HELD_OUT]
        rules = {NONE: ("evaluate", []), DOCUMENT_VECTOR: ("evaluate_online", vectors)}
        for evaluation in main_evaluations(size):
            rule, others = rules[evaluation]
            made = [*inputs.one_evaluation(directory, run.name, evaluation), *others]
            find_code = partial(inputs.run_code, "evaluate", run)
            yield PlannedJob(rule, run.name, read, made, find_code, "")
        further = further_evaluations(size, testing)
        if further:
            rivals = inputs.rivals_of_run(run, testing)
            first, *others = inputs.further_files(directory, run.name, further)
            yield PlannedJob(
                "evaluate_further",
                run.name,
                [*read, *inputs.mixed_files(self._experiment, run, directory)],
                [first],
                partial(inputs.run_code, "evaluate", run, *rivals),
                inputs.testing_settings(self._experiment),
                tuple(others),
            )

    def _rivals(self) -> Iterator[PlannedJob]:
        for name, found in rivals_of_corpora(self._experiment).items():
            yield PlannedJob(
                "rival",
                name,
                inputs.encoded_files(self._directory.corpus(found.corpus), SPLITS),
                inputs.one_evaluation(self._directory, name, NONE),
                partial(inputs.code, "rival", found.rival.module),
                "",
            )

    def _of_experiment(self) -> Iterator[PlannedJob]:
        """Yield what is made from all results: tables, figures, claims and the report."""
        directory = self._directory
        results = inputs.result_files(self._experiment, directory)
        with_vectors = results + inputs.vector_files(self._experiment, directory)
        tables, neighbours = (
            [str(file) for file in table_files(self._experiment, directory, verb)]
            for verb in ("tables", "neighbours")
        )
        figures = [str(file) for file in figure_files(self._experiment, directory)]
        claims = [str(directory.claims)]
        shown = [*tables, *figures, *claims, *neighbours, self.published, *results]
        on_request = files_on_request(self._experiment, directory)
        whole = inputs.whole_experiment(self._experiment)
        for rule, read, made in (
            ("tables", [*results, self.published], tables),
            ("figures", with_vectors, figures),
            ("claims", results, claims),
            ("neighbours", with_vectors, neighbours),
            ("report", shown, [str(directory.report)]),
            ("complete", [str(directory.report), *results], [str(directory.complete)]),
        ):
            if made:  # not every experiment has neighbours
                find_code = partial(inputs.analysis_code, rule, self._experiment)
                more = tuple(map(str, on_request)) if rule == "report" else ()
                yield PlannedJob(rule, "", read, made, find_code, whole, more_inputs=more)

    def _encoded(self, run: PlannedRun, splits: Iterable[str]) -> list[str]:
        return inputs.encoded_files(self._directory.corpus(run.settings.corpus), splits)
