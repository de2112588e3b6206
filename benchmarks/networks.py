"""Speed of training other networks, and of other ways to read the text, beside the paper's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.arithmetic import training_flops
from benchmarks.context import HIDDEN_SIZE, ONLINE, STATIC, Context, new_trainer
from benchmarks.measure import REFERENCE, Task, interleaved, rates, ratios, summary
from benchmarks.rows import Target, row
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.corpus import Corpus
from online_rnnlm.engines.lanes import segments_of, side_by_side
from online_rnnlm.model.sizes import sizes_for

SENTENCES, SENTENCES_A_DOCUMENT = 12_800, 20
PAPERS = {"document_size": STATIC}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Target]] = {
    "documents, D = 0": ({"unit_of_text": "document"}, PAPERS, Target(0.9)),
    f"documents, D = {ONLINE}": (
        {"unit_of_text": "document", "document_size": ONLINE},
        {"document_size": ONLINE},
        Target(0.9),
    ),
    "LSTM": ({"cell": "lstm"}, PAPERS, Target(0.3)),
    "GRU": ({"cell": "gru"}, PAPERS, Target(0.35)),
    f"{ONLINE} slow context units": ({"context_size": ONLINE}, PAPERS, Target(0.75)),
    "dropout before the output layer": ({"dropout": 0.2}, PAPERS, Target(0.9)),
    f"gradients through the vector's updates, D = {ONLINE}": (
        {"document_gradient": "through", "document_size": ONLINE},
        {"document_size": ONLINE},
        Target(0.7),
    ),
}
"""By name: the settings, those of the network that it is compared with, and the least ratio."""


def networks(context: Context) -> dict[str, Any]:
    """Measure the speed of training, relative to the same network of the paper by sentences.

    The text is the first training sentences in their order, cut into documents of equal numbers of
    sentences.
    """
    number = SENTENCES // 50 if context.options.quick else SENTENCES
    corpus = _documents(context.main.corpus, number)
    tasks: dict[str, Task] = {}
    for name, (changes, usual, _) in CASES.items():
        tasks[name] = _pass(_settings(context, changes), corpus)
        tasks.setdefault(str(usual), _pass(_settings(context, usual), corpus))
    samples = interleaved(tasks, context.options.repeats)
    rows = []
    for name, (changes, usual, target) in CASES.items():
        settings = _settings(context, changes)
        sizes, mean = sizes_for(settings, corpus), corpus.mean_class_size("train")
        flops = training_flops(sizes, mean, goes_through=settings.goes_through_updates)
        speeds = rates(samples[name])
        bounds = [speed / flops for speed in rates(samples[REFERENCE])]
        rows.append(
            row(
                f"training, {name}: words/s relative to the paper's network by sentences",
                "ratio",
                ratios(speeds, rates(samples[str(usual)])),
                target,
                words_per_second=summary(speeds)["median"],
                share_of_bound=summary(ratios(speeds, bounds))["median"],
            )
        )
    return {"rows": rows}


def _settings(context: Context, changes: dict[str, Any]) -> RunSettings:
    size = changes.get("document_size", STATIC)
    others = {key: value for key, value in changes.items() if key != "document_size"}
    return context.settings(size, hidden_size=HIDDEN_SIZE, **others)


def _documents(corpus: Corpus, sentences: int) -> Corpus:
    """Return the corpus with the first training sentences only, in documents."""
    split = corpus.splits["train"]
    number = min(sentences, split.sentences)
    offsets = split.offsets[: number + 1]
    articles = (np.arange(number) // SENTENCES_A_DOCUMENT).astype(np.int32)
    stream = np.array(split.stream[: offsets[-1] + 1])
    few = replace(split, stream=stream, offsets=offsets, articles=articles)
    return replace(corpus, splits={**corpus.splits, "train": few})


def _pass(settings: RunSettings, corpus: Corpus) -> Task:
    """Return a task that trains on the whole text once."""
    trainer, segments = new_trainer(settings, corpus), segments_of(corpus.splits["train"], settings)
    order = np.random.default_rng(0).permutation(len(segments.units) - 1)
    batches = side_by_side(segments.units, order, len(trainer.carried.documents))

    def learn() -> float:
        trainer.update(batches, settings.learning_rate)
        return corpus.splits["train"].tokens

    return learn
