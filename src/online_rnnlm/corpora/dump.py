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
_MARK = re.compile(rb"</mediawiki\s*>|<!--|<!\[CDATA\[|<\?")
_CLOSED_BY = {
    b"<!--": re.compile(rb"-->"),
    b"<![CDATA[": re.compile(rb"\]\]>"),
    b"<?": re.compile(rb"\?>"),
}
"""The ends of what may contain `</mediawiki>` as text, by their beginnings."""
_LONGEST_MARK = 64
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
    """The bytes of a dump; raises ValueError if anything comes after its end, such as another.

    Comments may come there, and what is in a comment is no end.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._before = b""
        self._awaited = _MARK
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all."""
        block = self._stream.read(size)
        self._look_at(self._before + block, whole=not block)
        return block

    def _look_at(self, text: bytes, *, whole: bool) -> None:
        """Look for the end, and keep the last bytes, which may be a part of a mark."""
        place = 0
        while found := self._awaited.search(text, place):
            opens = found[0] in _CLOSED_BY
            self._refuse_more(text[place : found.start() if opens else found.end()])
            self._ended |= found[0].startswith(b"</")
            self._awaited = _CLOSED_BY.get(found[0], _MARK)
            place = found.end()
        kept = len(text) if whole else max(place, len(text) - _LONGEST_MARK)
        self._refuse_more(text[place:kept])
        self._before = text[kept:]

    def _refuse_more(self, text: bytes) -> None:
        """Raise ValueError for text after the end that is not within a comment."""
        if self._ended and self._awaited is _MARK and text.strip():
            raise ValueError("more text after its end: put one dump into one file")


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
