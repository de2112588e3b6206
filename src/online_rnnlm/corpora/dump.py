"""Extraction of plain text from a MediaWiki XML dump, with pages parsed in parallel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
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
NO_DUMP = (ElementTree.ParseError, mwxml.errors.MalformedXML, AssertionError, *BROKEN)
EMPTY_BRACKETS = re.compile(r"\(\s*[,;]?\s*\)")  # left where a template was removed
BLOCKS = frozenset({"table", "gallery", "ref", "math", "timeline", "score", "pre", "hr"})


def read_dump(file: Path, processes: int) -> Iterator[tuple[str, str]]:
    """Read title and text of every article of a dump in its order, without redirects.

    Some have no text. Paragraphs are lines; tables, lists, headings, templates and footnotes are
    left out. Raises UserError if the file is not a complete MediaWiki dump.
    """
    yield from ordered_map(_plain_page, _pages(file), processes)


def _pages(file: Path) -> Iterator[tuple[str, str]]:
    """Title and wikitext of every article."""
    with open_bytes(file) as stream:
        try:
            for page in mwxml.Dump.from_file(stream):
                if page.namespace == ARTICLES and page.redirect is None:
                    yield from ((page.title, revision.text or "") for revision in page)
        except NO_DUMP as error:
            what = str(error) or "another kind of XML"
            raise UserError(f"{file}: no whole MediaWiki dump: {what}") from None


def _plain_page(page: tuple[str, str]) -> tuple[str, str]:
    title, wikitext = page
    return title, plain_text(wikitext)


def plain_text(wikitext: str) -> str:
    """The prose of a page, one paragraph per line."""
    nodes = mwparserfromhell.parse(wikitext).nodes
    lines = EMPTY_BRACKETS.sub("", "".join(map(_plain_node, nodes))).split("\n")
    paragraphs = [" ".join(line.split()) for line in lines if not line.startswith(LIST_ITEM)]
    return "\n".join(paragraph for paragraph in paragraphs if any(map(str.isalpha, paragraph)))


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
