"""Work that needs a process of its own: `python -m benchmarks.worker VERB …` prints JSON.

`speed`: print `ready`; then read numbers, one a line, and learn for that many seconds each.
`memory`: train one run; print the peak memory of the process.
`train`: train one run of the experiment that the corpus belongs to; print the processor time.
`start`: print the time at which each step up to the first update is done.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.hardware import peak_memory

BEGAN = time.perf_counter()


def main(verb: str, corpus: str, settings: str) -> None:
    """Run one verb on a prepared corpus, with the settings of a run as JSON."""
    prepare_process()
    verbs = {"speed": _speed, "memory": _memory, "train": _train, "start": _start}
    verbs[verb](Path(corpus), json.loads(settings))


def _say(value: object) -> None:
    print(json.dumps(value), flush=True)


def _speed(corpus_directory: Path, values: dict[str, object]) -> None:
    # These load numerical libraries, which must be imported after `prepare_process`.
    import numpy as np  # noqa: PLC0415

    from benchmarks.context import learn_from, new_trainer, words_in  # noqa: PLC0415
    from online_rnnlm.config.training import RunSettings  # noqa: PLC0415
    from online_rnnlm.corpora.corpus import load_corpus  # noqa: PLC0415
    from online_rnnlm.storage.paths import CorpusDirectory  # noqa: PLC0415
    from online_rnnlm.training.epoch import SEGMENTS_A_CALL  # noqa: PLC0415

    corpus, settings = (
        load_corpus(CorpusDirectory(corpus_directory)),
        RunSettings.model_validate(values),
    )
    trainer = new_trainer(settings, corpus)
    chance = np.random.default_rng(settings.seed)
    part = chance.permutation(corpus.splits["train"].sentences)[:SEGMENTS_A_CALL]
    learn_from(trainer, settings, part)
    _say("ready")
    for line in sys.stdin:
        words, began, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < float(line):
            part = chance.integers(0, corpus.splits["train"].sentences, SEGMENTS_A_CALL)
            learn_from(trainer, settings, part)
            words += words_in(corpus, part)
        seconds = time.perf_counter() - began
        _say({"words": words, "seconds": seconds, "cpu": time.process_time() - cpu})


def _memory(corpus_directory: Path, values: dict[str, object]) -> None:
    from online_rnnlm.config.runs import Run  # noqa: PLC0415
    from online_rnnlm.config.training import RunSettings  # noqa: PLC0415
    from online_rnnlm.storage.paths import CorpusDirectory, RunDirectory  # noqa: PLC0415
    from online_rnnlm.training.train import train  # noqa: PLC0415

    imported = peak_memory()
    run = Run(settings=RunSettings.model_validate(values))
    with tempfile.TemporaryDirectory() as folder:
        train(run, CorpusDirectory(corpus_directory), RunDirectory(Path(folder) / "run"))
    _say({"peak": peak_memory(), "imported": imported})


def _train(corpus_directory: Path, values: dict[str, object]) -> None:
    from online_rnnlm.config.runs import Run  # noqa: PLC0415
    from online_rnnlm.config.training import RunSettings  # noqa: PLC0415
    from online_rnnlm.storage.paths import CorpusDirectory, ExperimentDirectory  # noqa: PLC0415
    from online_rnnlm.training.train import train  # noqa: PLC0415

    run = Run(settings=RunSettings.model_validate(values))
    directory = ExperimentDirectory(corpus_directory.parents[1])
    train(run, CorpusDirectory(corpus_directory), directory.run(run.name))
    _say({"cpu": time.process_time()})


def _start(corpus_directory: Path, values: dict[str, object]) -> None:
    import numpy as np  # noqa: PLC0415

    from benchmarks.context import learn_from, new_trainer  # noqa: PLC0415
    from online_rnnlm.config.training import RunSettings  # noqa: PLC0415
    from online_rnnlm.corpora.corpus import load_corpus  # noqa: PLC0415
    from online_rnnlm.storage.paths import CorpusDirectory  # noqa: PLC0415

    times = {"imports": time.perf_counter() - BEGAN}
    corpus, settings = (
        load_corpus(CorpusDirectory(corpus_directory)),
        RunSettings.model_validate(values),
    )
    times["corpus"] = time.perf_counter() - BEGAN
    trainer = new_trainer(settings, corpus)
    times["trainer"] = time.perf_counter() - BEGAN
    learn_from(trainer, settings, np.arange(settings.batch_sentences))
    times["update"] = time.perf_counter() - BEGAN
    _say(times)


if __name__ == "__main__":
    main(*sys.argv[1:])
