"""Compiles the kernels before all tests, which would else compile the same ones side by side.

With checks of indices, as the tests run them, and without, as the jobs of workflows do.
"""

import os
import subprocess
import sys
import tempfile

PREPARE = """
import sys
from pathlib import Path
from online_rnnlm.process.environment import prepare_process
prepare_process()
"""
TRAIN_AND_TEST = f"""{PREPARE}
from tests.unit.use.small_experiment import make_results
make_results(Path(sys.argv[1]))
"""
COMPILE = f"""{PREPARE}
from online_rnnlm.config.training import RunSettings
from online_rnnlm.process.kernels import provide_kernels
provide_kernels(RunSettings(corpus="any"))
"""


def main() -> int:
    """Compile in two processes; return 1 if one fails."""
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            subprocess.Popen([sys.executable, "-c", code, folder], env=os.environ | checks)
            for code, checks in ((TRAIN_AND_TEST, {"NUMBA_BOUNDSCHECK": "1"}), (COMPILE, {}))
        ]
        statuses = [process.wait() for process in processes]
        return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
