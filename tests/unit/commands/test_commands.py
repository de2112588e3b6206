"""Tests of the command's messages and exit statuses."""

import subprocess
import sys

import pytest
import yaml

from online_rnnlm.commands import _main as cli
from online_rnnlm.commands import check
from online_rnnlm.errors import UserError

CONFIGURATION = {
    "experiment": "test",
    "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
    "rows": [{"hidden_size": 10}],
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(CONFIGURATION), encoding="utf-8")
    return path


def _exit(*arguments):
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    return caught.value.code


def _says(function, monkeypatch):
    monkeypatch.setattr(check, "run", function)


@pytest.mark.parametrize("verb", cli.verbs())
def test_every_verb_explains_itself(verb, capsys):
    assert _exit(verb, "--help") == 0
    assert "usage" in capsys.readouterr().out


def test_help_imports_nothing_slow():
    code = (
        "import sys; from online_rnnlm.commands import _main as cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "slow = {'numpy', 'pandas', 'mlflow', 'pytensor', 'numba', 'nltk'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_right_configuration_is_called_right(config, capsys):
    assert _exit("check", config) == 0
    assert "1 runs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["train", "--config", "my.yaml", "--run", "other"], "vital-M10-D0-seed1"),
        (["encode", "--config", "my.yaml", "--corpus", "other"], "no corpus `other`; it has vital"),
        (["ui", "results/test"], "results/test: no runs are there"),
        (["track", "results/test"], "results/test: no runs are there"),
        (["fetch", "--config", "my.yaml", "other.json"], "they need summaries_en-us.json"),
        (["rival", "--config", "my.yaml", "--rival", "vital-kneser_ney5"], "no rival `vital-kn"),
        (
            [
                *("evaluate", "--config", "my.yaml"),
                *("--run", "vital-M10-D0-seed1", "--evaluation", "document_vector"),
            ],
            "is not tested like that; allowed: none",
        ),
    ],
)
def test_a_users_mistake_is_one_line(config, capsys, arguments, expected):
    assert _exit(*arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("online-rnnlm: error: ")
    assert said.count("\n") == 1
    assert expected in said


@pytest.mark.parametrize("threads", ["0", "-1", "many"])
def test_a_number_of_threads_is_positive(config, threads, capsys):
    assert _exit("encode", "--config", config, "--corpus", "vital", "--threads", threads) == 2
    assert "--threads" in capsys.readouterr().err


def test_the_error_is_the_logs_last_line(config, tmp_path, capsys):
    log = tmp_path / "logs" / "job.log"
    assert _exit("check", "nowhere.yaml", "--log", log) == 1
    assert log.read_text(encoding="utf-8").splitlines()[-1] == capsys.readouterr().err.strip()


def test_a_message_of_several_lines_becomes_one(config, capsys, monkeypatch):
    def fail(arguments):
        raise UserError("first\n  second")

    _says(fail, monkeypatch)
    assert _exit("check") == 1
    assert capsys.readouterr().err == "online-rnnlm: error: first second\n"


def test_ctrl_c_is_quiet(config, capsys, monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    _says(interrupt, monkeypatch)
    assert _exit("check") == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_gone_is_no_error(config):
    command = f"{sys.executable} -m online_rnnlm check {config} | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
