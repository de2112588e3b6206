"""Commands whose output a test looks at."""

import subprocess
from collections.abc import Iterable
from typing import Any


def output_of(
    command: Iterable[object], *, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; return its status, output and messages."""
    parts = [str(part) for part in command]
    return subprocess.run(parts, capture_output=True, text=True, check=check, **options)
