"""Tests that hold for every verb that uses a trained model."""

import os
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from online_rnnlm.commands import _main as cli
from tests.waiting import heeding_interrupts

pytestmark = pytest.mark.slow  # a training, and processes

VERBS = sorted(
    verb
    for verb, module in cli.verbs().items()
    if hasattr(import_module(f"online_rnnlm.commands.{module}"), "EXAMPLE")
)
VERBS_OF_MODELS = {
    *("compare", "export", "info", "nearest", "rescore", "sample", "score", "serve", "vectors"),
}
ROOT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def example(verb: str) -> str:
    module = import_module(f"online_rnnlm.commands.{cli.verbs()[verb]}")
    [line] = [line for line in module.EXAMPLE.splitlines() if line.startswith("example: ")]
    return line.removeprefix("example: ")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "serve"])  # it does not end
def test_the_help_has_an_example_that_runs(results, tmp_path, run, verb):
    command = example(verb)
    shutil.copy(ROOT / "LICENSE", tmp_path)  # a text of the folder that users are in
    assert command in run(verb, "--help").out
    done = subprocess.run(
        command.replace("results/demo", str(results.path)),
        shell=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout and "Traceback" not in done.stderr


def test_there_are_verbs_for_trained_models():
    assert set(VERBS) >= VERBS_OF_MODELS


def test_files_may_stand_after_options(model_path, run, refused, tmp_path, capfd):
    (tmp_path / "a").write_text("The cat sees the hen.\n")
    (tmp_path / "b").write_text("The ship.\nThe whale.\n")
    texts = [tmp_path / "a", tmp_path / "b"]
    outputs = {
        run("score", *arguments).out
        for arguments in (
            [model_path, *texts, "--static", "--per", "total"],
            [model_path, "--static", *texts, "--per", "total"],
            [model_path, texts[0], "--static", texts[1], "--per", "total"],
            ["--static", "--per", "total", model_path, *texts],
        )
    }
    assert len(outputs) == 1 and outputs.pop().startswith("3 sentences, ")
    for wrong in ([model_path, "--statik", texts[0]], [model_path, texts[0], "--no"]):
        found = run("score", *wrong)
        assert found.status == 2 and "unrecognized arguments: --" in found.err
    assert run("info", model_path, texts[0]).status == 2


def test_ctrl_c_ends_it_without_a_traceback(model_path):
    command = [sys.executable, "-m", "online_rnnlm", "score", str(model_path), "--flush"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(heeding_interrupts(command), text=True, **pipes) as process:
        process.stdin.write("The cat sees the hen.\n")
        process.stdin.flush()
        assert "log P" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, "")


def test_a_full_disk_is_what_happened(model_path):
    command = f"echo The cat. | {sys.executable} -m online_rnnlm score {model_path} > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("online-rnnlm: error: ") and done.stderr.count("\n") == 1
