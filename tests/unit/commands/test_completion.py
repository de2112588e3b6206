"""Tests that bash completes the command by the script that it prints."""

from pathlib import Path

import pytest

from online_rnnlm.commands import _main as cli
from tests.unit.processes import output_of

COMPLETE = """
source completion
function=$(complete -p online-rnnlm | sed "s/.* -F \\([^ ]*\\) .*/\\1/")
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
$function online-rnnlm "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path, run) -> Path:
    (tmp_path / "completion").write_text(run("completion", "bash").out)
    (tmp_path / "notes.txt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sco"], {"score"}),
        (["s"], {"sample", "score", "sentences", "show"}),
        (["score", "--unit"], {"--unit-of-text"}),
        (["score", "m.onlm", "--per", ""], {"word", "sentence", "document", "total"}),
        (["score", "no"], {"notes.txt"}),
        (["vectors", "m.onlm", "--npy", "no"], {"notes.txt"}),
        (["completion", ""], {"bash", "zsh"}),
    ],
)
def test_bash_completes_verbs_options_and_files(script, words, expected):
    done = output_of(["bash", "-c", COMPLETE, "bash", "online-rnnlm", *words], cwd=script)
    assert set(done.stdout.split()) == expected, done.stderr


def test_zsh_gets_a_script_of_its_own(run):
    script = run("completion", "zsh").out
    assert script.startswith("#compdef online-rnnlm") and "--unit-of-text" in script


def test_a_named_verb_alone_is_parsed_as_among_all(capsys):
    for name in ("score", "vectors"):
        helps = []
        for parser in (cli.make_parser(), cli.make_parser(name)):
            with pytest.raises(SystemExit):
                parser.parse_args([name, "--help"])
            helps.append(capsys.readouterr().out)
        assert helps[0] == helps[1]
