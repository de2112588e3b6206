"""The files that the workflow's rules read and make, and the settings that their jobs depend on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from online_rnnlm.config.evaluations import evaluations_of, final_evaluation, timed_ways
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.core.way import DOCUMENT_VECTOR, NONE, Way
from online_rnnlm.rivals import mixed_rivals, place_of, rivals_of_corpora
from online_rnnlm.storage.paths import HELD_OUT, SPLITS, CorpusDirectory, ExperimentDirectory


def as_json(value: Any) -> str:
    """Return a value as the shortest JSON, with sorted keys, for Snakemake to compare."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def corpus_files(directory: CorpusDirectory, splits: Iterable[str]) -> list[Path]:
    """Return the files of some splits' arrays, of the vocabulary and of the statistics."""
    arrays = [array for split in splits for array in directory.arrays(split)]
    return [directory.vocabulary, directory.statistics, *arrays]


def candidate_files(run: Run, directory: ExperimentDirectory) -> list[Path]:
    """Return the files of the runs of the search from which a run takes its settings."""
    return [file for name in run.candidates for file in directory.run(name).finished_files()]


def evaluation_files(
    directory: ExperimentDirectory, run: str, evaluation: str, other_texts: Iterable[str] = ()
) -> list[Path]:
    """Return the files of one evaluation: metrics, sentences' scores, tokens' scores, vectors."""
    files = [directory.evaluation(run, evaluation), directory.sentence_scores(run, evaluation)]
    texts = (*HELD_OUT, *other_texts)
    files += [directory.token_scores(run, evaluation, text) for text in texts]
    if evaluation == DOCUMENT_VECTOR:
        files += [directory.document_vectors(run, split) for split in HELD_OUT]
    return files


def evaluation_inputs(
    experiment: Experiment, directory: ExperimentDirectory, run: Run, evaluation: str
) -> list[Path]:
    """Return the files that a run's evaluation reads: a mixture reads the evaluations it mixes."""
    settings, corpus = run.settings, directory.corpus(run.settings.corpus)
    others = experiment.testing.other_texts
    texts = corpus_files(corpus, [*SPLITS, *others])
    files = [*directory.run(run.name).finished_files(), *texts]
    rivals = mixed_rivals([evaluation], experiment.testing)
    places = [place_of(rival, run.name, settings.corpus) for rival in rivals]
    if rivals:
        places.append((run.name, final_evaluation(settings.document_size)))
    return files + [f for place in places for f in evaluation_files(directory, *place, others)]


def evaluation_settings(experiment: Experiment, run: Run, evaluation: str) -> str:
    """Return the settings of `testing` that a run's evaluation reads, as JSON."""
    testing = experiment.testing
    way = evaluations_of(run.settings, testing).get(evaluation)
    if isinstance(way, Way) and way.unit_of_text is not None:
        keys = {"steps", "learning_rates"} if way.groups else set()
        if way.vector_learns and run.settings.document_size:
            keys |= {"document_rates"}
        return as_json(testing.model_dump(mode="json", include=keys))
    return as_json([rival.name for rival in mixed_rivals([evaluation], testing)])


def evaluations_without_vectors(experiment: Experiment) -> list[str]:
    """Return the names of all evaluations but the one that leaves document vectors."""
    rows = (row.settings for row in experiment.planned_rows)
    names = {name for row in rows for name in evaluations_of(row, experiment.testing)}
    return sorted(names - {DOCUMENT_VECTOR})


def result_files(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return all files that the tables, figures and claims are made from."""
    corpora = [directory.corpus(corpus) for corpus in experiment.corpora]
    others = experiment.testing.other_texts
    files = [one.statistics for one in corpora]
    files += [one.split_articles(text) for one in corpora for text in ("test", *others)]
    for run in experiment.trainings():
        files += directory.run(run.name).finished_files()
    for run in experiment.runs():
        for evaluation in evaluations_of(run.settings, experiment.testing):
            files += evaluation_files(directory, run.name, evaluation, others)
    for rival in rivals_of_corpora(experiment):
        files += evaluation_files(directory, rival, NONE, others)
    return [*files, directory.timings]


def timed_files(experiment: Experiment, directory: ExperimentDirectory) -> list[Path]:
    """Return the files that the timing of the networks reads: those of each row's first run."""
    files = []
    for row in experiment.planned_rows:
        files += corpus_files(directory.corpus(row.settings.corpus), SPLITS)
        files += directory.run(row.runs[0].name).finished_files()
    return list(dict.fromkeys(files))


def timed_settings(experiment: Experiment) -> str:
    """Return the runs that are timed, each with its network's name and its evaluations, as JSON."""
    found = {}
    for row in experiment.planned_rows:
        run, timed = row.runs[0], timed_ways(row.settings, experiment.testing)
        found[run.name] = [run.model, *(one.name for one in timed)]
    return as_json(found)
