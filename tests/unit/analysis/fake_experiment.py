"""A clearly invented experiment directory: random numbers in the formats of the contract."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

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
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.model import parameters, weight_files
from online_rnnlm.model.sizes import Sizes
from online_rnnlm.rivals import rival_in, rivals_of_corpora
from online_rnnlm.storage.files import read_json, write_json
from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory
from online_rnnlm.training.choice import resolve

ROWS = [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
SENTENCES = {"train": 60, "valid": 40, "test": 50}
VOCABULARY, CLASSES = 15_332, 100
WORDS = [f"invented{i}" for i in range(50)]


def experiment(**changes: Any) -> Experiment:
    """The demo's rows on an invented corpus; `changes` replace parts of the configuration."""
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
    """Write all files of an experiment's runs; `perplexities`: test perplexity by model."""
    directory = ExperimentDirectory(path)
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
    """Write one run and its evaluations; another `salt` makes another identity."""
    random = np.random.default_rng(list(f"{run.name}{salt}".encode()))
    identity = hashlib.sha256(f"{run.name}{salt}".encode()).hexdigest()
    online, still = _perplexities(run, perplexities, random)
    _write_training(directory, run, identity, online, random)
    if run.searched:
        return
    size = run.settings.document_size
    for evaluation in evaluations_of(size, testing or TestingSettings()):
        target = {final_evaluation(size): online, NONE: still}.get(evaluation, online * 1.01)
        scores = _scores(target, random)
        about = _about(evaluation, run.settings.hidden_size, size)
        if evaluation not in main_evaluations(size):
            scores = scores[scores["split"] != "train"]
        _write_evaluation(directory, run.name, evaluation, identity, scores, about)
    for split in ("valid", "test") if size else ():
        vectors = random.normal(size=(SENTENCES[split], size))
        np.save(directory.document_vectors(run.name, split), vectors.astype(np.float32))


def write_evaluation(
    directory: ExperimentDirectory, run: str, evaluation: str, perplexity: float
) -> None:
    """Write one evaluation more of a run: of valid and test, with that test perplexity."""
    identity = read_json(directory.run(run).run)["identity"]
    scores = _scores(perplexity, np.random.default_rng(1))
    held_out = scores[scores["split"] != "train"]
    _write_evaluation(directory, run, evaluation, identity, held_out, _about(evaluation, 100, 20))


def _about(evaluation: str, hidden: int, size: int) -> dict[str, Any]:
    """What an evaluation's file says beside its figures."""
    everything = "all" in evaluation
    adds = hidden**2 + 149.5 * (hidden + (0 if evaluation == NONE else 2 * size))
    costs = {
        "parameters_touched_per_word": 40_000.0 if everything else float(size),
        "multiply_adds_per_word": 5 * adds if everything else adds,
    }
    rival = rival_in(evaluation, TestingSettings())
    online = online_evaluation(evaluation)
    if rival is not None:
        return {**costs, **_chosen(["window", "weight"], [(100, 0.1), (500, 0.05)])}
    if online is None:
        return costs
    key = "document_rate" if online.updates == "document_vector" else "learning_rate"
    return {**costs, **_chosen([key], [(0.01,), (0.03,), (0.1,)])}


def _chosen(keys: list[str], tried: list[tuple[float, ...]]) -> dict[str, Any]:
    curve = [
        {**dict(zip(keys, values, strict=True)), "valid_perplexity": 90.0 + 2 * number}
        for number, values in enumerate(tried)
    ]
    return {"chosen": dict(zip(keys, tried[0], strict=True)), "curve": curve}


def _write_corpus_rival(directory: ExperimentDirectory, name: str) -> None:
    scores = _scores(120.0, np.random.default_rng(5))
    about = {
        "parameters": 900_000,
        "parameters_touched_per_word": 0,
        "multiply_adds_per_word": 5,
    }
    held_out = scores[scores["split"] != "train"]
    _write_evaluation(directory, name, NONE, "0" * 64, held_out, about)


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
        split: {
            "sentences": count,
            "tokens": 25 * count,
            "types": 900,
            "words": 24 * count,
            "documents": 12,
            "unk_tokens": count,
            "oov_rate": 0.04 + 0.01 * number,
            "mean_class_size": 49.5,
        }
        for number, (split, count) in enumerate(SENTENCES.items())
    }
    source = {
        "kind": "invented",
        "title": "Invented & random sentences",
        "licence": "CC0",
        "origin": "a random number generator",
    }
    statistics = {
        "corpus": corpus,
        "source": source,
        "articles": 12,
        "splits": splits,
        "vocabulary_size": VOCABULARY,
        "classes": CLASSES,
        "class_rule": "sqrt_frequency",
        "class_sizes": [100, 354],
        "files": {},
        "digest": hashlib.sha256(corpus.encode()).hexdigest(),
    }
    write_json(files.statistics, statistics)
    _write_arrays(files)
    for split, count in SENTENCES.items():
        lines = [" ".join(random.choice(WORDS, random.integers(4, 25))) for _ in range(count)]
        for path in (files.split(split), files.text(split)):
            path.write_text("".join(f"{line} <b> | _x_\n" for line in lines), encoding="utf-8")


def _write_arrays(files: CorpusDirectory) -> None:
    """A vocabulary in 2 classes, and streams whose sentences have the lengths of the scores."""
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
    """The same for every run: all are tested on the same sentences."""
    random = np.random.default_rng(len(split))
    return random.integers(5, 40, SENTENCES[split]).astype(np.int32)


def _write_training(
    directory: ExperimentDirectory,
    run: Run,
    identity: str,
    online: float,
    random: np.random.Generator,
) -> None:
    files, settings = directory.run(run.name), run.settings
    epochs = int(random.integers(6, 10))
    curve = [online * (0.95 + 2.2 * math.exp(-0.9 * epoch)) for epoch in range(epochs)]
    record = {
        "name": run.name,
        "identity": identity,
        "settings": settings.model_dump(mode="json"),
        "searched": run.searched,
        "corpus_digest": hashlib.sha256(settings.corpus.encode()).hexdigest(),
        "code_digest": hashlib.sha256(b"code").hexdigest(),
        "began": "2026-01-01T12:00:00.000+00:00",
        "host": "node1",
        "slurm_jobs": ["7"],
        "machine": {"processor": "invented", "cores": 2, "system": "none"},
        "versions": {"python": "3.11.0", "numpy": "2.4.6", "pytensor": "3.0.7"},
    }
    write_json(files.run, record)
    metrics = [
        {
            "epoch": number,
            "learning_rate": settings.learning_rate,
            "train_perplexity": valid * 0.9,
            "valid_perplexity": valid,
            "kept": True,
            "words_per_second": 70_000.0 + float(random.normal(0, 900)),
            # No two trainings take as long.
            "seconds": 18.5 + int(identity[:4], 16) / 1e5,
            "cpu_seconds": 18.0,
            "peak_memory_megabytes": 400.0 + number,
        }
        for number, valid in enumerate(curve, start=1)
    ]
    files.metrics.write_text("".join(json.dumps(line) + "\n" for line in metrics))
    files.log.write_text("".join(f"epoch {line['epoch']}\n" for line in metrics))
    hidden, size = settings.hidden_size, settings.document_size
    sizes = Sizes(len(WORDS) + 2, 4, 2, min(size, 3), settings.document_layer if size else "output")
    weight_files.save(parameters.initialise(sizes, 0.1, settings.seed, "float32"), files.model)
    result = {
        "identity": identity,
        "ended": "2026-01-01T12:10:00.000+00:00",
        "epochs": epochs,
        "best_epoch": epochs,
        "valid_perplexity": curve[-1],
        "parameters": 2 * VOCABULARY * hidden + hidden**2 + CLASSES * hidden
        + size * (CLASSES + VOCABULARY),
        "training_multiply_adds_per_word": 3 * hidden**2 + 149.5 * 3 * (hidden + size),
        "words_per_second": float(np.median([line["words_per_second"] for line in metrics])),
        "cpu_seconds": 18.0 * epochs,
        "seconds": sum(line["seconds"] for line in metrics),
    }  # fmt: skip
    write_json(files.result, result)


def _scores(perplexity: float, random: np.random.Generator) -> pd.DataFrame:
    """Per-sentence scores of the three splits; that perplexity, exactly, on `test`."""
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
    about: dict[str, Any],
) -> None:
    splits = {
        str(split): {
            "sentences": len(rows),
            "tokens": int(rows["tokens"].sum()),
            "perplexity": math.exp(-rows["log_probability"].sum() / rows["tokens"].sum()),
            "perplexity_without_unk": 0.9
            * math.exp(-rows["log_probability"].sum() / rows["tokens"].sum()),
            "oov_rate": 0.05,
            "words_per_second": 90_000.0,
        }
        for split, rows in scores.groupby("split", sort=False)
    }
    figures = {"run": run, "identity": identity, "evaluation": evaluation, **about}
    write_json(directory.evaluation(run, evaluation), {**figures, "splits": splits})
    scores.to_parquet(directory.sentence_scores(run, evaluation), index=False)
    test = scores[scores["split"] == "test"]
    # Every token of a sentence has the same share of its score.
    shares = (test["log_probability"] / test["tokens"]).to_numpy()
    tokens = np.repeat(shares, test["tokens"]).astype(np.float32)
    np.save(directory.token_scores(run, evaluation), tokens)
