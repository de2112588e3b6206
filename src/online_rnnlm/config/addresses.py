"""The addresses of files to download, which have no place for a password.

An address is shown in messages and logs and written into records, so one that could hold a secret
is refused: before the host, in the options behind `?`, or behind `#`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_HOST = r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?"
_FILE = re.compile(rf"https?://{_HOST}(/[\w.~%+,;=@:()!*'-]*)*/[\w.~%+,=@()!*'-]+")


def is_download(address: str) -> bool:
    """Return True for the address of a file, with no part that could hold a password."""
    try:
        _ = urlsplit(address).port  # ValueError if it is above 65535
    except ValueError:
        return False
    return _FILE.fullmatch(address) is not None
