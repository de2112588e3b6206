"""Tests of the verbs as processes, in a user's environment: their examples, signals and streams."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.commands._main import VERBS, VERBS_BY_PURPOSE
from tests.processes import BARE_ENVIRONMENT, heeding_interrupts, output_of

pytestmark = pytest.mark.slow  # a training, and processes

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "using-a-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def shell(tmp_path):
    """A function that runs a command of the shell, as a user does."""

    return lambda command: output_of(["bash", "-ec", command], cwd=tmp_path, env=BARE_ENVIRONMENT)


@pytest.mark.parametrize("verb", VERBS_BY_PURPOSE["use a trained model"])
def test_the_help_has_an_example_that_runs(results, tmp_path, monkeypatch, run, verb):
    [line] = [line for line in VERBS[verb].example.splitlines() if line.startswith("example: ")]
    command = line.removeprefix("example: ")
    assert command in run(verb, "--help").out
    shutil.copy(ROOT / "LICENSE", tmp_path)  # a text of the folder that users are in
    monkeypatch.chdir(tmp_path)
    for name, options in (("learning.tsv", []), ("frozen.tsv", ["--frozen"])):
        if name in command:
            scores = run("score", "LICENSE", "--per", "word", "--format", "tsv", *options).out
            (tmp_path / name).write_text(scores, encoding="utf-8")
    given, _, used = command.replace("results/demo", str(results.path)).rpartition(" | ")
    text = subprocess.check_output(["bash", "-ec", given]) if given else ""
    found = run(*shlex.split(used)[1:], text=text)
    assert found.status == 0 and found.out, found.err


def test_the_blocks_of_the_page_run(results, names, tmp_path, monkeypatch, run):
    """The small experiment's model with a vector stands for the demo's.

    Verbs run in this process, which has loaded all libraries. What the page shows of the model that
    comes with the project is what is printed.
    """
    assert [kind for kind, _ in BLOCKS].count("sh") >= 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", BARE_ENVIRONMENT["PATH"])
    Path("results").mkdir()
    Path("results/demo").symlink_to(results.run(names.VECTOR).path)
    Path("resources").symlink_to(ROOT / "resources")
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, {})
            continue
        said = ""
        for line in block.splitlines():
            before, _, verb = line.partition("online-rnnlm ")
            if name := re.fullmatch(r"(\w+)=(\S+)", line):
                monkeypatch.setenv(*name.groups())
            elif verb:
                given = subprocess.check_output(["bash", "-ec", before.rstrip(" |")])
                command, _, file = os.path.expandvars(verb).partition(" > ")
                found = run(*shlex.split(command), text=given)
                assert found.status == 0 and found.out, line + found.err
                said += found.out if not file else ""
                if file:
                    Path(file).write_text(found.out, encoding="utf-8")
            else:
                said += subprocess.check_output(["bash", "-ec", line], text=True)
        if block.startswith("lists="):
            assert f"{block}```\n\n    {said}" in PAGE


def test_files_may_stand_after_options(model_path, run, tmp_path):
    first = tmp_path / "a"
    second = tmp_path / "b"
    first.write_text("The cat sees the hen.\n")
    second.write_text("The ship.\nThe whale.\n")
    options = ("--frozen", "--per", "total")
    outputs = [
        run("score", "--model", model_path, *arguments).out
        for arguments in ((first, second, *options), (first, *options, second))
    ]
    assert outputs[0].startswith("3 sentences, ") and outputs[0] == outputs[1]
    found = run("score", first, "--statik", second)
    assert found.status == 2 and "unrecognized arguments: " in found.err


def test_a_line_is_answered_before_the_next_is_read_and_ctrl_c_ends_it_quietly(model_path):
    command = [sys.executable, "-m", "online_rnnlm", "score", "--model", str(model_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = heeding_interrupts([*command, "--flush", "--format", "tsv"])
    with subprocess.Popen(command, env=BARE_ENVIRONMENT, text=True, **pipes) as process:
        for _ in range(2):
            process.stdin.write("The cat sees the hen.\n")
            process.stdin.flush()
            while not (line := process.stdout.readline()).startswith("0\t"):
                assert line.startswith("document\t")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, "")


def test_a_reader_that_has_gone_is_no_error(model_path, tmp_path, shell):
    (tmp_path / "text").write_text("The cat sees the hen.\n" * 20000)
    done = shell(f"online-rnnlm score --model {model_path} text | head -1")
    assert (done.stdout.split()[:2], done.stderr) == (["log", "P"], "")


def test_the_package_offers_to_load_a_model():
    assert "load" in dir(online_rnnlm)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        online_rnnlm.lode  # noqa: B018
