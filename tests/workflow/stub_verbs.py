"""The command `online-rnnlm` of a project in which every job takes a moment: its `__main__.py`.

Corpora are really prepared. Training is the real one with the unit tests' stub of an engine, and
writes each start and each begun training into `trained.log`. Every other verb writes its rule's
outputs, with a digest of what it read, so that results are equal exactly if all that they depend on
is equal.
"""

import fcntl
import hashlib
import os
import signal
import sys
from pathlib import Path

PROJECT_OF_TESTS = "{root}"


def main() -> None:
    verb = sys.argv[1]
    options = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=False))
    _die_if_told()
    if verb in ("fetch", "articles", "sentences", "encode", "train"):
        from online_rnnlm.commands._main import main as real

        if verb == "train":
            _stub_training(options["--run"])
        real()
    if verb == "track":
        if "--store" in sys.argv:
            Path(sys.argv[2], "mlflow.db").write_text("a store\n", encoding="utf-8")
        print("entered")
        _note("jobs.log", f"track {sys.argv[-1]}")
        return
    from online_rnnlm.config.loading import load
    from online_rnnlm.storage.paths import experiment_directory

    experiment = load(Path(options["--config"]))
    directory = experiment_directory(experiment.experiment)
    read, made = _files(verb, options, experiment, directory)
    digest = hashlib.sha256(verb.encode())
    for file in read:
        digest.update(str(file).encode() + _content(file))
    for file in made:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        temporary.write_text(f"{file.name} {digest.hexdigest()}\n", encoding="utf-8")
        temporary.replace(file)
    _note("jobs.log", f"{verb} {options.get('--run', '')}")


def _die_if_told() -> None:
    """Kill Snakemake and all its jobs if this is the job of the number KILLED_AFTER."""
    if "KILLED_AFTER" in os.environ:
        with Path("begun.log").open("a+", encoding="utf-8") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.seek(0)
            if len(log.read()) + 1 == int(os.environ["KILLED_AFTER"]):
                os.killpg(0, signal.SIGKILL)
            log.write(".")


def _note(log: str, line: str) -> None:
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def _content(file: Path) -> bytes:
    """Return the part of a file that is the same in every training of a run."""
    if file.name in ("run.json", "metrics.jsonl", "result.json"):
        return b""
    return file.read_bytes()


def _files(verb, options, experiment, directory):
    from online_rnnlm.pipeline import inputs

    from online_rnnlm.storage.shown import figure_files, table_files

    if verb == "evaluate":
        run = next(run for run in experiment.runs() if run.name == options["--run"])
        how = options["--evaluation"]
        read = inputs.evaluation_inputs(experiment, directory, run, how)
        return read, inputs.evaluation_files(directory, run.name, how)
    if verb == "time":
        return inputs.timed_files(experiment, directory), [directory.timings]
    if verb == "audits":
        return inputs.timed_files(experiment, directory), [directory.audits]
    results = inputs.result_files(experiment, directory)
    made = {
        "tables": table_files(experiment, directory),
        "figures": figure_files(experiment, directory),
        "claims": [directory.claims],
        "report": [directory.report, directory.summary],
        "complete": [directory.complete],
    }
    shown = [file for kind in ("tables", "figures", "claims") for file in made[kind]]
    return [*results, *(shown if verb == "report" else [])], made[verb]


def _stub_training(run: str) -> None:
    import pytest

    sys.path.append(PROJECT_OF_TESTS)
    from online_rnnlm.jobs import train as training
    from tests.unit.jobs import stub

    change = pytest.MonkeyPatch()
    stub.use_stub(change)
    begin = training.begin

    def noted(*arguments):
        _note("trained.log", run)
        return begin(*arguments)

    change.setattr(training, "begin", noted)


if __name__ == "__main__":
    main()
