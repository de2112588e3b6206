"""What all tests need before numerical libraries are imported."""

import os

from online_rnnlm.process.environment import prepare_process

# A kernel that leaves its arrays is an error here, not a wrong number or a crash later on.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
prepare_process()
