"""text-extract: the text of each format, and clear refusals of what is hostile or broken."""

import json
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.skills.runs import Run, run

Extract = Callable[..., Run]
Make = Callable[[str], None]


@pytest.fixture
def extract(tmp_path: Path, extract_python: Path) -> Extract:
    def call(*arguments: str) -> Run:
        return run("text-extract", *arguments, cwd=tmp_path, python=extract_python)

    return call


@pytest.fixture
def make(tmp_path: Path, extract_python: Path) -> Make:
    """Run a few lines with the skill's own libraries, to write a true file."""

    def call(source: str) -> None:
        subprocess.run([str(extract_python), "-c", source], cwd=tmp_path, check=True)

    return call


def pdf(*pages: str) -> bytes:
    """A small PDF by hand: a line of text a page."""
    kids = " ".join(f"{3 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    for n, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {4 + 2 * n} 0 R "
            f"/Resources {font} >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = (
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    )
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def test_a_pdf_comes_page_by_page(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("First words", "", "Third page"))
    summary: Any = extract("x.pdf").summary
    assert (summary["kind"], summary["pages"], summary["pages_without_text"]) == ("pdf", 3, [2])
    assert (tmp_path / "text.txt").read_text() == (
        "--- page 1 ---\n\nFirst words\n\n--- page 2 ---\n\n--- page 3 ---\n\nThird page\n"
    )


def test_pages_can_be_chosen(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("one", "two", "three", "four"))
    extract("x.pdf", "--pages", "2-3,3", "-o", "x.json")
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["pages"] == [{"number": 2, "text": "two"}, {"number": 3, "text": "three"}]


@pytest.mark.parametrize("pages", ["0", "3-1", "a", "1,", "9-12"])
def test_pages_that_are_none_are_refused(extract: Extract, tmp_path: Path, pages: str) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("one"))
    assert extract("x.pdf", "--pages", pages).refuses("--pages")


def test_a_scan_is_said_to_need_ocr(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("", ""))
    [note] = extract("x.pdf").summary["notes"]
    assert "OCR" in note


ENCRYPT = """
from pypdf import PdfReader, PdfWriter
writer = PdfWriter(clone_from="x.pdf")
writer.encrypt(user_password={user!r}, owner_password="owner", algorithm={algorithm!r})
writer.write("locked.pdf")
"""


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_an_encrypted_pdf_is_refused_and_says_what_to_do(
    extract: Extract, make: Make, tmp_path: Path, algorithm: str
) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("secret"))
    make(ENCRYPT.format(user="user", algorithm=algorithm))
    assert extract("locked.pdf").refuses("locked.pdf", "encrypted", "without a password")


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_that_only_forbids_printing_can_be_read(
    extract: Extract, make: Make, tmp_path: Path, algorithm: str
) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("open words"))
    make(ENCRYPT.format(user="", algorithm=algorithm))
    assert extract("locked.pdf").code == 0
    assert "open words" in (tmp_path / "text.txt").read_text()


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.4\n" + b"\xff" * 5000])
def test_a_damaged_pdf_is_refused(extract: Extract, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pdf").write_bytes(content)
    assert extract("x.pdf").refuses("x.pdf", "damaged PDF")


WORD = """
import docx
from docx.oxml import parse_xml
document = docx.Document()
document.core_properties.title = "The title"
document.add_heading("Part one", 1)
document.add_paragraph("First paragraph.")
document.add_paragraph("one", style="List Bullet")
document.add_paragraph("two", style="List Bullet")
table = document.add_table(2, 2)
for cell, text in zip(table._cells, ("a", "b|c", "1", "2")):
    cell.text = text
inserted = document.add_paragraph("kept ")
space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
inserted._p.append(parse_xml(f'<w:ins {space}><w:r><w:t>inserted</w:t></w:r></w:ins>'))
inserted._p.append(parse_xml(f'<w:del {space}><w:r><w:delText>gone</w:delText></w:r></w:del>'))
form = "<w:p><w:r><w:t>In a form</w:t></w:r></w:p>"
document.element.body.insert(0, parse_xml(
    f"<w:sdt {space}><w:sdtContent>{form}</w:sdtContent></w:sdt>"
))
document.save("x.docx")
"""


def test_a_word_document_keeps_headings_lists_and_tables(
    extract: Extract, make: Make, tmp_path: Path
) -> None:
    make(WORD)
    summary: Any = extract("x.docx", "-o", "x.md").summary
    assert (summary["kind"], summary["title"], summary["pages"]) == ("docx", "The title", None)
    assert (tmp_path / "x.md").read_text() == (
        "In a form\n\n# Part one\n\nFirst paragraph.\n\n- one\n- two\n\n"
        "| a | b\\|c |\n| --- | --- |\n| 1 | 2 |\n\nkept inserted\n"
    )


def bomb(path: Path, size_mebibytes: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        with package.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(size_mebibytes):
                part.write(b" " * (1 << 20))


def test_a_decompression_bomb_is_refused_before_it_unpacks(
    extract: Extract, tmp_path: Path
) -> None:
    bomb(tmp_path / "x.docx", 300)
    assert (tmp_path / "x.docx").stat().st_size < 1_000_000
    assert extract("x.docx").refuses("x.docx", "decompression bomb")


def test_a_bomb_that_lies_about_its_size_is_refused(extract: Extract, tmp_path: Path) -> None:
    bomb(tmp_path / "x.docx", 100)
    data = (tmp_path / "x.docx").read_bytes()
    true_size, false_size = struct.pack("<L", 100 << 20), struct.pack("<L", 1000)
    assert true_size in data
    (tmp_path / "x.docx").write_bytes(data.replace(true_size, false_size))
    assert extract("x.docx").refuses("x.docx", "damaged Word document")


def test_entities_in_a_word_document_are_not_expanded(
    extract: Extract, make: Make, tmp_path: Path
) -> None:
    make(WORD)
    (tmp_path / "secret.txt").write_text("host secret")
    entity = '<!DOCTYPE x [<!ENTITY e SYSTEM "secret.txt">]>'
    with zipfile.ZipFile(tmp_path / "x.docx") as package:
        parts = {name: package.read(name) for name in package.namelist()}
    document = parts["word/document.xml"].decode()
    document = document.replace("<w:document", f"{entity}<w:document", 1)
    parts["word/document.xml"] = document.replace("First paragraph.", "First &e;.").encode()
    with zipfile.ZipFile(tmp_path / "y.docx", "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    assert extract("y.docx").code == 0
    assert "host secret" not in (tmp_path / "text.txt").read_text()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.docx", b"PK\x03\x04broken", ["damaged Word document"]),
        (
            "x.doc",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100,
            ["encrypted or an old Office"],
        ),
        ("x.rtf", rb"{\rtf1 hello}", ["RTF"]),
        ("x.png", b"\x89PNG\r\n\x1a\n\0\0", ["no text"]),
        ("x.txt", b"", ["empty"]),
    ],
)
def test_a_file_without_readable_text_is_refused(
    extract: Extract, tmp_path: Path, name: str, content: bytes, words: list[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert extract(name).refuses(name, *words)
    assert not (tmp_path / "text.txt").exists()


def test_an_excel_workbook_is_named_as_such(extract: Extract, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as package:
        package.writestr("xl/workbook.xml", "<x/>")
    assert extract("x.xlsx").refuses("an Excel workbook")


HTML = """<!doctype html><html><head><title> A  page </title><style>p {}</style></head><body>
<h1>Hello <b>you</b></h1><p>First &amp; <a href="https://e.org/?q=1">a link</a>,
<a href="javascript:x">none</a>.<br>next<script>alert(1)</script></p>
<ol><li>one<ul><li><p>sub</p></li></ul></li><li>two</li></ol>
<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>
<table><tr><td>layout<table><tr><td>i</td><td>j</td></tr></table></td></tr></table>
<pre><code>def f():
    return 1
</code></pre><!-- hidden --></body></html>"""


def test_html_keeps_headings_lists_tables_and_code(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(HTML)
    assert extract("x", "--format", "markdown").summary["title"] == "A page"
    assert (tmp_path / "text.md").read_text() == (
        "# Hello you\n\nFirst & [a link](https://e.org/?q=1), none.\nnext\n\n1. one\n  - sub\n"
        "2. two\n\n| A | B |\n| --- | --- |\n| 1 | 2 3 |\n\nlayout\n\n"
        "| i | j |\n| --- | --- |\n\n```\ndef f():\n    return 1\n```\n"
    )


def test_html_in_another_encoding_is_read(extract: Extract, tmp_path: Path) -> None:
    page = '<html><head><meta charset="iso-8859-15"></head><body>5 €</body></html>'
    (tmp_path / "x.html").write_bytes(page.encode("iso-8859-15"))
    extract("x.html")
    assert (tmp_path / "text.txt").read_text() == "5 €\n"


def test_deeply_nested_html_is_read_without_recursion(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<html>" + "<div>a<b>" * 20_000)
    assert extract("x.html").summary["words"] == 20_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_plain_text_passes_through(extract: Extract, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.txt").write_bytes("Grüße\r\nzwei".encode(encoding))
    assert extract("x.txt").summary["kind"] == "text"
    assert (tmp_path / "text.txt").read_text() == "Grüße\nzwei\n"


def test_text_extract_never_overwrites_its_input(extract: Extract, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("mine")
    assert extract("text.txt").refuses("is the input itself")
    assert (tmp_path / "text.txt").read_text() == "mine"


def test_text_extract_without_its_packages_says_how_to_run_it(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(pdf("one"))
    assert run("text-extract", "x.pdf", cwd=tmp_path).refuses("pypdf is missing", "uv run")
