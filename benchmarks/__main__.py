"""`python -m benchmarks`: measure, print the table, write the figures and the document."""

import os

from online_rnnlm.process.environment import prepare_process

# What a shell has set for its own purposes is not measured; what the package sets is.
os.environ.pop("OPENBLAS_CORETYPE", None)
prepare_process()

from benchmarks.cli import main  # noqa: E402  # loads numerical libraries

main()
