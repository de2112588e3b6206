"""A training on the cluster that a test can disturb."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.waiting import PATIENCE, wait_until

PRESSES = 10
"""The number of times that a test presses Ctrl-C before it fails."""
EPOCHS = 60
"""The epochs of each training; together they take seconds."""


class Training:
    """A training that Snakemake runs on the cluster."""

    def __init__(self, trainings, submit, cluster):
        self.project = trainings.project
        self.cluster = cluster
        self.run = trainings.runs[0]
        self._command = (*submit, *trainings.arguments)
        self._targets = ("--", *trainings.results)
        self._snakemake = None

    def start(self, *options):
        """Start Snakemake."""
        self._snakemake = self.project.start(*self._command, *options, *self._targets)

    @contextlib.contextmanager
    def held(self):
        """Pause the training after some epochs, so that it cannot end while a test disturbs it.

        Yields the id of its job.
        """
        metrics = self.run / "metrics.jsonl"

        def trained():
            assert self._snakemake.poll() is None, self._snakemake.communicate()[0]
            return metrics.is_file() and len(metrics.read_bytes().splitlines()) >= EPOCHS // 20

        wait_until(trained, "some epochs")
        process = self.project.wait_for_job("train")
        os.kill(process, signal.SIGSTOP)
        variables = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
        [job] = [v.partition("=")[2] for v in variables if v.startswith("SLURM_JOB_ID=")]
        try:
            yield job
        finally:
            # The process may have been killed by now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def end(self):
        """Wait until Snakemake has ended, which must be successfully; return its output."""
        if self._snakemake is None:
            return ""
        said = self._snakemake.communicate(timeout=PATIENCE)[0]
        assert self._snakemake.returncode == 0, said
        self._snakemake = None
        return said

    def kill(self):
        """Kill Snakemake and its whole process group."""
        os.killpg(self._snakemake.pid, signal.SIGKILL)
        self._snakemake.communicate(timeout=PATIENCE)
        self._snakemake = None

    def interrupt(self):
        """Press Ctrl-C, and wait until Snakemake has ended; return its output.

        A user presses again if nothing happens: Python loses a signal that comes between its last
        look at signals and the system call in which it then waits.
        """
        said = None
        for _ in range(PRESSES):
            os.killpg(self._snakemake.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                said = self._snakemake.communicate(timeout=PATIENCE / PRESSES)[0]
                break
        assert said is not None, f"not ended after pressing Ctrl-C {PRESSES} times"
        assert self._snakemake.returncode != 0, said
        self._snakemake = None
        return said

    def attempts(self):
        """Return the states of the training's jobs, in order."""
        rows = self.cluster.accounting("--duplicates", columns="JobID,State,Comment,WorkDir")
        return [
            row["State"].split()[0]
            for row in rows
            if row["WorkDir"] == str(self.project.path) and row["Comment"].startswith("rule_train_")
        ]

    def log(self):
        """Return the training's log over all attempts."""
        return (self.run / "train.log").read_text(encoding="utf-8")
