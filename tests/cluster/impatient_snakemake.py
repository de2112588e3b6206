"""Snakemake that checks its jobs every second; by default it waits longer and longer."""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, value: None)
    sys.argv[0] = "snakemake"
    main()
