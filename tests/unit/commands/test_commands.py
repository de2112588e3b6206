"""Tests of the command's messages and exit statuses."""

import signal
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from online_rnnlm.commands import _main as cli
from online_rnnlm.config.plan import parse
from online_rnnlm.core.engines.base import CannotCompute
from online_rnnlm.corpora.planning import with_digits
from online_rnnlm.errors import UserError
from online_rnnlm.storage.files import write_json
from online_rnnlm.storage.paths import ExperimentDirectory
from tests.processes import heeding_interrupts, output_of
from tests.project import ROOT
from tests.unit.small_records import configuration

PLANNED = with_digits(parse(configuration()))
[RUN] = [run.name for run in PLANNED.runs()]
CORPUS = PLANNED.digits.folder_of("vital")
RESULTS = "results/test"
OF_RUN = (RESULTS, "--run", RUN)
OF_CORPUS = (RESULTS, "--corpus", CORPUS)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A configuration, in the folder that has its results."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(configuration()), encoding="utf-8")
    write_json(ExperimentDirectory(Path(RESULTS)).configuration, PLANNED.model_dump(mode="json"))
    return path


@pytest.mark.parametrize("empty", ["test", "other"])
def test_a_text_of_empty_lines_is_refused_where_they_are_sentences(config, refused, empty):
    for name in ("train", "valid", "test", "other"):
        text = "\n \n" if name == empty else "the cat sees the hen\n\na hen sees the cat\n"
        Path(f"{name}.txt").write_text(text, encoding="utf-8")
    files = {split: f"{split}.txt" for split in ("train", "valid", "test")}
    sizes = {"vocabulary": {"min_count": 1}, "classes": {"count": 2}}
    corpora = {"vital": {"source": {"kind": "wikitext", **files}, **sizes}}
    testing = {"other_texts": {"other": "other.txt"}}
    planned = with_digits(parse(configuration(corpora=corpora, testing=testing)))
    directory = ExperimentDirectory(Path(RESULTS))
    write_json(directory.configuration, planned.model_dump(mode="json"))
    said = refused("encode", RESULTS, "--corpus", planned.digits.folder_of("vital"))
    assert said == f"{empty}.txt: no text in it: all of its lines are empty"


def test_the_version_is_that_of_the_package(run):
    assert run("--version").out == f"online-rnnlm {version('online-rnnlm')}\n"


@pytest.mark.parametrize(
    ("evaluation", "said"), [("mixture", "run.json: missing"), ("none", "GPU")]
)
def test_scores_of_a_network_of_a_gpu_are_mixed_without_one(
    config, refused, monkeypatch, evaluation, said
):
    monkeypatch.setattr("online_rnnlm.process.devices.DRIVER", "nowhere.so")
    rows = [{"hidden_size": 10, "engine": "jax", "device": "gpu"}]
    testing = {"rivals": ["unigram_cache", "mixture"]}
    planned = with_digits(parse(configuration(rows=rows, testing=testing)))
    write_json(ExperimentDirectory(Path(RESULTS)).configuration, planned.model_dump(mode="json"))
    name = planned.runs()[0].name
    line = refused("evaluate", RESULTS, "--run", name, "--evaluation", evaluation)
    assert said in line


def test_a_right_configuration_is_called_right(config, run):
    found = run("check", config)
    assert found.status == 0 and "can be used: 1 run, 1 evaluation\n" in found.out
    assert run("check", config, "--results").out == f"{RESULTS}\n"


@pytest.mark.parametrize(("device", "extra"), [("cpu", "jax"), ("gpu", "cuda")])
def test_an_engine_that_is_not_installed_is_refused_but_a_gpu_may_be_elsewhere(
    config, run, refused, monkeypatch, device, extra
):
    monkeypatch.setattr("online_rnnlm.process.devices.DRIVER", "nowhere.so")
    training = {"engine": "jax", "device": device}
    config.write_text(yaml.safe_dump(configuration(training=training)), encoding="utf-8")
    monkeypatch.setattr("online_rnnlm.process.devices.find_spec", lambda name: None)
    assert f"the Python module `jax` is not installed: `make {extra}`" in refused("check", config)
    monkeypatch.setattr("online_rnnlm.process.devices.find_spec", lambda name: name)
    assert run("check", config).status == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["train", RESULTS, "--run", "other"], RUN),
        (["train", "results/other", "--run", RUN], "results/other: no experiment is there"),
        (
            ["encode", RESULTS, "--corpus", "other"],
            f"not in the experiment; it has {CORPUS}",
        ),
        (["ui", RESULTS], f"`online-rnnlm track {RESULTS}` enters the runs"),
        (["report", "results/other"], "results/other: no experiment is there"),
        (
            ["rival", RESULTS, "--rival", "vital-kneser_ney5"],
            "kneser_ney5: not in the experiment",
        ),
        (["evaluate", *OF_RUN, "--evaluation", "document_vector"], "like that; allowed: none"),
        (["evaluate", *OF_RUN, "--evaluation", "none"], f"{RUN}/run.json: missing"),
        *(([stage, *OF_CORPUS], f"corpora/{CORPUS}/") for stage in ("sentences", "encode")),
        (
            ["check", str(ROOT / "config/examples/own-text.yaml")],
            "config/examples/own-text.yaml: `corpora.own.source.file`",
        ),
    ],
    ids=str,
)
def test_a_users_mistake_is_one_line(config, tmp_path, refused, arguments, expected):
    assert expected in refused(*arguments, status=1)
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sentences", *OF_CORPUS, "--threads=1001"), "less than or equal to 1000, not '1001'"),
        (("ui", RESULTS, "--port=0"), "greater than or equal to 1, not '0'"),
        (("score", "--learning-rate=0"), "greater than 0, not '0'"),
        (("score", "--unit-of-text=page"), "'sentence', 'document' or 'stream', not 'page'"),
        (("score", "--learn-after=0"), "a number of words from 1 to 1000000000, not '0'"),
        (("sample", "--top-k=many"), "a valid integer"),
        (("rescore", "--weight=inf"), "a finite number, not 'inf'"),
    ],
    ids=str,
)
def test_a_value_that_is_not_allowed_is_one_line(config, refused, arguments, said):
    option = arguments[-1].partition("=")[0]
    line = refused(*arguments, status=2)
    assert f"argument {option}: " in line and said in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["scor", "results/test"], "did you mean `score`?"),
        (["zzz"], "no verb `zzz`"),
        (["--frozen"], "online-rnnlm --help"),
        (["score", "--model", "results/test", "--frozn"], "unrecognized arguments: --frozn"),
        (["sample", "The river"], "unrecognized arguments: The river"),
        (["score", "--model", "results/test", "--format", "jsonlines"], "jsonl"),
        (["show", "text", "--html", "x", "--json"], "--json: not allowed with argument --html"),
    ],
    ids=str,
)
def test_a_wrong_name_is_one_line(config, refused, arguments, expected):
    assert expected in refused(*arguments, status=2)


def test_the_command_alone_lists_its_verbs(run):
    assert run() == run("--help") == run("-h")
    assert run().status == 0
    listed = [line.split()[0] for line in run().out.splitlines() if line.startswith("  ")]
    assert listed == [*cli.VERBS]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileNotFoundError(2, "No such file or directory", "gone.npz"), "gone.npz: No such file"),
        (MemoryError("Unable to allocate 9 TiB"), "too little memory: Unable to allocate 9 TiB"),
        (UserError("first\n  second"), "first second"),
        (CannotCompute("JAX cannot use it"), "JAX cannot use it"),
    ],
)
def test_an_error_is_one_line(config, refused, monkeypatch, error, expected):
    def fail(arguments):
        raise error

    monkeypatch.setitem(cli.VERBS, "check", replace(cli.VERBS["check"], run=fail))
    assert expected in refused("check", status=1)


INTERRUPTED = """
import os, signal, sys

def interrupt(event, about):
    if event == "import" and about[0] == {module!r}:
        os.kill(os.getpid(), signal.SIGINT)

sys.modules.pop("typing", None)
sys.addaudithook(interrupt)
from online_rnnlm.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["typing", "pydantic"])
def test_ctrl_c_while_the_command_is_loaded_is_quiet(config, module):
    """It comes when a module begins to be loaded: before the verb is known, and afterwards."""
    code = INTERRUPTED.format(module=module)
    done = output_of(heeding_interrupts([sys.executable, "-c", code, "check", str(config)]))
    # A process that has ended by the signal itself is 130 to a shell.
    assert done.returncode in (-signal.SIGINT, 130)
    assert (done.stdout, done.stderr) == ("", "")


def test_an_output_that_is_full_is_one_line(config):
    command = f"{sys.executable} -m online_rnnlm check {config} >/dev/full"
    done = output_of(["bash", "-c", command])
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("online-rnnlm: error: ")
    assert "No space left on device" in done.stderr
