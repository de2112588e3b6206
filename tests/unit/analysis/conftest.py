from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from online_rnnlm.analysis.reading import collect
from online_rnnlm.analysis.results import Results
from tests.unit.analysis import fake_experiment


@pytest.fixture(scope="module", autouse=True)
def quick_files_and_short_names() -> Iterator[None]:
    """Write without waiting for the disk, and name runs without the digits of their settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr("online_rnnlm.config.runs.DIGITS", 0)
        yield


@pytest.fixture
def invented(tmp_path: Path) -> Callable[..., Results]:
    """A function that writes an invented experiment and reads it back."""

    def make(perplexities: dict[str, float] | None = None, **changes: object) -> Results:
        experiment = fake_experiment.experiment(**changes)
        directory = fake_experiment.write(tmp_path / "invented", experiment, perplexities)
        return collect(directory)

    return make
