"""A training on the cluster that a test can disturb."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.cluster.slurm import SUBMIT
from tests.processes import PATIENCE, wait_until
from tests.project import own_text

PRESSES = 10
"""The number of times that a test presses Ctrl-C before it fails."""
EPOCHS = 20
"""The epochs of each training; together they take seconds."""


def configure(project):
    """Configure one training on a small text of the project's own."""
    project.configure(
        experiment="long",
        corpora={"own": own_text(project, train_sentences=1000)},
        training={
            "improvement_factor": 1.0,
            "batch_sentences": 1,
            "learning_rate": 0.01,
            "document_size": 4,
            "max_epochs": EPOCHS,
        },
        rows=[{"hidden_size": 32}],
    )


class Training:
    """The training of a configured project, which Snakemake runs on the cluster."""

    submit = SUBMIT
    """The options that send jobs to the cluster."""

    def __init__(self, project, cluster):
        self.project = project
        self.cluster = cluster
        [planned] = project.experiment("config/test.yaml").trainings()
        self.run = project.path / "results/long/runs" / planned.name
        self._arguments = ("--configfile", "config/test.yaml")
        self._target = ("--", str((self.run / "result.json").relative_to(project.path)))
        self._snakemake = None

    def train_here(self):
        """Train it without the cluster, undisturbed and from the beginning."""
        shutil.rmtree(self.run, ignore_errors=True)
        self.project.succeed("--cores", "1", *self._arguments, *self._target)

    def start(self, *options):
        """Start Snakemake."""
        command = (*self.submit, *self._arguments, *options, *self._target)
        self._snakemake = self.project.start(*command)

    @contextlib.contextmanager
    def held(self, after=None):
        """Pause the training after some epochs, so that it cannot end while a test disturbs it.

        Yields the id of its job, which comes `after` the job of that id.
        """
        process, job = wait_until(lambda: self._job_after(after), "the training's next job", 0.1)
        before = self._trained_epochs()

        def trained():
            assert self._snakemake.poll() is None, self._snakemake.communicate()[0]
            return self._trained_epochs() >= before + 2

        wait_until(trained, "some epochs")
        os.kill(process, signal.SIGSTOP)
        try:
            yield job
        finally:
            with contextlib.suppress(ProcessLookupError):  # It may have been killed by now.
                os.kill(process, signal.SIGCONT)

    def _trained_epochs(self):
        """Return the number of epochs by the log, which Snakemake does not remove."""
        log = self.run / "train.log"
        return log.read_text("utf-8").count(": perplexity") if log.is_file() else 0

    def _job_after(self, after):
        """Return the process that trains and the id of its job; None while that is `after`'s."""
        process = self.project.wait_for_job("train")
        with contextlib.suppress(OSError, ValueError):  # It may end meanwhile.
            variables = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
            [job] = [v.partition("=")[2] for v in variables if v.startswith("SLURM_JOB_ID=")]
            return None if job == after else (process, job)
        return None

    def end(self):
        """Wait until Snakemake has ended, which must be successfully."""
        if self._snakemake is not None:
            said = self._snakemake.communicate(timeout=PATIENCE)[0]
            assert self._snakemake.returncode == 0, said
            self._snakemake = None

    def kill(self):
        """Kill Snakemake and its whole process group, and remove the lock that it leaves."""
        os.killpg(self._snakemake.pid, signal.SIGKILL)
        self._snakemake.communicate(timeout=PATIENCE)
        self.project.succeed(*self._arguments, "--unlock")

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
