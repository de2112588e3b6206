"""An invented experiment directory: random numbers in the formats of docs/data-formats.md."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from online_rnnlm.config import evaluations
from online_rnnlm.config.plan import Plan, parse
from online_rnnlm.config.rivals import MIXTURE
from online_rnnlm.config.runs import Run
from online_rnnlm.config.testing import TestingSettings
from online_rnnlm.core import parameters
from online_rnnlm.core.adaptation import DOCUMENT_VECTOR, NONE, PARTS, Adaptation
from online_rnnlm.core.arrays import Floats
from online_rnnlm.core.sizes import Sizes
from online_rnnlm.corpora.corpus import Corpus, digest_of_files, load_corpus
from online_rnnlm.corpora.records import SentenceSplitter
from online_rnnlm.jobs.choice import resolve
from online_rnnlm.jobs.evaluation_files import EvaluationFiles
from online_rnnlm.jobs.network import Tested
from online_rnnlm.storage import records, weight_files
from online_rnnlm.storage.audits import Audit, AuditedRule, RuleName
from online_rnnlm.storage.evaluations import Costs, Mixture, Timing, Timings, Trial
from online_rnnlm.storage.experiments import Audits
from online_rnnlm.storage.files import sha256_of, write_json
from online_rnnlm.storage.paths import HELD_OUT, ExperimentDirectory
from online_rnnlm.storage.records import Number
from online_rnnlm.storage.runs import Epoch
from tests.unit import small_records

ROWS = [(100, 0), (120, 0), (100, 20), (135, 0), (100, 35)]
SENTENCES = {"train": 60, "valid": 40, "test": 50}
OF_ANOTHER_KIND = 24
"""Number of sentences of a text of another kind."""
VOCABULARY = 15_332
CLASSES = 100
WORDS = [f"invented{i}" for i in range(50)]
CORPUS_DIGEST = digest_of_files({})


def experiment(**changes: Any) -> Plan:
    """Return the demo's rows on an invented corpus; `changes` replace parts of the settings."""
    values: dict[str, Any] = {
        "experiment": "invented",
        "corpora": {"invented": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [
            {"hidden_size": hidden, "document_size": size, "learning_rate": 0.1 if size else 0.2}
            for hidden, size in ROWS
        ],
        "digits": small_records.NO_DIGITS,
    }
    plan = parse(values | changes)
    assert isinstance(plan, Plan)
    return plan


def write(
    path: Path, described: Plan, perplexities: dict[str, float] | None = None
) -> ExperimentDirectory:
    """Write all files of an experiment's runs; `perplexities` are test perplexities by network."""
    directory = ExperimentDirectory(path)
    write_json(directory.configuration, described.model_dump(mode="json"))
    for name in described.corpora:
        _write_corpus(directory, name, described.testing)
    for run in described.trainings():
        write_run(directory, resolve(run, directory), perplexities or {})
    for name, rival in described.corpus_rivals.items():
        corpus = load_corpus(directory.corpus(rival.corpus_folder), described.testing.other_texts)
        logs = _log_probabilities(corpus, corpus.held_out, 120.0, np.random.default_rng(5))
        costs = Costs(parameters_touched_per_word=0, multiply_adds_per_word=5)
        files = EvaluationFiles(directory, corpus, name, small_records.DIGEST, NONE)
        files.write(Tested(logs, _seconds(logs), costs, parameters=900_000))
    write_timings(directory, described)
    write_audits(directory, described)
    return directory


def write_audits(
    directory: ExperimentDirectory,
    described: Plan,
    broken: Mapping[str, RuleName] | None = None,
) -> None:
    """Write the audits of all networks; `broken` are rules that are broken, by network."""
    audits = []
    for row in described.planned_rows:
        network_name = row.runs[0].network_name
        rule = (broken or {}).get(network_name)
        rules = (AuditedRule(rule=rule, status="broken", said="it is"),) if rule else ()
        name = f"{network_name} on {row.runs[0].settings.corpus}"
        audits.append(Audit(name=name, tolerance=0.1, rules=rules))
    records.write(directory.audits, Audits(audits=tuple(audits)))


def write_timings(
    directory: ExperimentDirectory,
    described: Plan,
    slower: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write the networks' times; `slower` are factors for each round, by network."""
    timings = []
    for row in described.planned_rows:
        name = row.runs[0].network_name
        settings = row.runs[0].settings
        factors = (slower or {}).get(name, (1.0, 1.01, 1.02))
        testing = row.runs[0].testing
        state = [one.name for one in evaluations.adaptations_of_state(settings, testing)]
        for evaluation in evaluations.timed_evaluations(settings, testing):
            once = 1e-9 * settings.hidden_size**2 * (1 + settings.document_size / 100)
            # The second that changes no weights takes half of the time; what is added, ten times.
            once *= 1 / (1 + state.index(evaluation)) if evaluation in state else 10
            timings.append(
                Timing(
                    corpus=settings.corpus,
                    network=name,
                    evaluation=evaluation,
                    tokens=50_000,
                    seconds_per_word=tuple(once * factor for factor in factors),
                )
            )
    machine = small_records.run_record().machine
    records.write(directory.timings, Timings(machine=machine, timings=tuple(timings)))


def write_run(
    directory: ExperimentDirectory,
    run: Run,
    perplexities: dict[str, float],
) -> None:
    """Write one run, trained on the corpus that the folder holds, and its evaluations."""
    random = np.random.default_rng(list(run.name.encode()))
    hidden = run.settings.hidden_size
    size = run.settings.document_size
    # Near those of the demo: a vector and more units help, a rate far from 0.2 does not.
    guess = (95 - size / 8 if size else 112 - hidden / 40) + random.normal(0, 0.4)
    guess *= 1 + 0.02 * abs(math.log(run.settings.learning_rate / 0.2))
    online = perplexities.get(run.network_name, guess)
    _write_training(directory, run, online, random)
    if run.searched:
        return
    frozen = online * 1.35 if size else online  # a network with a vector relies on it
    targets = {NONE: frozen, evaluations.main_adaptation(size).name: online}
    testing = run.testing
    corpus = load_corpus(directory.corpus(run.corpus_folder), testing.other_texts)
    for name, evaluation in run.evaluations.items():
        texts = corpus.splits if name in targets else corpus.held_out
        logs = _log_probabilities(corpus, texts, targets.get(name, online * 1.01), random)
        vectors = {}
        if name == DOCUMENT_VECTOR:
            vectors = {split: random.normal(size=(SENTENCES[split], size)) for split in HELD_OUT}
        tried = _tried(evaluation)
        found = Tested(
            logs,
            _seconds(logs),
            _costs(evaluation, hidden, size),
            chosen=tried[0] if tried else {},
            curve=[
                Trial(settings=settings, valid_perplexity=90.0 + 2 * number)
                for number, settings in enumerate(tried)
            ],
            vectors=vectors,
        )
        if evaluation == MIXTURE:
            parts = ["network", *(part.name for part in testing.rivals_by_name[MIXTURE].parts)]
            chosen = dict.fromkeys(parts, 1 / len(parts))
            found = replace(found, curve=(), chosen=chosen, mixtures=_mixtures(parts))
        files = EvaluationFiles(
            directory,
            corpus,
            run.name,
            run.identity,
            name,
            adaptation=evaluation if isinstance(evaluation, Adaptation) else None,
            tested_with=evaluations.decisive_settings(evaluation, testing),
        )
        files.write(found)


def _tried(evaluation: Adaptation | str) -> list[dict[str, Number]]:
    """Return the settings that are tried on `valid`, the best one first."""
    if not isinstance(evaluation, Adaptation):
        return [{"window": 100, "weight": 0.1}, {"window": 500, "weight": 0.05}]
    key = "document_rate" if not evaluation.weights else "learning_rate"
    learns = evaluation.parts and evaluation.unit_of_text
    return [{key: rate} for rate in (0.01, 0.03, 0.1)] if learns else []


def _costs(evaluation: Adaptation | str, hidden: int, size: int) -> Costs:
    everything = isinstance(evaluation, Adaptation) and evaluation.parts == PARTS
    adds = hidden**2 + 149.5 * (hidden + (0 if evaluation == Adaptation() else 2 * size))
    return Costs(
        parameters_touched_per_word=40_000.0 if everything else float(size),
        multiply_adds_per_word=5 * adds if everything else adds,
    )


def _mixtures(parts: list[str]) -> list[Mixture]:
    """Mixtures of equal parts; the network with rival k alone has 60 + k, and all parts without it
    have 50 + k."""
    network, *rivals = parts
    reached = {}
    for number, rival in enumerate(rivals):
        reached[frozenset(parts) - {rival}] = 50.0 + number
        reached[frozenset([network, rival])] = 60.0 + number
    return [
        Mixture(
            weights=dict.fromkeys(names, 1 / len(names)),
            valid_perplexity=perplexity,
            test_perplexity=perplexity,
        )
        for names, perplexity in reached.items()
    ]


def _write_corpus(directory: ExperimentDirectory, corpus: str, testing: TestingSettings) -> None:
    """Write a corpus of 2 classes, and streams with sentences of different lengths."""
    files = directory.corpus(corpus)
    random = np.random.default_rng(1)
    title = "Invented & random sentences"
    sizes = _sizes(testing.other_texts)
    words = [f"{word}\t{50 - i}\t1" for i, word in enumerate(WORDS)]
    rows = ["word\tcount\tclass", "</s>\t900\t0", "<unk>\t90\t0", *words]
    files.path.mkdir(parents=True, exist_ok=True)
    files.vocabulary.write_text("\n".join(rows) + "\n", encoding="utf-8")
    records.write(files.splitter, SentenceSplitter.nothing())
    articles = [{"title": f"a{i}", "text": "x"} for i in range(20)]
    lines = "".join(json.dumps(article) + "\n" for article in articles)
    files.articles.write_text(lines, encoding="utf-8")
    for split, count in sizes.items():
        texts = [" ".join(random.choice(WORDS, random.integers(4, 25))) for _ in range(count)]
        for path in (files.tokens(split), files.text(split)):
            path.write_text("".join(f"{text} <b> | _x_\n" for text in texts), encoding="utf-8")
        lengths = _lengths(split)
        stream = np.random.default_rng(2).integers(1, len(words) + 2, lengths.sum() + 1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        stream[offsets] = 0
        np.save(files.stream(split), stream.astype(np.int32))
        np.save(files.offsets(split), offsets.astype(np.int64))
        np.save(files.split_articles(split), np.arange(count, dtype=np.int32) // 4)
    statistics = small_records.statistics(
        {split: 20 * count for split, count in sizes.items()},
        corpus=f"{corpus}-3f0a9c21",  # its folder's name, of which no table is to show the digits
        source={"kind": "invented", "title": title, "licence": "CC0", "origin": "random"},
        articles=12,
        dropped={"too short": 5, "duplicate": 4},
        vocabulary_size=VOCABULARY,
        class_sizes=(100, 354),
        files={file.name: sha256_of(file) for file in files.encoded_files(testing.other_texts)},
        digest=CORPUS_DIGEST,
    )
    records.write(files.statistics, statistics)


def _sizes(other_texts: Iterable[str]) -> dict[str, int]:
    return SENTENCES | dict.fromkeys(other_texts, OF_ANOTHER_KIND)


def _lengths(split: str) -> npt.NDArray[np.int32]:
    """Return the sentences' lengths, the same for every run, as all are tested on one text."""
    random = np.random.default_rng(len(split))
    return random.integers(5, 40, SENTENCES.get(split, OF_ANOTHER_KIND)).astype(np.int32)


def _write_training(
    directory: ExperimentDirectory, run: Run, online: float, random: np.random.Generator
) -> None:
    """Write the files of a training."""
    files = directory.run(run.name)
    settings = run.settings
    record = small_records.run_record(
        name=run.name,
        identity=run.identity,
        settings=settings,
        searched=run.searched,
        candidates=run.candidates,
        corpus_digest=CORPUS_DIGEST,
    )
    records.write(files.record, record)
    epochs = _epochs(run, online, random)
    records.write_lines(files.metrics, epochs)
    files.log.write_text("".join(f"epoch {epoch.epoch}\n" for epoch in epochs))
    hidden = settings.hidden_size
    size = settings.document_size
    sizes = Sizes.of(settings.network, len(WORDS) + 2, 2)
    weights = parameters.initialise(sizes, 0.1, settings.seed, settings.precision)
    weight_files.save(weights, files.model)
    outputs = VOCABULARY + CLASSES
    result = small_records.run_result(
        identity=run.identity,
        files={file.name: sha256_of(file) for file in (files.model, files.metrics)},
        ended=record.began + timedelta(minutes=10),
        epochs=len(epochs),
        best_epoch=len(epochs),
        valid_perplexity=epochs[-1].valid_perplexity,
        parameters=VOCABULARY * hidden + hidden**2 + outputs * (hidden + size),
        words_per_second=float(np.median([epoch.words_per_second for epoch in epochs])),
        cpu_seconds=18.0 * len(epochs),
        seconds=sum(epoch.seconds for epoch in epochs),
    )
    records.write(files.result, result)


def _epochs(run: Run, online: float, random: np.random.Generator) -> list[Epoch]:
    """Return the epochs of a training whose perplexity falls towards 0.95 times `online`."""
    return [
        small_records.epoch(
            number,
            learning_rate=run.settings.learning_rate,
            valid_perplexity=online * (0.95 + 2.2 * math.exp(-0.9 * (number - 1))),
            words_per_second=70_000.0 + float(random.normal(0, 900)),
            seconds=18.5 + int(run.identity[:4], 16) / 1e5,  # each training's time is different
            cpu_seconds=18.0,
            peak_memory_megabytes=400.0 + number,
            # The first is as in the records of earlier versions.
            ended=datetime(2026, 1, 1, 12, 30 + number, tzinfo=UTC) if number > 1 else None,
        )
        for number in range(1, int(random.integers(7, 11)))
    ]


def _log_probabilities(
    corpus: Corpus, texts: Iterable[str], perplexity: float, random: np.random.Generator
) -> dict[str, Floats]:
    """Return log P of every token of the texts, with exactly that perplexity on `test`.

    It is the same for all tokens of a sentence.
    """
    factors = {"train": 0.9, "valid": 0.99, "test": 1.0}
    logs = {}
    for text in texts:
        split = corpus.splits[text]
        entropies = math.log(perplexity) + random.normal(0, 0.05, split.sentences)
        of_tokens = np.repeat(entropies, np.diff(split.offsets))
        of_tokens *= factors.get(text, 1.2) * math.log(perplexity) / of_tokens.mean()
        logs[text] = -of_tokens
    return logs


def _seconds(logs: Mapping[str, Floats]) -> dict[str, float]:
    """Return the seconds that the scoring of each text took."""
    return {text: len(scores) / 90_000 for text, scores in logs.items()}
