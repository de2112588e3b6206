"""Compiles the kernels before all tests, which would else compile the same ones side by side.

With checks of indices and in both precisions, as the tests run them, and without, as the jobs of
workflows do.
"""

import os
import subprocess
import sys

COMPILE = """
import sys
from online_rnnlm.config.training import RunSettings
from online_rnnlm.process.environment import prepare_process
from online_rnnlm.process.kernels import provide_kernels
prepare_process()
for precision in sys.argv[1:]:
    provide_kernels(RunSettings(corpus="any", precision=precision))
"""


def main() -> int:
    """Compile in two processes; return 1 if one fails."""
    processes = [
        subprocess.Popen([sys.executable, "-c", COMPILE, *precisions], env=os.environ | checks)
        for precisions, checks in (
            (["float32", "float64"], {"NUMBA_BOUNDSCHECK": "1"}),
            (["float32"], {}),
        )
    ]
    statuses = [process.wait() for process in processes]
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
