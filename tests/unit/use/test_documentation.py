"""Tests that the blocks of docs/using-a-model.md run, one after the other, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a training, and every verb

PAGE = (Path(__file__).parents[3] / "docs" / "using-a-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_has_blocks_of_both_kinds():
    kinds = [kind for kind, _ in BLOCKS]
    assert kinds.count("sh") >= 5 and kinds.count("python") >= 1
    assert set(kinds) == {"sh", "python"}


def test_the_blocks_run(results, names, tmp_path):
    """The small experiment's model with a vector stands for the demo's."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "demo").symlink_to(results.run(names.VECTOR).path)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for kind, block in BLOCKS:
        command = ["bash", "-ec", block] if kind == "sh" else [sys.executable, "-c", block]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, block + done.stderr
        assert kind == "python" or done.stdout, block
