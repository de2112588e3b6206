"""The forms that some texts must have, as patterns, and in words for messages and documents."""

from __future__ import annotations

LONGEST_NAME = 100
"""Number of letters that the name of an experiment or a corpus has at most."""
NAME = r"^[a-z0-9][a-z0-9_.]*(-[a-z0-9_.]+)*$"
SHA256 = r"^[0-9a-f]{64}$"
FILE_NAME = r"^[\w][\w.+-]*$"

IN_WORDS = {
    NAME: f"up to {LONGEST_NAME} lower-case letters, digits, `_`, `.`, single `-`",
    SHA256: "64 hexadecimal digits",
    FILE_NAME: "name of a file, without a folder",
}
