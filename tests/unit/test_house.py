"""Tests of the package's structure: which folders a folder may import from."""

import ast
from pathlib import Path

import online_rnnlm

PACKAGE = Path(online_rnnlm.__file__).parent
# A folder imports only from the lines above its own, not from the others on its line.
FLOORS = (
    ("errors",),
    ("core",),
    ("config",),
    ("storage",),
    ("corpora",),
    ("process",),
    ("use",),
    ("jobs", "tracking", "auditing"),
    ("rivals",),
    ("analysis",),
    ("commands",),
)
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(file: Path) -> set[str]:
    """Return the package's folders and modules that a file imports from, if only for types."""
    names = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    parts = [name.split(".") for name in names if name.startswith("online_rnnlm.")]
    return {part[1] for part in parts}


def test_a_module_imports_from_below_only():
    for file in SOURCES:
        room = room_of(file)
        if room == "core":
            assert imported(file) <= {"core"}, file
        elif room not in ("__init__", "__main__"):
            for other in imported(file) - {room}:
                assert FLOOR[other] < FLOOR[room], f"{file}: imports from {other}"


def test_the_package_has_no_other_folders_and_no_loose_modules():
    rooms = {room_of(file) for file in SOURCES} - {"__init__", "__main__"}
    assert rooms == set(FLOOR)
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "errors.py"}
