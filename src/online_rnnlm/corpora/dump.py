"""Extraction of plain text from a MediaWiki XML dump, with pages parsed in parallel."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import mwparserfromhell
import mwxml
from mwparserfromhell import nodes
from mwparserfromhell.wikicode import Wikicode

from online_rnnlm.corpora.parallel import ordered_map
from online_rnnlm.corpora.textfiles import Article, open_bytes
from online_rnnlm.errors import UserError

ARTICLES = 0  # the namespace of articles
LIST_MARKUP = frozenset({"li", "dt", "dd"})
LIST_ITEM = "\x02"  # marks the start of a list's line, until the line is dropped
NO_PROSE = {"file": 6, "image": 6, "category": 14, "media": -2}
"""The namespaces, by their names in every wiki, whose links show a picture or nothing."""
LANGUAGE_LINK = re.compile(r"\s*[a-z]{2,3}(?:-[a-z-]+)?\s*:")
_BLOCK = 1 << 20
EMPTY_BRACKETS = re.compile(r"\(\s*[,;]?\s*\)")  # left where a template was removed
LEFT_OUT = frozenset({"ref", "math", "chem", "ce", "hiero", "style"})
"""Tags within a paragraph that hold no prose of the page."""
OF_TEMPLATES = re.compile(
    r"(?P<shown><!--.*?-->|<nowiki>.*?</nowiki>)|<includeonly\s*(?:/>|>.*?(?:</includeonly\s*>|\Z))",
    re.DOTALL | re.IGNORECASE,
)
"""An `<includeonly>` tag with its contents, which only pages that include this one show.

MediaWiki takes all up to the page's end for its contents if it is never closed. The group `shown`
matches comments and `<nowiki>` first, since a tag in them is only text."""
LEFT_OUT_BLOCKS = frozenset(
    {"table", "gallery", "imagemap", "references", "timeline", "score", "pre", "syntaxhighlight"}
    | {"source", "graph", "mapframe", "inputbox", "hr", "categorytree", "templatestyles"}
)
"""Tags between two paragraphs that hold no prose."""
LISTS_AND_HEADINGS = frozenset({"ul", "ol", "dl", *(f"h{level}" for level in range(1, 7))})
PARAGRAPHS = frozenset(
    {"p", "div", "blockquote", "center", "section", "article", "poem", "address", "aside", "main"}
    | {"header", "footer", "figure", "figcaption", "caption", "details", "summary", "form"}
    | {"li", "dt", "dd", "tr", "td", "th"}
)
"""Tags around paragraphs, and those of list items and cells outside any list or table."""
PICTURE = re.compile(
    r"[^:]+:.*\.(?:jpe?g|png|svg|gif|tiff?|webp|xcf|og[agv]|webm|mp[34]|wav|flac|midi?|pdf|djvu)\s*$",
    re.IGNORECASE | re.DOTALL,
)
"""The target of a link to a file, whatever its namespace is called."""
_INLINE = "b|big|cite|code|del|em|font|i|ins|s|small|span|strong|sub|sup|tt|u"
UNCLOSED = re.compile(
    rf"</?(?:(?P<paragraph>{'|'.join(sorted(PARAGRAPHS))})|(?P<line>br)|{_INLINE})(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""A tag that is never closed, or never opened: the parser takes it for text."""


def read_dump(file: Path, processes: int) -> Iterator[Article]:
    """Read every article of a dump in its order, without redirects.

    Some have no text. Paragraphs are lines; tables, lists, headings, templates and footnotes are
    left out. Raises UserError if the file is not a complete MediaWiki dump.
    """
    yield from ordered_map(_plain_page, _pages(file), processes)


class _Page(NamedTuple):
    title: str
    wikitext: str
    no_prose: frozenset[str]
    """The names of the namespaces whose links show a picture or nothing, in lower case."""


def _pages(file: Path) -> Iterator[_Page]:
    """Title and wikitext of every article: that of its last revision, if there are several."""
    with open_bytes(file) as stream:
        # A line at a time, so that what follows the end of the dump is not read with it.
        lines = SimpleNamespace(read=lambda _: stream.readline())
        try:
            pages = mwxml.Dump.from_file(lines)
            namespaces = pages.site_info.namespaces or ()
            own = [found.name for found in namespaces if found.id in NO_PROSE.values()]
            # The names that every wiki has, and those in this one's language.
            no_prose = frozenset(NO_PROSE) | {name.strip().lower() for name in own if name}
            for page in pages:
                if page.namespace == ARTICLES and page.redirect is None:
                    # Later revisions have higher ids.
                    last = max(page, key=lambda revision: revision.id or 0, default=None)
                    yield _Page(page.title, (last and last.text) or "", no_prose)
            if stream.read(_BLOCK).strip():
                raise ValueError("more text after its end: put one dump into one file")
        except Exception as error:  # mwxml raises a dozen kinds of errors
            what = textwrap.shorten(str(error) or "another kind of XML", 120, placeholder=" …")
            raise UserError(f"{file}: no whole MediaWiki dump: {what}") from None


def _plain_page(page: _Page) -> Article:
    return Article(page.title, plain_text(page.wikitext, page.no_prose))


def plain_text(wikitext: str, no_prose: frozenset[str] = frozenset(NO_PROSE)) -> str:
    """The prose of a page, one paragraph per line.

    `no_prose` are the names, in lower case, of the namespaces whose links are left out.
    """
    of_page = OF_TEMPLATES.sub(lambda found: found["shown"] or "", wikitext)
    plain = _plain_nodes(mwparserfromhell.parse(of_page).nodes, no_prose)
    lines = EMPTY_BRACKETS.sub("", plain).split("\n")
    paragraphs = [" ".join(line.split()) for line in lines if not line.startswith(LIST_ITEM)]
    prose = "\n".join(paragraph for paragraph in paragraphs if any(map(str.isalpha, paragraph)))
    # `&#xD800;` stands for no character.
    return prose.encode("utf-8", "ignore").decode("utf-8")


def _plain_nodes(found: Iterable[nodes.Node], no_prose: frozenset[str]) -> str:
    return "".join(_plain_node(node, no_prose) for node in found)


def _plain_node(node: nodes.Node, no_prose: frozenset[str]) -> str:
    if isinstance(node, nodes.Text):
        return UNCLOSED.sub(_plain_unclosed, str(node))
    if isinstance(node, nodes.Heading):
        return "\n"
    if isinstance(node, nodes.Tag):
        return _plain_tag(node, no_prose)
    if isinstance(node, nodes.Template):
        return ""
    shown = None
    if isinstance(node, nodes.Wikilink):
        if _shows_no_text(node, no_prose):
            return ""
        shown = node.title if node.text is None else node.text
    elif isinstance(node, nodes.ExternalLink):
        shown = node.title
    return _plain_nodes(shown.nodes, no_prose) if shown else str(Wikicode([node]).strip_code())


def _plain_unclosed(tag: re.Match[str]) -> str:
    return "\n" if tag["paragraph"] else " " if tag["line"] else ""


def _plain_tag(tag: nodes.Tag, no_prose: frozenset[str]) -> str:
    name = str(tag.tag).strip().lower()
    if name in LIST_MARKUP and tag.wiki_markup:
        return LIST_ITEM
    if name in LEFT_OUT:
        return ""
    if name in LEFT_OUT_BLOCKS or name in LISTS_AND_HEADINGS:
        return "\n"
    if name == "br" or tag.contents is None:
        return " "
    # `strip_code` would not do: a tag that is never closed contains headings, pictures and lists.
    inside = _plain_nodes(tag.contents.nodes, no_prose)
    return f"\n{inside}\n" if name in PARAGRAPHS else inside


def _shows_no_text(link: nodes.Wikilink, no_prose: frozenset[str]) -> bool:
    """True if a link shows a picture, or only names a category or another language's page."""
    target = str(link.title)
    namespace, colon, _ = target.partition(":")
    if colon and namespace.strip().replace("_", " ").lower() in no_prose:
        return True
    if PICTURE.match(target):
        return True
    return link.text is None and LANGUAGE_LINK.match(target) is not None
