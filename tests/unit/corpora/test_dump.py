import bz2
from pathlib import Path

import pytest

from online_rnnlm.corpora.dump import plain_text, read_dump
from online_rnnlm.corpora.textfiles import Article
from online_rnnlm.errors import UserError
from tests.unit.corpora.small_corpora import dump

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


def test_articles_become_prose_and_redirects_are_skipped(file):
    assert list(read_dump(file, 2)) == list(read_dump(file, 1))
    assert {page.title: page.text for page in read_dump(file, 1)} == {
        "Cat": "Cats are small mammals and pets.\nKept in Egypt & Rome.\nInside a tag.",
        "Dog": "A dog barks.",
        "Empty": "",
    }


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("The king sees<br>the sea.", "The king sees the sea."),
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("Before.<ul><li>a</li><li>b</li></ul>After.", "Before.\nAfter."),
        ("The [[King|old<br>king]] sees [http://x the<br>sea].", "The old king sees the sea."),
        ("<h2>History</h2>The king.<h3 id=x>Later</h3>", "The king."),
        ("<p>The king sees.\n<p>The boat finds.", "The king sees.\nThe boat finds."),
        ("a<imagemap>File:x.jpg|200px\nrect 1 2</imagemap> b", "a\nb"),
        ("A <includeonly>hidden</includeonly>king<noinclude> sees</noinclude>.", "A king sees."),
        ("A king.<includeonly>{{doc}}\nIt is hidden.", "A king."),
        ("A <!-- <includeonly> --><nowiki><includeOnly></nowiki> tag.", "A <includeOnly> tag."),
        ("A &#xD800;dog barks.", "A dog barks."),
        ("Text {{open [[and ''more", "Text {{open [[and ''more"),
        ("It is old.<table><tr><td>x</td></tr></table>He saw it.", "It is old.\nHe saw it."),
        ("Before.<li>One.</li><li>Two.</li>After.", "Before.\nOne.\nTwo.\nAfter."),
        ("If a < b and c > d, then.", "If a < b and c > d, then."),
        ("[[Bild:x.jpg|mini|Die Burg]][[Soubor:y.ogg]]Eine Burg.", "Eine Burg."),
        ("[[:Bild:x.jpg|Ein Bild]] zeigt es.", "Ein Bild zeigt es."),
    ],
)
def test_only_prose_is_left_and_tags_join_no_words(wikitext, text):
    assert plain_text(wikitext) == text


def test_pictures_and_categories_are_known_by_the_wikis_own_names(tmp_path):
    names = {-2: "Medium", 0: "", 6: "Datei", 14: "Kategorie"}
    spaces = "".join(f'<namespace key="{key}">{name}</namespace>' for key, name in names.items())
    text = (
        "[[Datei:x.jpg|mini|hochkant|Die Burg.]]\nDer [[König]] sieht [[Medium:x.ogg]]die Burg.\n"
        "[[datei: y.jpg]][[File:z.jpg|thumb]][[Kategorie:König]]\n[[Art:Nouveau|Kunst]] ist alt."
    )
    path = tmp_path / "dump.xml"
    written = dump([{"title": "Burg", "text": text}])
    path.write_bytes(written.replace(b"<namespaces>", b"<namespaces>" + spaces.encode()))
    assert list(read_dump(path, 1)) == [
        Article("Burg", "Der König sieht die Burg.\nKunst ist alt.")
    ]


OLD, NEW = (
    f"<revision><id>{number}</id><text>The {age} cat sat.</text></revision>"
    for number, age in ((8, "old"), (11, "new"))
)


@pytest.mark.parametrize("revisions", [NEW + OLD, ""])
def test_the_last_revision_of_a_page_is_its_text(tmp_path, revisions):
    """Some dumps have the newest first; a page without any has no text."""
    content = dump([{"title": "Cat", "text": "one"}]).decode()
    begin = content.index("<revision>")
    end = content.index("</page>")
    path = tmp_path / "history.xml"
    path.write_text(content[:begin] + revisions + content[end:], encoding="utf-8")
    assert list(read_dump(path, 1)) == [Article("Cat", "The new cat sat." if revisions else "")]


@pytest.mark.parametrize("length", [300, *range(65_470, 65_560, 23)])
def test_text_after_the_end_of_a_dump_is_refused(tmp_path, length):
    """The end may lie across two blocks that are read."""
    content = dump([{"title": "Dog", "text": "A dog barks." + " " * (length - 300)}])
    path = tmp_path / "two.xml"
    path.write_bytes(content + b"\n\n")
    assert len(list(read_dump(path, 1))) == 1
    path.write_bytes(content + b"\n" + content)
    with pytest.raises(UserError, match=r"two\.xml: no whole MediaWiki dump: more text after"):
        list(read_dump(path, 1))
