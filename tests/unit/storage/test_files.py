"""Tests that files are written as a whole or not at all."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from online_rnnlm.errors import UserError
from online_rnnlm.storage import files


def test_replacing_leaves_what_was_there_if_the_block_fails(tmp_path):
    path = tmp_path / "folder" / "file"
    with files.replacing(path) as temporary:
        temporary.write_text("old")
    with pytest.raises(ValueError, match="broken"), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise ValueError("broken")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


def test_leftovers_of_a_killed_process_are_removed_by_the_next_that_writes(tmp_path):
    path = tmp_path / "file"
    other = tmp_path / ".other.1.tmp"
    for left in (tmp_path / ".file.1.tmp", tmp_path / ".file.999999.tmp", other):
        left.write_text("half")
    with files.replacing(path) as temporary:
        temporary.write_text("whole")
    assert {file.name for file in tmp_path.iterdir()} == {"file", other.name}


def test_a_file_that_a_living_process_writes_is_left_alone(tmp_path):
    path = tmp_path / "file"
    code = (
        "import sys; from pathlib import Path; from online_rnnlm.storage import files\n"
        "with files.replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('theirs'); print('begun', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with files.replacing(path) as temporary:
            temporary.write_text("ours")
        assert path.read_text() == "ours"
        process.communicate("")
    assert process.returncode == 0
    assert path.read_text() == "theirs"


def test_without_locks_a_file_is_whole_all_the_same_and_leftovers_stay(tmp_path, monkeypatch):
    def unsupported(file, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    left = tmp_path / ".file.1.tmp"
    path = tmp_path / "file"
    left.write_text("half")
    with files.replacing(path) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert set(tmp_path.iterdir()) == {left, path}


def test_a_mistake_in_reading_is_not_called_one_in_writing(tmp_path):
    with pytest.raises(FileNotFoundError), files.replacing(tmp_path / "file"):
        (tmp_path / "missing").read_text()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_an_output_follows_a_link_and_replaces_no_pipe(tmp_path, kind):
    path = tmp_path / "out"
    there = tmp_path / "there"
    reader = None
    if kind == "pipe":
        os.mkfifo(path)
        reader = subprocess.Popen(["cat", path], stdout=subprocess.PIPE)
    else:
        path.symlink_to(there)
        there.write_text("old")
        if kind == "dangling link":
            there.unlink()
    with files.writing_output(path) as temporary:
        temporary.write_text("new")
    if reader is not None:
        assert reader.communicate()[0] == b"new" and path.is_fifo()
    else:
        assert path.is_symlink() and there.read_text() == "new"


def test_an_output_makes_no_folders(tmp_path):
    path = tmp_path / "typo" / "file"
    with (
        pytest.raises(UserError, match=f"{path}: cannot be written: there is no folder"),
        files.writing_output(path),
    ):
        raise AssertionError("the block must not begin")
    assert not path.parent.exists()
