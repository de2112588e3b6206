"""The command `python -m benchmarks`: measures, prints the table, and writes the results."""

import os

from online_rnnlm.process.environment import prepare_process

# The benchmark measures the package's own settings, so the user's shell must not change them.
os.environ.pop("OPENBLAS_CORETYPE", None)
prepare_process()

from benchmarks.cli import main  # noqa: E402  # This import loads numerical libraries.

main()
