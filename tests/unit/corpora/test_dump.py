import bz2
from pathlib import Path

import pytest

from online_rnnlm.corpora.dump import plain_text, read_dump
from online_rnnlm.errors import UserError

PAGE = (
    "<page><title>{title}</title><ns>{ns}</ns><id>{id}</id>{redirect}"
    "<revision><id>{id}</id>{text}</revision></page>"
)
WIKITEXT = """{{Infobox | name = Cat
* not a list}}
'''Cats''' are [[mammal|small mammals]] ({{lang|la|x}}) and ''pets''.&lt;ref&gt;A note.&lt;/ref&gt;

== History ==
[[File:Cat.jpg|thumb|A [[cat]] sits]]Kept in [[Egypt]] &amp;amp; Rome.
* a list
# another
{| class="table"
| a cell
|}
&lt;div&gt;Inside a tag.
=== Hidden heading ===
[[Image:Dog.jpg|thumb|A dog]]&lt;/div&gt;
[[Category:Cats]]
[[de:Katze]]"""


def dump(pages: list[dict[str, object]]) -> bytes:
    texts = []
    for number, page in enumerate(pages, 1):
        text = f"<text>{page['text']}</text>"
        values = {"ns": 0, "redirect": "", **page, "id": number, "text": text}
        texts.append(PAGE.format(**values))
    info = "<siteinfo><sitename>W</sitename><namespaces></namespaces></siteinfo>"
    xml = f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">{info}'
    return (xml + "".join(texts) + "</mediawiki>").encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pages: list[dict[str, object]] = [
        {"title": "Cat", "text": WIKITEXT},
        {"title": "Cats", "text": "#REDIRECT [[Cat]]", "redirect": '<redirect title="Cat" />'},
        {"title": "Talk:Cat", "text": "I like cats.", "ns": 1},
        {"title": "Dog", "text": "A dog barks."},
        {"title": "Empty", "text": "{{nothing}}"},
    ]
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(dump(pages)))
    return path


def test_articles_become_prose_and_redirects_are_skipped(file: Path) -> None:
    assert [page for page in read_dump(file, 1) if page[1]] == [
        (
            "Cat",
            "Cats are small mammals and pets.\nKept in Egypt & Rome.\nInside a tag.",
        ),
        ("Dog", "A dog barks."),
    ]


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("The king sees<br>the sea.", "The king sees the sea."),
        ("The king sees<br />the sea.", "The king sees the sea."),
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("He said:<blockquote>Go.</blockquote>She went.", "He said:\nGo.\nShe went."),
        ("Before.<ul><li>a</li><li>b</li></ul>After.", "Before.\nAfter."),
        ("a <small>little</small> word", "a little word"),
        ("The [[King|old<br>king]] sees [http://x the<br>sea].", "The old king sees the sea."),
        ("The [[King|''old'' king]] sees [[the sea]].", "The old king sees the sea."),
        ("<h2>History</h2>The king.<h3 id=x>Later</h3>", "The king."),
        ("<p>The king sees.\n<p>The boat finds.", "The king sees.\nThe boat finds."),
        ("One.</p>Two <span>three.", "One.\nTwo three."),
        ("<article>One.</article>Two.", "One.\nTwo."),
        ("a<imagemap>File:x.jpg|200px\nrect 1 2</imagemap> b", "a\nb"),
        ("A <includeonly>hidden</includeonly>king<noinclude> sees</noinclude>.", "A king sees."),
        ("A king.<includeonly>{{doc}}\nIt is hidden.", "A king."),
        ("A <!-- <includeonly> --><nowiki><includeOnly></nowiki> tag.", "A <includeOnly> tag."),
        ("A<INCLUDEONLY /> king.", "A king."),
        ("It is old.<hr>He saw it.", "It is old.\nHe saw it."),
        ("It is old.<gallery>\nFile:x.jpg|y\n</gallery>He saw it.", "It is old.\nHe saw it."),
        ("It is old.<table><tr><td>x</td></tr></table>He saw it.", "It is old.\nHe saw it."),
        ("It is old.<pre>x</pre>He saw it.", "It is old.\nHe saw it."),
        ("Before.<poem>The sea.</poem>After.", "Before.\nThe sea.\nAfter."),
        ("Before.<li>One.</li><li>Two.</li>After.", "Before.\nOne.\nTwo.\nAfter."),
        ("It is old.<ref>x</ref> It has <math>x</math> sides.", "It is old. It has sides."),
        (
            "<syntaxhighlight lang=c>int x;</syntaxhighlight><source>int y;</source>A boat.",
            "A boat.",
        ),
        ("If a < b and c > d, then.", "If a < b and c > d, then."),
        ("[[Bild:x.jpg|mini|Die Burg]][[Soubor:y.ogg]]Eine Burg.", "Eine Burg."),
        ("[[:Bild:x.jpg|Ein Bild]] zeigt es.", "Ein Bild zeigt es."),
    ],
)
def test_only_prose_is_left_and_tags_join_no_words(wikitext: str, text: str) -> None:
    assert plain_text(wikitext) == text


def test_pictures_and_categories_are_known_by_the_wikis_own_names(tmp_path: Path) -> None:
    names = {-2: "Medium", 0: "", 6: "Datei", 14: "Kategorie"}
    spaces = "".join(f'<namespace key="{key}">{name}</namespace>' for key, name in names.items())
    text = (
        "[[Datei:x.jpg|mini|hochkant|Die Burg.]]\nDer [[König]] sieht [[Medium:x.ogg]]die Burg.\n"
        "[[datei: y.jpg]][[File:z.jpg|thumb]][[Kategorie:König]]\n[[Art:Nouveau|Kunst]] ist alt."
    )
    path = tmp_path / "dump.xml"
    written = dump([{"title": "Burg", "text": text}])
    path.write_bytes(written.replace(b"<namespaces>", b"<namespaces>" + spaces.encode()))
    assert list(read_dump(path, 1)) == [("Burg", "Der König sieht die Burg.\nKunst ist alt.")]


def test_the_number_of_processes_changes_nothing(file: Path) -> None:
    assert list(read_dump(file, 2)) == list(read_dump(file, 1))


def test_a_broken_dump_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"dump\.xml\.bz2: no whole MediaWiki dump"):
        list(read_dump(file, 1))


@pytest.mark.parametrize("content", [b"", b"plain text", b"<html><body/></html>", dump([])[:-5]])
def test_what_is_no_dump_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "dump.xml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"dump\.xml: no whole MediaWiki dump"):
        list(read_dump(file, 1))


def test_markup_that_never_ends_is_survived() -> None:
    assert "Text" in plain_text("Text {{open [[and ''more")


OLD, NEW = (
    f"<revision><id>{number}</id><text>The {age} cat sat.</text></revision>"
    for number, age in ((8, "old"), (11, "new"))
)


@pytest.mark.parametrize("revisions", [OLD + NEW, NEW + OLD, ""])
def test_the_last_revision_of_a_page_is_its_text(tmp_path: Path, revisions: str) -> None:
    """Some dumps have the newest first; a page without any has no text."""
    content = dump([{"title": "Cat", "text": "one"}]).decode()
    begin, end = content.index("<revision>"), content.index("</page>")
    path = tmp_path / "history.xml"
    path.write_text(content[:begin] + revisions + content[end:], encoding="utf-8")
    assert list(read_dump(path, 1)) == [("Cat", "The new cat sat." if revisions else "")]


@pytest.mark.parametrize("pages", [1, 4000])
@pytest.mark.parametrize("more", [b"more", None])
@pytest.mark.parametrize("end", [b"</mediawiki>", b"</mediawiki >"])
def test_what_comes_after_a_dump_is_not_lost_without_a_word(
    tmp_path: Path, pages: int, more: bytes | None, end: bytes
) -> None:
    content = dump([{"title": f"T{n}", "text": "A dog barks."} for n in range(pages)])
    content = content.replace(b"</mediawiki>", end)
    path = tmp_path / "two.xml"
    path.write_bytes(content + b"\n\n")
    assert len(list(read_dump(path, 1))) == pages
    path.write_bytes(content + b"\n" + (more or content))
    with pytest.raises(UserError, match=r"two\.xml: no whole MediaWiki dump"):
        list(read_dump(path, 1))


NOT_THE_END = ["<!-- {} -->", "<!--{}{}-->", "<?note {} ?>"]


@pytest.mark.parametrize("place", ["<page>", "</mediawiki>", ""])
@pytest.mark.parametrize("note", [*NOT_THE_END, "<!-- " + "{} " * 90_000 + "-->"])
@pytest.mark.parametrize("length", [0, 65_500, 1 << 20])
def test_an_end_within_a_comment_is_none(
    tmp_path: Path, place: str, note: str, length: int
) -> None:
    """A comment may stand before, in and after the articles, and across blocks that are read."""
    note = " " * length + note.replace("{}", "</mediawiki>")
    pages: list[dict[str, object]] = [{"title": f"T{n}", "text": "A dog barks."} for n in range(3)]
    content = dump(pages).decode()
    content = content.replace(place, note + place) if place else content + note
    path = tmp_path / "dump.xml"
    path.write_text(content)
    assert len(list(read_dump(path, 1))) == 3
    path.write_text(content + "<mediawiki>")
    with pytest.raises(UserError, match=r"dump\.xml: no whole MediaWiki dump"):
        list(read_dump(path, 1))


def test_an_end_within_cdata_is_text(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    pages: list[dict[str, object]] = [{"title": "T", "text": "<![CDATA[A </mediawiki> dog.]]>"}]
    path.write_bytes(dump([*pages, {"title": "Dog", "text": "A dog barks."}]))
    assert [title for title, _ in read_dump(path, 1)] == ["T", "Dog"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<title>Dog</title>", b""),
        (b"<id>1</id><text>", b"<id>one</id><text>"),
        (b"<text>", b"<timestamp>yesterday</timestamp><text>"),
        (b"<ns>0</ns>", b"<ns>none</ns>"),
    ],
)
def test_an_impossible_page_is_one_line(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(dump([{"title": "Dog", "text": "A dog barks."}]).replace(old, new))
    with pytest.raises(UserError, match=r"bad\.xml: no whole MediaWiki dump") as caught:
        list(read_dump(path, 1))
    assert "\n" not in str(caught.value)


def test_half_a_character_stands_for_nothing() -> None:
    assert plain_text("A &#xD800;dog barks.") == "A dog barks."
