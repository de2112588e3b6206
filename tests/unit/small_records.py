"""A configuration, and records of a run with invented values; a test changes what it needs."""

from datetime import UTC, datetime
from typing import Any

from online_rnnlm.config.plan import Plan, parse
from online_rnnlm.config.training import RunSettings
from online_rnnlm.corpora.records import CorpusSource, SplitStatistics, Statistics, TextPreparation
from online_rnnlm.storage.runs import Epoch, Machine, RunRecord, RunResult

DIGEST = "0" * 64
VITAL = {"source": {"kind": "wikipedia-vital"}}
PREPARATION = TextPreparation(
    tokenised=False, language="any", nfc=True, lowercase=True, max_tokens=100, too_long="drop"
)
NO_DIGITS: dict[str, Any] = {"code": {}, "corpora": {}}
"""The digits of a plan whose folders have names without digits."""
_BEGAN = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


def configuration(**changes: Any) -> dict[str, Any]:
    """A small configuration that is right, as a user writes it."""
    values = {"experiment": "test", "corpora": {"vital": VITAL}, "rows": [{"hidden_size": 10}]}
    return values | changes


def plan(**changes: Any) -> Plan:
    """The plan of a small configuration that is right."""
    planned = parse(configuration(**{"digits": NO_DIGITS, **changes}))
    assert isinstance(planned, Plan)
    return planned


def run_record(**changes: Any) -> RunRecord:
    settings = changes.get("settings", RunSettings(corpus="some", hidden_size=7))
    values = {
        "name": "run",
        "identity": DIGEST,
        "settings": settings,
        "searched": {},
        "candidates": (),
        "corpus_digest": DIGEST,
        "code_digest": DIGEST,
        "began": _BEGAN,
        "host": "node",
        "slurm_jobs": (),
        "machine": Machine(processor="some", cores=2, system="Linux"),
        "python": "3.11.7",
        "packages": {"numpy": "2"},
    }
    return RunRecord.model_validate(values | {"corpus_folder": settings.corpus} | changes)


def run_result(**changes: Any) -> RunResult:
    values = {
        "identity": DIGEST,
        "files": {},
        "ended": _BEGAN,
        "epochs": 2,
        "best_epoch": 2,
        "valid_perplexity": 90.0,
        "parameters": 1000,
        "training_multiply_adds_per_word": 2000.0,
        "words_per_second": 1e5,
        "seconds": 3.0,
        "cpu_seconds": 2.0,
    }
    return RunResult.model_validate(values | changes)


def run_divergence(**changes: Any) -> RunResult:
    values: dict[str, Any] = {"reason": "diverged", "valid_perplexity": None}
    values |= {"epochs": 0, "best_epoch": 0, "words_per_second": 0.0}
    return run_result(**values | changes)


def epoch(number: int = 1, **changes: Any) -> Epoch:
    values = {
        "epoch": number,
        "learning_rate": 0.1,
        "train_perplexity": 100.0,
        "valid_perplexity": 90.0,
        "kept": True,
        "words_per_second": 1e5,
        "seconds": 1.5,
        "cpu_seconds": 1.0,
        "peak_memory_megabytes": 300.0,
    }
    return Epoch.model_validate(values | changes)


def statistics(tokens: dict[str, int], **changes: Any) -> Statistics:
    splits = {
        split: SplitStatistics(
            sentences=number // 20,
            documents=-(-number // 80),  # four sentences each
            tokens=number,
            words=number - number // 20,
            types=number // 10,
            unk_tokens=number // 50,
            oov_rate=0.02,
            in_train=0,
            mean_class_size=80.0,
        )
        for split, number in tokens.items()
    }
    values = {
        "corpus": "some",
        "source": CorpusSource(kind="text", title="some", licence=None, origin="some"),
        "preparation": PREPARATION,
        "articles": None,
        "empty_articles": 0,
        "sentences_read": sum(split.sentences for split in splits.values()),
        "dropped": {},
        "splits": splits,
        "vocabulary_size": 10_000,
        "classes": 100,
        "class_rule": "sqrt_frequency",
        "class_sizes": (100,) * 100,
        "files": {},
        "digest": DIGEST,
    }
    return Statistics.model_validate(values | changes)
