"""A real Slurm on one node: munge, MariaDB, slurmdbd, slurmctld, slurmd, all on loopback.

The machine's own files stay untouched: all files of the cluster are in one folder, and its
processes run in a mount namespace in which /etc/slurm is the cluster's own.
"""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import output_of, wait_until

PROGRAMS = ("munged", "mariadbd", "slurmdbd", "slurmctld", "slurmd", "sbatch", "sacct", "unshare")
PACKAGES = "slurm-wlm slurmdbd munge mariadb-server"
SYSTEM_PATH = "/usr/sbin:/sbin"
CPUS = 4
MEMORY_MB = 16000
ASK = 0.5
"""Seconds between two questions to the cluster, each of which is a process."""
SUBMIT = (
    *("--workflow-profile", "workflow/profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "20"),
)
"""The options that the documentation recommends to send jobs to the cluster, but the first status
check comes after 1 s instead of 40 s."""

SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
KillWait=10
MinJobAge=600
SchedulerParameters=sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd_port}
AccountingStoragePass={folder}/munge.socket
AccountingStoreFlags=job_comment
SlurmdTimeout=30
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=work Nodes={host} Default=YES MaxTime=1-00:00:00 State=UP
PartitionName=urgent Nodes={host} PriorityTier=2 State=UP
"""
CGROUP_CONF = "CgroupPlugin=disabled\n"
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={slurmdbd_port}
CommunicationParameters=NoInAddrAny
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""
DATABASE = (
    "CREATE DATABASE IF NOT EXISTS slurm;"
    "CREATE USER IF NOT EXISTS slurm@'127.0.0.1' IDENTIFIED BY 'slurm';"
    "CREATE USER IF NOT EXISTS slurm@localhost IDENTIFIED BY 'slurm';"
    "GRANT ALL ON slurm.* TO slurm@'127.0.0.1';"
    "GRANT ALL ON slurm.* TO slurm@localhost;"
)


def missing() -> list[str]:
    """Return the programs that a cluster needs and this machine lacks."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Cluster:
    """A cluster: starts its daemons and runs commands in it."""

    folder: Path
    _daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start all daemons and wait until the node accepts jobs."""
        names = ("slurmctld_port", "slurmd_port", "slurmdbd_port", "mariadb_port")
        self._configure(dict(zip(names, _free_ports(4), strict=True)))
        self._start_munge()
        self._start_database()
        self._daemon("slurmdbd", "slurmdbd", "-D")
        self._wait_for("slurmdbd", "sacctmgr", "-n", "list", "cluster")
        self._daemon("slurmctld", "slurmctld", "-D", "-i")
        self._wait_for("slurmctld", "sinfo")
        self._daemon("slurmd", "slurmd", "-D")
        node = ("sinfo", "-h", "-o", "%T")
        wait_until(lambda: "idle" in self.run(*node).stdout, "the node is idle", ASK)

    def _configure(self, ports: Mapping[str, int]) -> None:
        host = socket.gethostname()
        values = {"folder": self.folder, "host": host, "cpus": CPUS, "memory": MEMORY_MB, **ports}
        for name in ("etc", "state", "spool", "munge"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        for name, text in (
            ("slurm.conf", SLURM_CONF),
            ("cgroup.conf", CGROUP_CONF),
            ("slurmdbd.conf", SLURMDBD_CONF),
        ):
            file = self.folder / "etc" / name
            file.write_text(text.format(**values), encoding="utf-8")
            file.chmod(0o600)
        self._ports = ports

    def _start_munge(self) -> None:
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.folder.chmod(0o755)
        at = {name: f"{self.folder}/munge/{name}" for name in ("key", "pid", "log", "seed")}
        self._daemon(
            "munged",
            *("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket"),
            *(f"--key-file={at['key']}", f"--pid-file={at['pid']}"),
            *(f"--log-file={at['log']}", f"--seed-file={at['seed']}"),
        )
        wait_until((self.folder / "munge.socket").exists, "munged")

    def _start_database(self) -> None:
        data = self.folder / "mariadb"
        place = self.folder / "mariadb.socket"
        self.succeed(
            *("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}"),
            *("--auth-root-authentication-method=socket", "--skip-test-db"),
        )
        self._daemon(
            "mariadbd",
            *("mariadbd", "--no-defaults", "--user=root", f"--datadir={data}"),
            *(f"--socket={place}", "--bind-address=127.0.0.1", "--skip-name-resolve"),
            *(f"--port={self._ports['mariadb_port']}", f"--pid-file={self.folder}/mariadb.pid"),
            *("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"),
        )
        client = ("mariadb", "--no-defaults", f"--socket={place}", "--user=root")
        self._wait_for("mariadbd", *client, "--execute", "SELECT 1")
        self.succeed(*client, "--execute", DATABASE)

    def stop(self, name: str) -> None:
        """Stop one daemon."""
        daemon = self._daemons.pop(name)
        daemon.terminate()
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def close(self) -> None:
        """Cancel all jobs and stop all daemons."""
        if "slurmctld" in self._daemons and "slurmd" in self._daemons:
            self.run("scancel", "--user=root")
            end = time.monotonic() + 30
            while self.run("squeue", "-h").stdout.strip() and time.monotonic() < end:
                time.sleep(0.2)
        for name in reversed(list(self._daemons)):
            self.stop(name)

    def inside(self, command: Sequence[str]) -> list[str]:
        """Return a command that runs the given one with the cluster's files in /etc/slurm."""
        bind = f'mount --bind {shlex.quote(str(self.folder / "etc"))} /etc/slurm && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", bind, "sh", *command]

    def environment(self) -> dict[str, str]:
        """Return the environment of the cluster's processes, without variables of another Slurm."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
        return ours | {"PATH": f"{ours.get('PATH', '')}:{SYSTEM_PATH}"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the cluster."""
        return output_of(self.inside(command), env=self.environment())

    def succeed(self, *command: str) -> str:
        """Run a command that must succeed; return its output."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def accounting(self, *options: str, columns: str = "JobID,State") -> list[dict[str, str]]:
        """Return the rows of `sacct`: one for each job, none for job steps."""
        said = self.succeed("sacct", "-n", "-P", "-X", f"--format={columns}", *options)
        names = columns.split(",")
        return [dict(zip(names, line.split("|"), strict=True)) for line in said.splitlines()]

    def running(self) -> list[str]:
        """Return the ids of the running jobs."""
        return self.succeed("squeue", "-h", "-t", "running", "-o", "%A").split()

    def seconds_left(self, job: str) -> int:
        """Return the seconds until a job's time limit (below one hour); 0 if it is exceeded."""
        said = self.succeed("squeue", "-h", "-j", job, "-o", "%L").strip()
        minutes, _, seconds = said.partition(":")
        return 60 * int(minutes) + int(seconds) if seconds else 0

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self._daemons[name] = subprocess.Popen(
                # The daemons end when the tests end, even if the tests are killed.
                ["setpriv", "--pdeathsig", "TERM", *self.inside(command)],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def _wait_for(self, name: str, *command: str) -> None:
        def answers() -> bool:
            said = (self.folder / f"{name}.out").read_text(errors="replace")
            assert self._daemons[name].poll() is None, f"{name} ended: {said}"
            return self.run(*command).returncode == 0

        wait_until(answers, name, ASK)
