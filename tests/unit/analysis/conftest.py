import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from online_rnnlm.analysis.published import Published, load_published
from online_rnnlm.analysis.results import Results, collect

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def fake() -> SimpleNamespace:
    """The functions that write invented experiments."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fake_experiment.py"))))


@pytest.fixture
def invented(fake: SimpleNamespace, tmp_path: Path) -> Callable[..., Results]:
    """A function that writes an invented experiment and reads it back."""

    def make(perplexities: dict[str, float] | None = None, **changes: object) -> Results:
        experiment = fake.experiment(**changes)
        return collect(experiment, fake.write(tmp_path / "invented", experiment, perplexities))

    return make


@pytest.fixture(scope="session")
def published_file() -> Path:
    return PROJECT / "config" / "published.yaml"


@pytest.fixture
def published(published_file: Path) -> Published:
    return load_published(published_file)
