"""Settings of all tests, made before numerical libraries are imported.

Below `unit/`, each folder tests the folder of the package that has its name. `workflow/` runs
Snakemake in copies of the project, `cluster/` on a real Slurm, and `browser/` looks at pages in a
real browser. What tests share:

- `processes`: commands, servers, and conditions to wait for; `project`: a copy of the project
- `killing`: a process that is killed at each of its writes; `outcome`: what must be the same then
- `toy_texts`, `unit/made_texts`: texts from which networks learn, and strings of any kind;
  `unit/corpora/small_corpora`: files of text, and the preparation of a corpus
- `unit/small_models`: networks with random weights; `unit/jobs/stub`: an engine of microseconds;
  `unit/jobs/runs`: trainings, and what must be the same in two of them
- `unit/small_records`: a configuration and records with invented values
- `unit/use/small_experiment`: a really trained experiment; `unit/analysis/fake_experiment`: all
  files of one, with invented numbers, and `unit/analysis/changes`: changes to them
- `packages`: an environment that has only some packages; `page`: runs the code of a page
- `rounding`: texts that are the same but for the last digits of their numbers
- `compile_kernels`: what `make test` runs first
"""

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from online_rnnlm.process.environment import prepare_process

# An index outside of a kernel's array raises an error instead of a wrong number or a crash.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
# Programs that XLA compiles are kept for the next time that the tests run, as kernels are.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "online-rnnlm"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / "jax-tests"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
prepare_process()

# A collection looks at all of the libraries' objects again, and deriving graphs makes many objects.
gc.set_threshold(100_000, 50, 100)

# There is no time limit for an example, because machines are shared.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Use two workers more than there are cores, as tests of clusters and servers mostly wait."""
    return (os.cpu_count() or 1) + 2


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests a temporary folder of their own, and remove it at their end.

    PyTensor leaves a file for each function that it writes in Python, and MLflow's client one for
    each that it fetches: some ten thousand a run. pytest's own folders stay where they are.
    """
    if hasattr(config, "workerinput"):  # a worker has the folder of the process that started it
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.TemporaryDirectory(prefix="rnnlm-", ignore_cleanup_errors=True)
    config.add_cleanup(folder.cleanup)
    Path(folder.name).chmod(0o711)  # PostgreSQL runs as another user, in a folder of its own
    os.environ["TMPDIR"] = tempfile.tempdir = folder.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole experiments first, and quick files last.

    A long file that is begun last would leave the other cores idle.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: ("unit" in item.path.parts, item.path not in slow))
