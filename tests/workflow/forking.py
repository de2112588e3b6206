"""Runs `online-rnnlm` in forks of a process that has loaded all it needs: each starts at once.

Reads a JSON list a line, `[folder, [argument, …], {variable: value}]`; writes the number of the
fork's process, then its status. A first line runs in this process itself, which loads libraries
and kernels.
"""

import json
import os
import sys

from online_rnnlm.commands import _main as cli


def _run(folder: str, arguments: list[str], environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.update(environment)
    cli.main(arguments)


def main() -> None:
    try:
        _run(*json.loads(sys.stdin.readline()))
    except SystemExit as end:
        print(end.code, flush=True)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _run(*json.loads(line))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
