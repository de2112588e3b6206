"""Snakemake that is loaded once, and forked for each start: most of a start is loading.

As a program, it reads starts, a line of JSON each, and prints their exit statuses. It has nothing
of the package loaded, as a copy of the project may have its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory


def run_snakemake(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a folder to its end, in a process group of its own."""
    program = _program()
    assert program.stdin and program.stdout
    with TemporaryDirectory() as place:
        streams = [os.devnull, f"{place}/out", f"{place}/err"]
        start = [arguments, str(folder), dict(environment), streams]
        print(json.dumps(start), file=program.stdin, flush=True)
        status = int(program.stdout.readline())
        out, err = (Path(stream).read_text(encoding="utf-8") for stream in streams[1:])
    return subprocess.CompletedProcess(arguments, status, out, err)


@cache
def _program() -> subprocess.Popen[str]:
    """Start this file as a program, which ends when these tests do."""
    # Python warns of forks beside a thread: it is that of pyarrow's jemalloc, which heeds them.
    command = [sys.executable, "-P", "-W", "ignore::DeprecationWarning", __file__]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _serve() -> None:
    from snakemake.cli import main  # noqa: PLC0415  # only the program loads it

    for line in sys.stdin:
        child = os.fork()
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            continue
        arguments, folder, environment, streams = json.loads(line)
        os.setsid()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, stream in enumerate(streams):
            os.dup2(os.open(stream, os.O_RDWR | os.O_CREAT), number)
        sys.argv = ["snakemake", *arguments]
        sys.exit(main())


if __name__ == "__main__":
    _serve()
