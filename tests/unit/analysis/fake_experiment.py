"""A clearly invented experiment directory: random numbers in the formats of the contract."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from online_rnnlm import configuration
from online_rnnlm.configuration import Experiment, Run, TestingSettings
from online_rnnlm.runs import (
    ExperimentDirectory,
    final_updates,
    read_json,
    updates_of,
    write_json,
)
from online_rnnlm.updates import changes_weights

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
    return configuration.parse(values | changes)


def write(
    path: Path, described: Experiment, perplexities: dict[str, float] | None = None
) -> ExperimentDirectory:
    """Write all files of an experiment's runs; `perplexities`: test perplexity by M/D."""
    directory = ExperimentDirectory(path)
    for corpus in described.corpora:
        _write_corpus(directory, corpus)
    for run in described.runs():
        write_run(directory, run, perplexities or {})
        for updates in updates_of(run.settings.document_size, described.testing.updates):
            if changes_weights(updates):
                write_learning_weights(directory, run, updates, described.testing)
    return directory


def write_learning_weights(
    directory: ExperimentDirectory, run: Run, updates: str, testing: TestingSettings
) -> None:
    """Write an evaluation in which weights learn: without `train`, with the settings."""
    identity = read_json(directory.run(run.name).run)["identity"]
    scores = _scores(99.0, np.random.default_rng(1))
    _write_evaluation(directory, run, updates, identity, scores[scores["split"] != "train"])
    path = directory.evaluation(run.name, updates)
    settings = testing.model_dump(mode="json", exclude={"updates"})
    write_json(path, {**read_json(path), "testing": settings})


def write_run(
    directory: ExperimentDirectory, run: Run, perplexities: dict[str, float], salt: str = ""
) -> None:
    """Write one run and its evaluations; another `salt` makes another identity."""
    random = np.random.default_rng(list(f"{run.name}{salt}".encode()))
    identity = hashlib.sha256(f"{run.name}{salt}".encode()).hexdigest()
    online, still = _perplexities(run, perplexities, random)
    _write_training(directory, run, identity, online, random)
    for updates in updates_of(run.settings.document_size):
        target = online if updates == final_updates(run.settings.document_size) else still
        scores = _scores(target, random)
        _write_evaluation(directory, run, updates, identity, scores)
    if run.settings.document_size:
        vectors = random.normal(size=(SENTENCES["test"], run.settings.document_size))
        path = directory.document_vectors(run.name)
        np.save(path, vectors.astype(np.float32))


def _perplexities(
    run: Run, wanted: dict[str, float], random: np.random.Generator
) -> tuple[float, float]:
    hidden, size = run.settings.hidden_size, run.settings.document_size
    guess = (95 - size / 8 if size else 112 - hidden / 40) + random.normal(0, 0.4)
    guess *= 1 + 0.02 * abs(math.log(run.settings.learning_rate / 0.2))
    online = wanted.get(f"{hidden}/{size}", guess)
    return online, online * 1.35 if size else online


def _write_corpus(directory: ExperimentDirectory, corpus: str) -> None:
    random = np.random.default_rng(1)
    files = directory.corpus(corpus)
    splits = {
        split: {
            "sentences": count,
            "tokens": 25 * count,
            "types": 900,
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
    for split, count in SENTENCES.items():
        lines = [" ".join(random.choice(WORDS, random.integers(4, 25))) for _ in range(count)]
        for path in (files.split(split), files.text(split)):
            path.write_text("".join(f"{line} <b> | _x_\n" for line in lines), encoding="utf-8")


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
            "seconds": 18.5,
            "cpu_seconds": 18.0,
        }
        for number, valid in enumerate(curve, start=1)
    ]
    files.metrics.write_text("".join(json.dumps(line) + "\n" for line in metrics))
    files.log.write_text("".join(f"epoch {line['epoch']}\n" for line in metrics))
    np.savez(files.model, recurrent=np.zeros((2, 2), np.float32))
    hidden, size = settings.hidden_size, settings.document_size
    result = {
        "identity": identity,
        "epochs": epochs,
        "best_epoch": epochs,
        "valid_perplexity": curve[-1],
        "parameters": 2 * VOCABULARY * hidden + hidden**2 + CLASSES * hidden
        + size * (CLASSES + VOCABULARY),
        "multiply_adds_per_word": hidden**2 + 149.5 * (hidden + 2 * size),
        "words_per_second": float(np.median([line["words_per_second"] for line in metrics])),
        "cpu_seconds": 18.0 * epochs,
        "seconds": 18.5 * epochs,
    }  # fmt: skip
    write_json(files.result, result)


def _scores(perplexity: float, random: np.random.Generator) -> pd.DataFrame:
    """Per-sentence scores of the three splits; that perplexity, exactly, on `test`."""
    frames = []
    for split, count in SENTENCES.items():
        # The same lengths for every run: all are tested on the same sentences.
        tokens = np.random.default_rng(len(split)).integers(5, 40, count).astype(np.int32)
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
    directory: ExperimentDirectory, run: Run, updates: str, identity: str, scores: pd.DataFrame
) -> None:
    splits = {
        str(split): {
            "sentences": len(rows),
            "tokens": int(rows["tokens"].sum()),
            "perplexity": math.exp(-rows["log_probability"].sum() / rows["tokens"].sum()),
            "perplexity_without_unk": 1.0,
            "oov_rate": 0.05,
            "words_per_second": 90_000.0,
        }
        for split, rows in scores.groupby("split", sort=False)
    }
    figures = {"run": run.name, "identity": identity, "updates": updates, "splits": splits}
    write_json(directory.evaluation(run.name, updates), figures)
    scores.to_parquet(directory.sentence_scores(run.name, updates), index=False)
