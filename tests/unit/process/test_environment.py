"""Tests of what a process reads of its machine, and of its compiled kernels."""

import os
import sys
from pathlib import Path

import pytest

import online_rnnlm
from online_rnnlm.process import devices, environment
from tests.processes import output_of


@pytest.mark.parametrize(
    ("text", "found"), [("cores: 2\nflags: a b\n", "a b"), ("cores: 2\n", ""), (None, "")]
)
def test_a_value_is_read_if_the_file_is_there_and_has_it(tmp_path, text, found):
    file = tmp_path / "cpuinfo"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert environment.value_in(str(file), "flags", "Features") == found


def test_without_the_systems_peak_memory_that_of_getrusage_is_taken(monkeypatch):
    monkeypatch.setattr(devices, "value_in", lambda *_: "")
    assert devices.peak_memory() > 1e6


JOB = """
import os
from pathlib import Path
from online_rnnlm.process.environment import begin_anew_if_compiled, prepare_process
prepare_process()
print("begins", flush=True)
folder = Path(os.environ["NUMBA_CACHE_DIR"])
if not folder.is_dir():
    folder.mkdir(parents=True)
    (folder / "kernel.nbc").touch()
begin_anew_if_compiled()
print("computes")
"""


def test_a_job_that_has_compiled_begins_anew_before_it_computes(tmp_path):
    """A job that compiles kernels starts once more, and then loads them from the disk."""
    package = tmp_path / "online_rnnlm"
    package.mkdir()
    own_path = f"__path__ = [{str(package)!r}, {str(Path(online_rnnlm.__file__).parent)!r}]"
    (package / "__init__.py").write_text(own_path)
    (package / "__main__.py").write_text(JOB)
    variables = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    command = [sys.executable, "-m", "online_rnnlm"]
    said = [output_of(command, env=os.environ | variables, check=True).stdout for _ in range(2)]
    assert said == ["begins\nbegins\ncomputes\n", "begins\ncomputes\n"]
