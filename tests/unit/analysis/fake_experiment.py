"""An invented experiment directory: random numbers in the formats of docs/data-formats.md."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from online_rnnlm.config import loading
from online_rnnlm.config.evaluations import (
    NONE,
    evaluations_of,
    final_evaluation,
    main_evaluations,
    online_evaluation,
)
from online_rnnlm.config.experiment import Experiment
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import MIXTURE, TestingSettings
from online_rnnlm.corpora.corpus import digest_of
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.sizes import sizes_of_run
from online_rnnlm.rivals import mixed_rivals, rival_in, rivals_of_corpora
from online_rnnlm.storage import records
from online_rnnlm.storage.files import sha256_of, write_json
from online_rnnlm.storage.identity import identity as identity_of
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.storage.records import (
    CorpusSource,
    Costs,
    Epoch,
    Evaluation,
    Machine,
    Mixture,
    RunRecord,
    RunResult,
    SplitMetrics,
    SplitStatistics,
    Statistics,
    Trial,
)
from online_rnnlm.training.choice import resolve

ROWS = [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
SENTENCES = {"train": 60, "valid": 40, "test": 50}
VOCABULARY, CLASSES = 15_332, 100
WORDS = [f"invented{i}" for i in range(50)]
CORPUS_DIGEST = digest_of({})


def experiment(**changes: Any) -> Experiment:
    """Return the demo's rows on an invented corpus; `changes` replace parts of the settings."""
    values: dict[str, Any] = {
        "experiment": "invented",
        "corpora": {"invented": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [
            {"hidden_size": hidden, "document_size": size, "learning_rate": 0.1 if size else 0.2}
            for hidden, size in ROWS
        ],
    }
    return loading.parse(values | changes)


def write(
    path: Path, described: Experiment, perplexities: dict[str, float] | None = None
) -> ExperimentDirectory:
    """Write all files of an experiment's runs; `perplexities` are test perplexities by model."""
    directory = ExperimentDirectory(path)
    write_json(directory.configuration, described.model_dump(mode="json"))
    for corpus in described.corpora:
        _write_corpus(directory, corpus)
    for run in described.trainings():
        write_run(directory, resolve(run, directory), perplexities or {}, described.testing)
    for name in rivals_of_corpora(described):
        _write_corpus_rival(directory, name)
    return directory


def write_run(
    directory: ExperimentDirectory,
    run: Run,
    perplexities: dict[str, float],
    testing: TestingSettings | None = None,
    salt: str = "",
) -> None:
    """Write one run and its evaluations; a different `salt` makes a different identity.

    The run is trained on the corpus that the folder holds.
    """
    random = np.random.default_rng(list(f"{run.name}{salt}".encode()))
    code = hashlib.sha256(salt.encode()).hexdigest()
    online, still = _perplexities(run, perplexities, random)
    identity = _write_training(directory, run, code, online, random)
    if run.searched:
        return
    size = run.settings.document_size
    for evaluation in evaluations_of(size, testing or TestingSettings()):
        target = {final_evaluation(size): online, NONE: still}.get(evaluation, online * 1.01)
        scores = _scores(target, random)
        tested = _tested(evaluation, run.settings.hidden_size, size, testing or TestingSettings())
        if evaluation not in main_evaluations(size):
            scores = scores[scores["split"] != "train"]
        _write_evaluation(directory, run.name, evaluation, identity, scores, tested)
    for split in ("valid", "test") if size else ():
        vectors = random.normal(size=(SENTENCES[split], size))
        np.save(directory.document_vectors(run.name, split), vectors.astype(np.float32))


def write_evaluation(
    directory: ExperimentDirectory, run: str, evaluation: str, perplexity: float
) -> None:
    """Add an evaluation of `valid` and `test` to a run, with the given test perplexity."""
    identity = records.read(RunRecord, directory.run(run).record).identity
    scores = _scores(perplexity, np.random.default_rng(1))
    held_out = scores[scores["split"] != "train"]
    tested = _tested(evaluation, 100, 20, TestingSettings())
    _write_evaluation(directory, run, evaluation, identity, held_out, tested)


class Tested(NamedTuple):
    """The contents of an evaluation's file other than its metrics."""

    costs: Costs
    curve: tuple[Trial, ...] = ()
    parameters: int | None = None
    chosen: Mapping[str, float] = MappingProxyType({})
    mixtures: tuple[Mixture, ...] = ()


def _tested(evaluation: str, hidden: int, size: int, testing: TestingSettings) -> Tested:
    everything = "all" in evaluation
    adds = hidden**2 + 149.5 * (hidden + (0 if evaluation == NONE else 2 * size))
    costs = Costs(
        parameters_touched_per_word=40_000.0 if everything else float(size),
        multiply_adds_per_word=5 * adds if everything else adds,
    )
    rival, online = rival_in(evaluation, testing), online_evaluation(evaluation)
    if evaluation == MIXTURE:
        return _mixture(costs, [rival.name for rival in mixed_rivals([MIXTURE], testing)])
    if rival is not None:
        return _with_curve(costs, _curve(["window", "weight"], [(100, 0.1), (500, 0.05)]))
    if online is None:
        return Tested(costs)
    key = "document_rate" if online.updates == "document_vector" else "learning_rate"
    return _with_curve(costs, _curve([key], [(0.01,), (0.03,), (0.1,)]))


def _with_curve(costs: Costs, curve: tuple[Trial, ...]) -> Tested:
    return Tested(costs, curve, chosen=dict(curve[0].settings))


def _mixture(costs: Costs, rivals: list[str]) -> Tested:
    """Return a mixture of equal parts; the network with rival k alone has 60 + k on `test`, and all
    without it 50 + k."""
    parts = ["network", *rivals]
    smaller = {}
    for number, rival in enumerate(rivals):
        smaller[frozenset(parts) - {rival}] = 50.0 + number
        smaller[frozenset(["network", rival])] = 60.0 + number
    return Tested(
        costs,
        chosen=dict.fromkeys(parts, 1 / len(parts)),
        mixtures=tuple(
            Mixture(
                weights=dict.fromkeys(names, 1 / len(names)),
                valid_perplexity=reached,
                test_perplexity=reached,
            )
            for names, reached in smaller.items()
        ),
    )


def _curve(keys: list[str], tried: list[tuple[float, ...]]) -> tuple[Trial, ...]:
    """Return the settings that were tried, the best ones first."""
    return tuple(
        Trial(settings=dict(zip(keys, values, strict=True)), valid_perplexity=90.0 + 2 * number)
        for number, values in enumerate(tried)
    )


def _write_corpus_rival(directory: ExperimentDirectory, name: str) -> None:
    scores = _scores(120.0, np.random.default_rng(5))
    costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=5)
    held_out = scores[scores["split"] != "train"]
    tested = Tested(costs, parameters=900_000)
    _write_evaluation(directory, name, NONE, "0" * 64, held_out, tested)


def _perplexities(
    run: Run, wanted: dict[str, float], random: np.random.Generator
) -> tuple[float, float]:
    hidden, size = run.settings.hidden_size, run.settings.document_size
    guess = (95 - size / 8 if size else 112 - hidden / 40) + random.normal(0, 0.4)
    guess *= 1 + 0.02 * abs(math.log(run.settings.learning_rate / 0.2))
    online = wanted.get(run.model, guess)
    return online, online * 1.35 if size else online


def _write_corpus(directory: ExperimentDirectory, corpus: str) -> None:
    random = np.random.default_rng(1)
    files = directory.corpus(corpus)
    splits = {
        split: SplitStatistics(
            sentences=count,
            documents=12,
            tokens=25 * count,
            words=24 * count,
            types=900,
            unk_tokens=count,
            oov_rate=0.04 + 0.01 * number,
            in_train=0,
            mean_class_size=49.5,
        )
        for number, (split, count) in enumerate(SENTENCES.items())
    }
    source = CorpusSource(
        kind="invented",
        title="Invented & random sentences",
        licence="CC0",
        origin="a random number generator",
    )
    statistics = Statistics(
        corpus=corpus,
        source=source,
        articles=12,
        empty_articles=1,
        sentences_read=sum(SENTENCES.values()) + 9,
        dropped={"too short": 5, "duplicate": 4},
        splits=splits,
        vocabulary_size=VOCABULARY,
        classes=CLASSES,
        class_rule="sqrt_frequency",
        class_sizes=(100, 354),
        files={},  # no checksums, so that tests may change the files
        digest=CORPUS_DIGEST,
    )
    records.write(files.statistics, statistics)
    _write_arrays(files)
    for split, count in SENTENCES.items():
        lines = [" ".join(random.choice(WORDS, random.integers(4, 25))) for _ in range(count)]
        for path in (files.split(split), files.text(split)):
            path.write_text("".join(f"{line} <b> | _x_\n" for line in lines), encoding="utf-8")


def _write_arrays(files: CorpusDirectory) -> None:
    """Write a vocabulary of 2 classes, and streams with the sentence lengths of the scores."""
    rows = [
        "</s>\t900\t0",
        "<unk>\t90\t0",
        *(f"{word}\t{50 - i}\t1" for i, word in enumerate(WORDS)),
    ]
    files.vocabulary.write_text("\n".join(["word\tcount\tclass", *rows]) + "\n", encoding="utf-8")
    articles = [{"title": f"a{i}", "text": "x", "topic": f"topic {i % 3}"} for i in range(20)]
    lines = "".join(json.dumps(article) + "\n" for article in articles)
    files.articles.write_text(lines, encoding="utf-8")
    for split in SENTENCES:
        lengths = _lengths(split)
        stream = np.random.default_rng(2).integers(1, len(rows), lengths.sum() + 1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        stream[offsets] = 0
        np.save(files.stream(split), stream.astype(np.int32))
        np.save(files.offsets(split), offsets.astype(np.int64))
        np.save(files.split_articles(split), np.arange(len(lengths), dtype=np.int32) // 4)


def _lengths(split: str) -> npt.NDArray[np.int32]:
    """Return the sentences' lengths, the same for every run, as all are tested on one text."""
    random = np.random.default_rng(len(split))
    return random.integers(5, 40, SENTENCES[split]).astype(np.int32)


def _write_training(
    directory: ExperimentDirectory,
    run: Run,
    code: str,
    online: float,
    random: np.random.Generator,
) -> str:
    """Write the files of a training, and return its identity; `code` is its code's digest."""
    files, settings = directory.run(run.name), run.settings
    corpus = records.read(Statistics, directory.corpus(settings.corpus).statistics).digest
    identity = identity_of(settings, corpus, code)
    epochs = int(random.integers(6, 10))
    curve = [online * (0.95 + 2.2 * math.exp(-0.9 * epoch)) for epoch in range(epochs)]
    record = RunRecord(
        name=run.name,
        identity=identity,
        settings=settings,
        searched=run.searched,
        candidates=run.candidates,
        corpus_digest=corpus,
        code_digest=code,
        began=datetime(2026, 1, 1, 12, tzinfo=UTC),
        host="node1",
        slurm_jobs=("7",),
        machine=Machine(processor="invented", cores=2, system="none"),
        python="3.11.0",
        packages={"numpy": "2.4.6", "pytensor": "3.0.7"},
    )
    records.write(files.record, record)
    metrics = [
        Epoch(
            epoch=number,
            learning_rate=settings.learning_rate,
            train_perplexity=valid * 0.9,
            valid_perplexity=valid,
            kept=True,
            words_per_second=70_000.0 + float(random.normal(0, 900)),
            # The identity makes each training's time different.
            seconds=18.5 + int(identity[:4], 16) / 1e5,
            cpu_seconds=18.0,
            peak_memory_megabytes=400.0 + number,
        )
        for number, valid in enumerate(curve, start=1)
    ]
    records.write_lines(files.metrics, metrics)
    files.log.write_text("".join(f"epoch {epoch.epoch}\n" for epoch in metrics))
    hidden, size = settings.hidden_size, settings.document_size
    sizes = sizes_of_run(settings, len(WORDS) + 2, 2)
    weights = parameters.initialise(sizes, 0.1, settings.seed, settings.precision)
    weight_files.save(weights, files.model)
    result = RunResult(
        identity=identity,
        files={file.name: sha256_of(file) for file in (files.model, files.metrics)},
        ended=datetime(2026, 1, 1, 12, 10, tzinfo=UTC),
        epochs=epochs,
        best_epoch=epochs,
        valid_perplexity=curve[-1],
        parameters=2 * VOCABULARY * hidden + hidden**2 + CLASSES * hidden
        + size * (CLASSES + VOCABULARY),
        training_multiply_adds_per_word=3 * hidden**2 + 149.5 * 3 * (hidden + size),
        words_per_second=float(np.median([epoch.words_per_second for epoch in metrics])),
        cpu_seconds=18.0 * epochs,
        seconds=sum(epoch.seconds for epoch in metrics),
    )  # fmt: skip
    records.write(files.result, result)
    return identity


def _scores(perplexity: float, random: np.random.Generator) -> pd.DataFrame:
    """Return per-sentence scores of the three splits, with exactly that perplexity on `test`."""
    frames = []
    for split, count in SENTENCES.items():
        tokens = _lengths(split)
        logs = -tokens * (math.log(perplexity) + random.normal(0, 0.05, count))
        logs *= tokens.sum() * math.log(perplexity) / -logs.sum()
        factor = {"train": 0.9, "valid": 0.99, "test": 1.0}[split]
        frame = {
            "split": split,
            "sentence": np.arange(count, dtype=np.int32),
            "tokens": tokens,
            "log_probability": logs * factor,
            "unk_tokens": np.ones(count, np.int32),
            "unk_log_probability": np.full(count, -3.0),
        }
        frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def _write_evaluation(
    directory: ExperimentDirectory,
    run: str,
    evaluation: str,
    identity: str,
    scores: pd.DataFrame,
    tested: Tested,
) -> None:
    scores_file = directory.sentence_scores(run, evaluation)
    scores_file.parent.mkdir(parents=True, exist_ok=True)
    scores.to_parquet(scores_file, index=False)
    for split in ("valid", "test"):
        rows = scores[scores["split"] == split]
        # All tokens of a sentence have equal shares of its score.
        shares = (rows["log_probability"] / rows["tokens"]).to_numpy()
        tokens = np.repeat(shares, rows["tokens"]).astype(np.float32)
        np.save(directory.token_scores(run, evaluation, split), tokens)
    record = Evaluation(
        run=run,
        identity=identity,
        evaluation=evaluation,
        costs=tested.costs,
        parameters=tested.parameters,
        chosen=dict(tested.chosen),
        curve=tested.curve,
        mixtures=tested.mixtures,
        files={},  # no checksums, so that tests may change the files
        splits={str(split): _metrics(rows) for split, rows in scores.groupby("split", sort=False)},
    )
    records.write(directory.evaluation(run, evaluation), record)


def _metrics(rows: pd.DataFrame) -> SplitMetrics:
    perplexity = math.exp(-rows["log_probability"].sum() / rows["tokens"].sum())
    return SplitMetrics(
        sentences=len(rows),
        tokens=int(rows["tokens"].sum()),
        perplexity=perplexity,
        perplexity_without_unk=0.9 * perplexity,
        oov_rate=0.05,
        words_per_second=90_000.0,
    )
