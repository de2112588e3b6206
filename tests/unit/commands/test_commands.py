"""Tests of the command's messages and exit statuses."""

import json
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from online_rnnlm.commands import _main as cli
from online_rnnlm.commands import check
from online_rnnlm.errors import UserError
from online_rnnlm.storage import receipts
from online_rnnlm.storage.modules import module_sources
from online_rnnlm.storage.paths import ExperimentDirectory

ROOT = Path(__file__).parents[3]
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


def test_the_version_is_that_of_the_package(capsys):
    assert _exit("--version") == 0
    assert capsys.readouterr().out == f"online-rnnlm {version('online-rnnlm')}\n"


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


JOBS = ("articles", "sentences", "splits", "vocabulary", "encode", "kernels", "train", "evaluate")


@pytest.mark.parametrize("verb", [*JOBS, "rival"])
def test_jobs_do_not_use_mlflow(verb):
    sources = module_sources(f"commands.{verb}")
    assert not [file for file in sources if "import mlflow" in file.read_text(encoding="utf-8")]


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


OF_RUN = ("--config", "my.yaml", "--run", "vital-M10-D0-seed1")


@pytest.mark.parametrize(
    ("verb", "option", "allowed"),
    [
        (("sentences", "--config", "my.yaml", "--corpus", "vital"), "--threads", "from 1 to 1000"),
        (("ui", "results/test"), "--port", "from 1 to 65535"),
        (("train", *OF_RUN), "--checkpoint-seconds", "above 0"),
        (("track", "results/test"), "--watch", "above 0"),
        (("score", "results/test"), "--learning-rate", "above 0"),
    ],
)
@pytest.mark.parametrize("number", ["0", "-1", "many", "nan", "inf", "9" * 5000, "", "1_0", "٣"])
def test_a_number_that_is_not_allowed_is_one_line(config, capsys, verb, option, allowed, number):
    assert _exit(*verb, f"{option}={number}") == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"argument {option}: " in said and allowed in said
    assert "invalid" not in said  # as argparse calls the name of a function


def test_a_model_is_written_to_no_pipe(config, capsys):
    assert _exit("export", "results/test", "-o", "-") == 2
    assert "a file's name is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [(), ("trian",), ("check", "my.yaml", "my.yaml"), ("check", "--no-such-option"), ("encode",)],
)
def test_arguments_that_no_verb_has_are_refused(config, capsys, arguments):
    assert _exit(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["sentences", "splits", "vocabulary", "encode"])
def test_a_stage_before_the_one_that_it_needs_is_one_line(config, tmp_path, capsys, verb):
    assert _exit(verb, "--config", "my.yaml", "--corpus", "vital") == 1
    said = capsys.readouterr().err
    assert said.startswith("online-rnnlm: error: results/test/corpora/vital/")
    assert said.count("\n") == 1
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("examples/own-text.yaml", "corpora.own.source.file"),
        ("examples/own-tokenised.yaml", "corpora.own.source.train"),
        ("examples/penn-treebank.yaml", "corpora.ptb.source.train"),
        ("published.yaml", "`"),
    ],
)
def test_a_shipped_file_that_cannot_be_run_says_why(config, capsys, file, key):
    assert _exit("check", ROOT / "config" / file) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"online-rnnlm: error: {ROOT / 'config' / file}: ")
    assert said.count("\n") == 1 and key in said


@pytest.mark.parametrize("arguments", [("--evaluation", "none"), ("--further",)])
def test_a_run_that_is_not_trained_yet_cannot_be_tested(config, capsys, arguments):
    assert _exit("evaluate", *OF_RUN, *arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("online-rnnlm: error: ") and said.count("\n") == 1
    assert "vital-M10-D0-seed1/run.json: missing" in said


@pytest.mark.parametrize("place", ["", "config"])
def test_documents_are_written_into_the_project_only(config, tmp_path, capsys, place):
    folder = tmp_path / "elsewhere"
    assert _exit("document", "--project", folder) == 1
    (folder / place).mkdir(parents=True)
    assert _exit("document", "--project", folder) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and all(f"--project {folder}" in error for error in errors)
    assert [path.name for path in folder.rglob("*")] == ([place] if place else [])


@pytest.mark.parametrize("place", ["results", "my.yaml/log", "/proc/nowhere/log", "n" * 300])
def test_a_log_that_cannot_be_written_is_named(config, tmp_path, capsys, place):
    (tmp_path / "results").mkdir()
    assert _exit("check", config, "--log", place) == 1
    assert capsys.readouterr().err.startswith(f"online-rnnlm: error: --log {place}: cannot be")


def test_a_log_takes_no_other_files_place(config, tmp_path, capsys):
    content = config.read_bytes()
    assert _exit("check", config, "--log", config) == 1
    assert f"--log {config}: is another file" in capsys.readouterr().err
    assert config.read_bytes() == content
    for place in ("new", "my.log", "my.log"):
        assert _exit("check", config, "--log", place) == 0


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileNotFoundError(2, "No such file or directory", "gone.npz"), "gone.npz: No such file"),
        (IsADirectoryError(21, "Is a directory", "a-folder"), "a-folder: Is a directory"),
        (MemoryError("Unable to allocate 9 TiB"), "too little memory: Unable to allocate 9 TiB"),
    ],
)
def test_what_the_system_refuses_is_one_line(config, capsys, monkeypatch, error, expected):
    def fail(arguments):
        raise error

    _says(fail, monkeypatch)
    assert _exit("check") == 1
    said = capsys.readouterr().err
    assert said.startswith("online-rnnlm: error: ") and said.count("\n") == 1
    assert expected in said


def test_a_file_may_have_a_name_that_is_no_text(config, tmp_path, capsys):
    strange = config.rename(tmp_path / "\udcff.yaml")
    log = tmp_path / "log"
    assert _exit("check", strange) == 0
    assert _exit("check", tmp_path / "\udcfe.yaml", "--log", log) == 1
    assert "cannot be read" in log.read_text(encoding="utf-8")


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


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_no_error(closed):
    file = ROOT / "config" / "smoke.yaml"
    command = (
        f"{shlex.quote(sys.executable)} -m online_rnnlm check {shlex.quote(str(file))} {closed}"
    )
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_input_is_an_empty_one(monkeypatch):
    def read(arguments):
        with sys.stdin as stream:
            assert stream.buffer.read() == b""

    monkeypatch.setattr(sys, "stdin", None)
    _says(read, monkeypatch)
    assert _exit("check") == 0


@pytest.mark.parametrize("verb", ["tables", "figures", "claims", "neighbours", "report"])
def test_results_of_a_corpus_with_other_settings_are_not_shown(tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    values = {
        "experiment": "test",
        "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [{"hidden_size": 8}],
    }
    made_with = Path("results/test/config.json")
    made_with.parent.mkdir(parents=True)
    made_with.write_text(json.dumps(values), encoding="utf-8")
    values["corpora"]["vital"]["vocabulary"] = {"min_count": 2}
    Path("other.yaml").write_text(json.dumps(values), encoding="utf-8")
    assert _exit(verb, "--config", "other.yaml") == 1
    said = capsys.readouterr().err
    assert said.startswith("online-rnnlm: error: other.yaml: `corpora.vital`: has other settings")
    assert said.count("\n") == 1


@pytest.mark.parametrize("verb", ["tables", "figures", "claims", "neighbours", "report"])
def test_results_that_were_edited_are_not_shown(tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    directory = ExperimentDirectory(Path("results/test"))
    file = directory.evaluation("run", "none")
    job = receipts.Job("evaluate", "run", (), (file,), "0" * 64)
    receipts.write_order(directory, job, again=False)
    with receipts.recording(directory, job):
        file.parent.mkdir(parents=True)
        file.write_text("6.4")
    file.write_text("2.4")
    values = {
        "experiment": "test",
        "corpora": {"vital": {"source": {"kind": "wikipedia-vital"}}},
        "rows": [{"hidden_size": 8}],
    }
    Path("my.yaml").write_text(json.dumps(values), encoding="utf-8")
    assert _exit(verb, "--config", "my.yaml") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"online-rnnlm: error: {file}: changed since it was made")
