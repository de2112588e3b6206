"""Extraction of plain text from a MediaWiki XML dump, with pages parsed in parallel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import mwparserfromhell
import mwxml
from mwparserfromhell.nodes import Heading, Node, Tag, Template, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.corpora.textfiles import BROKEN, open_bytes
from online_rnnlm.errors import UserError

ARTICLES = 0  # the namespace of articles
LIST_MARKUP = frozenset({"li", "dt", "dd"})
LIST_ITEM = "\x02"  # marks the start of a list's line, until the line is dropped
MEDIA_LINK = re.compile(r"\s*(?:file|image|category|media)\s*:", re.IGNORECASE)
LANGUAGE_LINK = re.compile(r"\s*[a-z]{2,3}(?:-[a-z-]+)?\s*:")
# mwxml asserts that the root is `mediawiki`.
# It also leaves errors of missing and impossible titles, ids and times to whoever reads the pages.
NO_DUMP = (
    *(ElementTree.ParseError, mwxml.errors.MalformedXML, AssertionError),
    *(AttributeError, LookupError, TypeError, ValueError, *BROKEN),
)
_END = re.compile(rb"</mediawiki\s*>")
_LONGEST_END = 64
_BLOCK = 1 << 20
EMPTY_BRACKETS = re.compile(r"\(\s*[,;]?\s*\)")  # left where a template was removed
BLOCKS = frozenset({"table", "gallery", "ref", "math", "timeline", "score", "pre", "hr"})


def read_dump(file: Path, processes: int) -> Iterator[tuple[str, str]]:
    """Read title and text of every article of a dump in its order, without redirects.

    Some have no text. Paragraphs are lines; tables, lists, headings, templates and footnotes are
    left out. Raises UserError if the file is not a complete MediaWiki dump.
    """
    yield from ordered_map(_plain_page, _pages(file), processes)


def _pages(file: Path) -> Iterator[tuple[str, str]]:
    """Title and wikitext of every article: that of its last revision, if there are several."""
    with open_bytes(file) as stream:
        dump = _SingleDump(stream)
        try:
            for page in mwxml.Dump.from_file(dump):
                if page.namespace == ARTICLES and page.redirect is None:
                    # An id is the higher the later the revision was made.
                    last = max(page, key=lambda revision: revision.id or 0, default=None)
                    yield page.title, (last and last.text) or ""
            while dump.read(_BLOCK):
                pass
        except NO_DUMP as error:
            what = str(error).splitlines()[0] if str(error) else "another kind of XML"
            raise UserError(f"{file}: no whole MediaWiki dump: {what}") from None


class _SingleDump:
    """The bytes of a dump; raises ValueError if anything comes after its end, such as another."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._before = b""
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all."""
        block = self._stream.read(size)
        rest = block
        if not self._ended:
            text = self._before + block
            end = _END.search(text)
            self._ended = end is not None
            rest = text[end.end() :] if end else b""
            self._before = text[-_LONGEST_END:]
        if self._ended and rest.strip():
            raise ValueError("more text after its end: put one dump into one file")
        return block


def _plain_page(page: tuple[str, str]) -> tuple[str, str]:
    title, wikitext = page
    return title, plain_text(wikitext)


def plain_text(wikitext: str) -> str:
    """The prose of a page, one paragraph per line."""
    nodes = mwparserfromhell.parse(wikitext).nodes
    lines = EMPTY_BRACKETS.sub("", "".join(map(_plain_node, nodes))).split("\n")
    paragraphs = [" ".join(line.split()) for line in lines if not line.startswith(LIST_ITEM)]
    prose = "\n".join(paragraph for paragraph in paragraphs if any(map(str.isalpha, paragraph)))
    # `&#xD800;` stands for no character.
    return prose.encode("utf-8", "ignore").decode("utf-8")


def _plain_node(node: Node) -> str:
    if isinstance(node, Text):
        return str(node)
    if isinstance(node, Heading):
        return "\n"
    if isinstance(node, Tag):
        return _plain_tag(node)
    if isinstance(node, Template) or (isinstance(node, Wikilink) and _shows_no_text(node)):
        return ""
    return str(Wikicode([node]).strip_code())


def _plain_tag(tag: Tag) -> str:
    name = str(tag.tag).strip().lower()
    if name in LIST_MARKUP and tag.wiki_markup:
        return LIST_ITEM
    if name in BLOCKS:
        return ""
    if tag.contents is None:
        return " "
    # `strip_code` would not do: a tag that is never closed contains headings, pictures and lists.
    return "".join(map(_plain_node, tag.contents.nodes))


def _shows_no_text(link: Wikilink) -> bool:
    """True if a link shows a picture, or only names a category or another language's page."""
    target = str(link.title)
    return bool(MEDIA_LINK.match(target) or (link.text is None and LANGUAGE_LINK.match(target)))
