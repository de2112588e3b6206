"""A training that Snakemake runs on the cluster, to be disturbed."""

import os
import signal

from tests.cluster.slurm import wait_until


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

    def wait_for_epoch(self, number):
        """Wait until so many epochs have been trained; returns the id of the job that does it."""
        metrics = self.run / "metrics.jsonl"

        def trained():
            assert self._snakemake.poll() is None, self._snakemake.communicate()[0]
            return metrics.is_file() and len(metrics.read_bytes().splitlines()) >= number

        wait_until(trained, 120, f"epoch {number}")
        [job] = self.cluster.running()
        return job

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
