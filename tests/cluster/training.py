"""A training that Snakemake runs on the cluster, to be disturbed."""

import contextlib
import os
import signal

from tests.cluster.slurm import wait_until

EPOCHS = 100
"""Of each training: seconds."""


class Training:
    """A training that is being run by Snakemake on the cluster."""

    def __init__(self, trainings, submit, cluster):
        self.project = trainings.project
        self.cluster = cluster
        self.run = trainings.runs[0]
        self._command = (*submit, *trainings.arguments)
        self._targets = ("--", *trainings.results)
        self._known = {job["JobID"] for job in cluster.accounting()}
        self._snakemake = None

    def start(self, *options):
        """Start Snakemake."""
        self._snakemake = self.project.start(*self._command, *options, *self._targets)

    @contextlib.contextmanager
    def held(self):
        """Hold the training after some epochs: on a fast machine, too, it is not over meanwhile.

        The value is the id of its job.
        """
        metrics = self.run / "metrics.jsonl"

        def trained():
            assert self._snakemake.poll() is None, self._snakemake.communicate()[0]
            return metrics.is_file() and len(metrics.read_bytes().splitlines()) >= EPOCHS // 20

        wait_until(trained, 120, "some epochs")
        process = self.project.wait_for_job("train")
        os.kill(process, signal.SIGSTOP)
        [job] = self.cluster.running()
        try:
            yield job
        finally:
            # It may have been killed by now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def end(self):
        """Wait until Snakemake has ended, which it must do well; returns what it said."""
        if self._snakemake is None:
            return ""
        said = self._snakemake.communicate(timeout=300)[0]
        assert self._snakemake.returncode == 0, said
        self._snakemake = None
        return said

    def kill(self):
        """Kill Snakemake and all that is in its process group."""
        os.killpg(self._snakemake.pid, signal.SIGKILL)
        self._snakemake.communicate(timeout=60)
        self._snakemake = None

    def attempts(self):
        """The states of the training's jobs, in order."""
        rows = self.cluster.accounting("--duplicates", columns="JobID,State,Comment")
        return [
            row["State"].split()[0]
            for row in rows
            if row["JobID"] not in self._known and row["Comment"].startswith("rule_train_")
        ]

    def log(self):
        """What the training itself said, over all attempts."""
        return (self.run / "train.log").read_text(encoding="utf-8")
