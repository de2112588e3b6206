"""Tests of what a process reads of its machine."""

import pytest

from online_rnnlm.process import devices, environment


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
