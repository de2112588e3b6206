"""MkDocs' hook: the pages and files of the site that are outside of `docs/`.

GitHub shows the same files, so they link to each other as files of the repository do. Here such a
link leads to the page that is made of the file, or to a copy of the file.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
COPIED_PAGES = {
    "changelog.md": "CHANGELOG.md",
    "configuration.md": "config/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "kept-evidence.md": "docs/evidence/README.md",
    "resources.md": "resources/README.md",
    "results.md": "results/README.md",
    "tour.md": "docs/tour.ipynb",
}
"""The pages that are made of files outside of the site's folder."""
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages of files that are not in `docs/`."""
    for page, file in COPIED_PAGES.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / file)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links lead to pages and copies of files."""
    source = ROOT / COPIED_PAGES.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def linked(match: re.Match[str]) -> str:
        target = Path(os.path.normpath(source.parent / match[1]))
        if not target.is_file():
            return match[0]  # MkDocs warns of it
        place = _place(target, config, files)
        return os.path.relpath(place, Path(page.file.src_uri).parent) + (match[2] or "")

    if source.suffix == ".ipynb":
        markdown = _pages_text(json.loads(markdown))
    return LINK.sub(linked, markdown)


def _pages_text(notebook: Any) -> str:
    """Return the cells of a notebook, and what they show, as a page."""
    blocks = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        blocks.append(f"```python\n{text}\n```" if cell["cell_type"] == "code" else text)
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text")})
            [(kind, lines)] = data.items()
            shown = "".join(lines)
            # A table of pandas brings borders of its own, and hides from the site's by its class.
            shown = shown.replace('<table border="1" class="dataframe">', "<table>")
            blocks.append(shown if kind == "text/html" else f"```text\n{shown}\n```")
    return "\n\n".join(blocks)


def _place(target: Path, config: Any, files: Any) -> str:
    """Return the site's path of a file of the repository, which is copied if it is no page."""
    pages = {file: page for page, file in COPIED_PAGES.items()} | {"README.md": "index.md"}
    path = target.relative_to(ROOT).as_posix()
    if path in pages:
        return pages[path]
    known = files.get_file_from_path(path.removeprefix("docs/"))
    if path.startswith("docs/") and known and known.inclusion.is_included():
        return path.removeprefix("docs/")
    # A copy of Markdown must not become a page.
    copy = f"files/{path}{'.txt' if target.suffix == '.md' else ''}"
    if files.get_file_from_path(copy) is None:
        files.append(File.generated(config, copy, abs_src_path=str(target)))
    return copy
