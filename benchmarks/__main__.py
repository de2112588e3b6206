"""`python -m benchmarks`: measure, print the table, write the values and the document."""

import os

from online_rnnlm.process.environment import prepare_process

# What is measured are the package's own settings, not one of the user's shell.
os.environ.pop("OPENBLAS_CORETYPE", None)
prepare_process()

from benchmarks.cli import main  # noqa: E402  # loads numerical libraries

main()
