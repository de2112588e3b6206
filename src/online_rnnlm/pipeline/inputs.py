"""Inputs of the workflow's stages: the files, settings and code that each one depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from online_rnnlm.config.catalogue import figures_of, tables_of, tables_on_request
from online_rnnlm.config.corpora import CorpusSettings
from online_rnnlm.config.evaluations import (
    NONE,
    final_evaluation,
    further_evaluations,
    main_evaluations,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import PlannedRun
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.download import NOTE, Download
from online_rnnlm.corpora.sources import module_of, source_of
from online_rnnlm.engines.names import chosen_modules
from online_rnnlm.errors import UserError
from online_rnnlm.model.cells import cell_module
from online_rnnlm.rivals import (
    mixed_rivals,
    modules_for,
    place_of,
    rivals_in,
    rivals_of_corpora,
)
from online_rnnlm.storage.code import code_digest, data_digest
from online_rnnlm.storage.paths import (
    HELD_OUT,
    CorpusDirectory,
    ExperimentDirectory,
    RunDirectory,
)

CHOICE = "training.choice"
EXCHANGE = "corpora.exchange"
_WITH_TEMPLATES = ("tables", "neighbours", "report")
BRACES = "Snakemake takes them for a wildcard"
_OF_SENTENCES = ("language", "nfc", "lowercase", "min_tokens", "max_tokens", "too_long")
# The settings that each stage of a corpus reads; changes of other settings do not run it again.
STAGE_SETTINGS: dict[str, tuple[str, ...]] = {
    "articles": ("source",),
    "sentences": _OF_SENTENCES,
    "splits": (
        *("source", *_OF_SENTENCES),
        *("seed", "divide_by", "train_sentences", "valid_sentences", "test_sentences"),
    ),
    "vocabulary": ("vocabulary", "classes"),
    "encode": ("source", "classes", *_OF_SENTENCES),
}


def stage_settings(stage: str, settings: CorpusSettings) -> str:
    """Return the settings that one stage's output depends on, as JSON that Snakemake compares."""
    return as_json({key: settings.model_dump(mode="json")[key] for key in STAGE_SETTINGS[stage]})


def as_json(value: Any) -> str:
    """Return a value as the shortest JSON, with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def code(verb: str, *modules: str, data: str | None = None) -> str:
    """Return the digest of the code that a verb runs, and of modules that its settings choose.

    `data` is a folder of the package with other files that the verb reads. A rule has the digest as
    a parameter, so that only a change of code that affects its output runs the rule again. Raises
    ValueError if there is no such verb, module or folder.
    """
    digests = [code_digest(f"commands.{verb}:run", *modules)]
    return "+".join(digests + ([data_digest(data)] if data else []))


def run_code(verb: str, run: PlannedRun, *modules: str) -> str:
    """Return the digest of the code that a verb runs for a run, and of modules its settings choose.

    The code that chooses between candidates is left out for a run without candidates.
    """
    without = () if run.candidates else (CHOICE,)
    chosen = chosen_modules(run.settings)
    return code_digest(f"commands.{verb}:run", *chosen, *modules, without=without)


def stage_code(stage: str, settings: CorpusSettings) -> str:
    """Return the digest of a stage's code, with the source's module if the stage reads that.

    The exchange algorithm is left out for a corpus whose classes are made by another rule.
    """
    modules = [module_of(settings.source)] if "source" in STAGE_SETTINGS[stage] else []
    without = () if settings.classes.rule == "exchange" else (EXCHANGE,)
    return code_digest(f"commands.{stage}:run", *modules, without=without)


def analysis_code(verb: str, experiment: Experiment) -> str:
    """Return the digest of the code of a verb that reads all results."""
    modules = _modules_of_parts(verb, experiment)
    data = "analysis/templates" if verb in _WITH_TEMPLATES else None
    return code(verb, *modules, *_cells(experiment), *rival_modules(experiment), data=data)


def tracking_code(experiment: Experiment) -> str:
    """Return the digest of the code that enters an experiment, with its models, into MLflow."""
    return code("track", *_cells(experiment))


def _cells(experiment: Experiment) -> list[str]:
    return sorted({cell_module(run.settings.cell_name) for run in experiment.runs()})


def _modules_of_parts(verb: str, experiment: Experiment) -> list[str]:
    """Return the modules that make the tables or figures that a verb writes or shows."""
    if verb == "figures":
        return [figure.module for figure in figures_of(experiment)]
    tables = tables_of(experiment) if verb in ("tables", "report") else []
    more = tables_on_request() if verb == "report" else []
    return [table.module for table in (*tables, *more)]


def whole_experiment(experiment: Experiment) -> str:
    """Return all settings of an experiment that a result can depend on, as JSON."""
    return as_json(experiment.of_results())


def downloads(experiment: Experiment) -> dict[str, Download]:
    """Return the downloads that the corpora need, by name.

    Raises UserError if two that are not the same would be kept under one name.
    """
    found: dict[str, Download] = {}
    for corpus, settings in experiment.corpora.items():
        for download in source_of(settings.source).downloads():
            found.setdefault(download.name, download)
            for name in (download.name, download.name.removesuffix(NOTE), download.name + NOTE):
                other = found.get(name, download)
                if other.identity != download.identity:
                    raise UserError(
                        f"`corpora.{corpus}.source.url.name`: {download.name}: {other.origin} is "
                        f"kept as {other.name}: give {download.origin} another `name`"
                    )
    return found


def article_inputs(experiment: Experiment, corpus: str) -> list[str]:
    """Return the files that a corpus's articles are read from: downloads, or the user's own."""
    source = source_of(experiment.corpora[corpus].source)
    return [str(file) for file in source.files(experiment.downloads)]


def split_inputs(experiment: Experiment, corpus: str, directory: CorpusDirectory) -> list[str]:
    """Return the files that splits are made from: sentences, or those of a text that is ready."""
    source = source_of(experiment.corpora[corpus].source)
    if source.ready:
        return [str(file) for file in source.files(experiment.downloads)]
    return [str(directory.sentences), str(directory.sentence_articles)]


def encoded_files(directory: CorpusDirectory, splits: Iterable[str]) -> list[str]:
    """Return the files of some splits' arrays, of the vocabulary and of the statistics."""
    kinds = (directory.stream, directory.offsets, directory.split_articles)
    arrays = [file(split) for split in splits for file in kinds]
    return [str(file) for file in [directory.vocabulary, directory.statistics, *arrays]]


def run_files(directory: RunDirectory) -> list[str]:
    """Return the files that a finished run leaves."""
    return [str(file) for file in directory.finished_files()]


def one_evaluation(directory: ExperimentDirectory, run: str, evaluation: str) -> list[str]:
    """Return the files of one evaluation: metrics, sentences' scores, tokens' scores."""
    records = [directory.evaluation(run, evaluation), directory.sentence_scores(run, evaluation)]
    tokens = [directory.token_scores(run, evaluation, split) for split in HELD_OUT]
    return [str(file) for file in (*records, *tokens)]


def further_files(
    directory: ExperimentDirectory, run: str, evaluations: Iterable[str]
) -> list[str]:
    """Return the files of a run's further evaluations, the list of them first."""
    marks = directory.further_evaluations(run)
    files = [str(marks)]
    for evaluation in evaluations:
        mark = str(marks.with_name(f"{evaluation}.json"))
        files += [mark, *one_evaluation(directory, run, evaluation)]
    return files


def evaluation_files(
    experiment: Experiment, run: PlannedRun, directory: ExperimentDirectory
) -> list[str]:
    """Return the files that prove a run's evaluations complete; a run of a search has none."""
    if run.searched:
        return []
    size = run.settings.document_size
    files = [
        file
        for name in main_evaluations(size)
        for file in one_evaluation(directory, run.name, name)
    ]
    further = further_evaluations(size, experiment.testing)
    return files + ([str(directory.further_evaluations(run.name))] if further else [])


def vector_files(experiment: Experiment, directory: ExperimentDirectory) -> list[str]:
    """Return the files of the document vectors of all runs that have vectors."""
    runs = [run.name for run in experiment.runs() if run.settings.document_size]
    return [str(directory.document_vectors(run, split)) for run in runs for split in HELD_OUT]


def rivals_of_run(run: PlannedRun, testing: TestingSettings) -> list[str]:
    """Return the modules, below the package, of the rivals that a run is tested with."""
    return modules_for(further_evaluations(run.settings.document_size, testing), testing)


def mixed_files(
    experiment: Experiment, run: PlannedRun, directory: ExperimentDirectory
) -> list[str]:
    """Return the files that a run's mixture reads and that other jobs make; none without it."""
    testing, settings = experiment.testing, run.settings
    rivals = mixed_rivals(testing.rivals_of_runs, testing)
    if not rivals:
        return []
    files = one_evaluation(directory, run.name, final_evaluation(settings.document_size))
    for rival in rivals:
        folder, evaluation = place_of(rival, run.name, settings.corpus)
        if folder != run.name:  # the job itself makes the run's own
            files += one_evaluation(directory, folder, evaluation)
    return files


def kernels_code(networks: Sequence[RunSettings]) -> str:
    """Return the digest of the code that compiles the kernels of these networks."""
    modules = [module for network in networks for module in chosen_modules(network)]
    return code("kernels", *dict.fromkeys(modules))


def rival_modules(experiment: Experiment) -> list[str]:
    """Return the modules, below the package, of all rivals of an experiment."""
    testing = experiment.testing
    of_corpora = [found.rival for found in rivals_of_corpora(experiment).values()]
    rivals = [*rivals_in(testing.rivals_of_runs, testing), *of_corpora]
    return sorted({rival.module for rival in rivals})


def testing_settings(experiment: Experiment) -> str:
    """Return the settings of evaluations, as JSON that Snakemake compares."""
    testing = experiment.testing
    mixed = [rival.name for rival in mixed_rivals(testing.rivals_of_runs, testing)]
    of_runs = {"rivals": [*testing.rivals_of_runs], **({"mixed": mixed} if mixed else {})}
    return as_json(testing.model_dump(mode="json", exclude={"kneser_ney_order"}) | of_runs)


def published_file(project: Path) -> str:
    """Return the file with the paper's numbers: the working folder's, or else the project's.

    Raises UserError if Snakemake would take a part of its name for a wildcard.
    """
    own = Path("config/published.yaml")
    file = own if own.is_file() else project / own
    if has_wildcard(file):
        raise UserError(f"{own}: copy it from {file.parent}, whose name has braces: {BRACES}")
    return str(file)


def has_wildcard(file: Path) -> bool:
    """True if Snakemake takes a part of a file's name, such as `{x}`, for a wildcard."""
    return re.search(r"\{[^{}]*\}", str(file)) is not None


def result_files(experiment: Experiment, directory: ExperimentDirectory) -> list[str]:
    """Return all files that the tables, figures and claims are made from."""
    corpora = [directory.corpus(corpus) for corpus in experiment.corpora]
    files = [
        str(file) for found in corpora for file in (found.statistics, found.split_articles("test"))
    ]
    for run in experiment.trainings():
        files += run_files(directory.run(run.name)) + evaluation_files(experiment, run, directory)
    for name in rivals_of_corpora(experiment):
        files += one_evaluation(directory, name, NONE)
    return files
