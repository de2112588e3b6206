"""Snakemake that checks its jobs every second; by default it waits longer and longer."""

import sys
import time

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


def cancel_when_checked(self: Executor) -> None:
    """Cancel the jobs once a check of them has ended, which takes much of each second here.

    Snakemake takes the jobs off its list while it checks them, and would then cancel none.
    """
    for _ in range(1000):
        if self.active_jobs:
            break
        time.sleep(0.01)
    RemoteExecutor.cancel(self)


if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda self: 1, lambda self, value: None)
    Executor.cancel = cancel_when_checked
    sys.argv[0] = "snakemake"
    main()
