"""Compiles the kernels before all tests, which would else compile the same ones side by side.

With checks of indices, as the tests run them, and without, as the jobs of workflows do.
"""

import os
import subprocess
import sys
import tempfile

TRAIN_AND_TEST = """
import sys
from pathlib import Path
from online_rnnlm.process.environment import prepare_process
prepare_process()
from tests.unit.use.small_experiment import make_results
make_results(Path(sys.argv[1]))
"""


def main() -> int:
    """Train and test two small networks in each of two processes; return 1 if one fails."""
    with tempfile.TemporaryDirectory() as with_checks, tempfile.TemporaryDirectory() as without:
        processes = [
            subprocess.Popen([sys.executable, "-c", TRAIN_AND_TEST, folder], env=environment)
            for folder, environment in (
                (with_checks, os.environ | {"NUMBA_BOUNDSCHECK": "1"}),
                (without, os.environ),
            )
        ]
        statuses = [process.wait() for process in processes]
        return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
