"""Tests of how many threads numerical libraries get where a model is loaded from Python."""

import os
import subprocess
import sys

SAYS_WHEN_NUMPY_IS_IMPORTED = """
import os, sys

def hook(event, arguments):
    if event == "import" and arguments[0] == "numpy":
        print(os.environ.get("OPENBLAS_NUM_THREADS"))

sys.addaudithook(hook)
from online_rnnlm import {name}
"""


def test_each_public_name_limits_the_threads_before_numpy_is_loaded():
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    for name in ("load", "TrainedModel"):
        code = SAYS_WHEN_NUMPY_IS_IMPORTED.format(name=name)
        said = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(said.stdout.split()) == {"1"}
