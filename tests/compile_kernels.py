"""Compiles the kernels before all tests, which would else compile the same ones side by side.

With checks of indices, as the tests run them, and without, as the jobs of workflows do.
"""

import os
import subprocess
import sys

COMPILE = """
from online_rnnlm.process.environment import prepare_process
prepare_process()
from online_rnnlm.config.training import RunSettings
from online_rnnlm.process.kernels import provide_kernels
for precision in ("float32", "float64"):
    provide_kernels(RunSettings(corpus="any", precision=precision))
"""


def main() -> int:
    """Compile the kernels in two processes; return 1 if one fails."""
    processes = [
        subprocess.Popen([sys.executable, "-c", COMPILE], env=environment)
        for environment in (os.environ | {"NUMBA_BOUNDSCHECK": "1"}, os.environ)
    ]
    statuses = [process.wait() for process in processes]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
