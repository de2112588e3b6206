"""What all tests need before numerical libraries are imported."""

import os

from hypothesis import settings

from online_rnnlm.process.environment import prepare_process

# A kernel that leaves its arrays is an error here, not a wrong number or a crash later on.
os.environ["NUMBA_BOUNDSCHECK"] = "1"
prepare_process()

# How long an example takes says nothing of the code: machines are shared.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")
