"""What all tests need before numerical libraries are imported, and the order in which they run."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from online_rnnlm.process.environment import prepare_process

# A kernel that leaves its arrays is an error here, not a wrong number or a crash later on.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
# What XLA has compiled for one run of the tests is there for the next, as kernels are.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / "jax-tests"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
prepare_process()

# How long an example takes says nothing of the code: machines are shared.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

LONGEST = (
    "cluster/test_crashes.py",
    "workflow/test_smoke.py",
    "unit/engines/test_jax.py",
    "unit/tracking/test_synchronisation.py",
    "workflow/test_killed_training.py",
    "workflow/test_interruption.py",
    "unit/engines/test_online.py",
    "unit/engines/test_engines.py",
    "workflow/test_cross_check.py",
    "cluster/test_submission.py",
    "workflow/test_places.py",
    "browser/test_mlflow_in_browser.py",
    "unit/tracking/test_served_model.py",
)
"""The files that take longest, the longest first: with one begun last, a core waits for another."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: a cluster's tests, and a server's, mostly wait."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first; each stays together, as workers share files out."""
    ranks = {file: rank for rank, file in enumerate(LONGEST)}
    folder = Path(__file__).parent
    items.sort(key=lambda item: ranks.get(str(item.path.relative_to(folder)), len(ranks)))
