"""The addresses of MLflow stores and of files to download, which have no place for a password.

An address is shown in messages and logs and written into records, so one that could hold a secret
is refused: before the host, in the options behind `?`, or behind `#`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SQLITE = "sqlite:///"
"""The beginning of the address of a database's file."""
_MEMORY = ":memory:"
"""SQLite's name for a database that ends with its process."""
_HOST = r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?"
_OPTIONS = "sslmode|sslcert|sslkey|sslrootcert|connect_timeout|application_name|charset|driver|host"
_ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"https?://{_HOST}(/[\w./~-]*)?",
        rf"{SQLITE}[^?#\x00-\x1f]+",
        rf"(postgresql|mysql|mssql)(\+\w+)?://([\w.-]+@)?({_HOST})?/[\w.-]+"
        rf"(\?({_OPTIONS})=[\w./+-]*(&({_OPTIONS})=[\w./+-]*)*)?",
    )
)
_FILE = re.compile(rf"https?://{_HOST}(/[\w.~%+,;=@:()!*'-]*)*/[\w.~%+,=@()!*'-]+")
_RULE = (
    "not an address of a store; allowed: http://HOST:PORT, https://HOST, sqlite:///FILE, "
    "postgresql://USER@HOST/DATABASE; leave out passwords, and a server's user: set "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the environment for a server, and "
    "PGPASSWORD, or ~/.pgpass, for PostgreSQL"
)


def why_no_address(address: str) -> str | None:
    """Return why a text is no address of a store, or None; the text itself is not repeated."""
    is_allowed = any(allowed.fullmatch(address) for allowed in _ALLOWED)
    if not is_allowed or address != address.strip():
        return _RULE
    if address == f"{SQLITE}{_MEMORY}":
        return f"`{_MEMORY}` is no file: what is entered there would be lost at once"
    return None if _has_a_port(address) else _RULE


def _has_a_port(address: str) -> bool:
    """Return True if the port, if there is one, is possible."""
    try:
        _ = urlsplit(address).port  # ValueError if it is above 65535
    except ValueError:
        return False
    return True


def is_download(address: str) -> bool:
    """Return True for the address of a file, with no part that could hold a password."""
    return _FILE.fullmatch(address) is not None and _has_a_port(address)
