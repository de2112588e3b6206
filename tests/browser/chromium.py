"""A real browser without a window. It reaches nothing but this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def browse(
    address: str, profile: Path, *options: str, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Open a page as Chromium's options say; its error stream has the page's messages.

    Raises `subprocess.TimeoutExpired` if the page is not there after so many seconds, and ends all
    of the browser's processes: time in a page can stand still while an answer is missing.
    """
    command = [
        *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        # Other hosts are unknown at once, even where a name server does not answer.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        *("--enable-logging=stderr", "--hide-scrollbars", f"--user-data-dir={profile}"),
        *(*options, address),
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as process:
        try:
            said, errors = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, said, errors)
    return subprocess.CompletedProcess(command, process.returncode, said, errors)
