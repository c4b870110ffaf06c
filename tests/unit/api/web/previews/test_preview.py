import json
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.store.files import StoredBlob
from api.web.previews.preview import READ_BYTES, Kind, Preview, preview_of
from api.web.previews.table import MAX_COLUMNS, MAX_ROWS, delimiter_of
from api.web.previews.tree import tree_of
from tests.unit.api.web.text.hostile import HOSTILE
from tests.unit.api.web.text.tags import Tags

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def preview(
    name: str, content: bytes | str, mime_type: str = "text/plain", size: int = 0
) -> Preview:
    data = content.encode() if isinstance(content, str) else content
    blob = StoredBlob(uuid4(), name, size or len(data), mime_type, "0" * 64, datetime.now(UTC))
    return preview_of(blob, data[:READ_BYTES])


def rows(shown: Preview) -> int:
    return str(shown.body).count("<tr>")


@pytest.mark.parametrize(
    ("name", "content", "mime_type", "kind"),
    [
        ("a.png", PNG, "image/png", Kind.IMAGE),
        ("a.svg", "<svg/>", "image/svg+xml", Kind.IMAGE),
        ("a.html", "<b>x</b>", "text/html", Kind.FRAME),
        ("a", "<b>x</b>", "text/html", Kind.FRAME),
        ("a.csv", "a,b\n1,2\n", "text/csv", Kind.TABLE),
        ("a.tsv", "a\tb\n1\t2\n", "application/octet-stream", Kind.TABLE),
        ("a.md", "# Title", "text/markdown", Kind.MARKDOWN),
        ("a.json", '{"a": [1]}', "application/json", Kind.TREE),
        ("a.json", '{"a": [1]', "application/json", Kind.TEXT),
        ("a.py", "print(1)", "text/x-python", Kind.TEXT),
        ("a.log", "\x1b[31mred", "application/octet-stream", Kind.TEXT),
        ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)), "application/pdf", Kind.PDF),
        ("b.pdf", b"<script>x</script>", "application/pdf", Kind.NONE),
        ("a.bin", bytes(range(256)), "application/octet-stream", Kind.NONE),
        ("a.csv", bytes(range(256)), "text/csv", Kind.NONE),
        ("empty.csv", "", "text/csv", Kind.TEXT),
        ("empty", "", "text/plain", Kind.TEXT),
    ],
)
def test_a_file_is_shown_as_what_it_is(
    name: str, content: bytes | str, mime_type: str, kind: Kind
) -> None:
    assert preview(name, content, mime_type).kind is kind


def test_an_image_that_is_too_large_is_left_to_the_download() -> None:
    assert preview("a.png", PNG, "image/png", size=2**30).kind is Kind.NONE


def test_a_table_shows_its_first_rows_and_says_what_is_missing() -> None:
    shown = preview("a.csv", "a,b\n" + "1,2\n" * 500)
    assert rows(shown) == MAX_ROWS + 1
    assert shown.note == "Only the first 200 rows are shown."
    assert rows(preview("a.csv", "a,b\n" + "1,2\n" * MAX_ROWS)) == MAX_ROWS + 1
    assert preview("a.csv", "a,b\n" + "1,2\n" * MAX_ROWS).note == ""


def test_a_row_that_is_cut_in_the_middle_is_not_shown() -> None:
    shown = preview("a.csv", "a;b\n1;2\n3;4", size=READ_BYTES * 2)
    assert rows(shown) == 2
    assert "first 1 rows" in shown.note


def test_a_wide_table_and_long_cells_are_cut() -> None:
    shown = preview("a.csv", ",".join("x" * 1_000 for _ in range(200)) + "\n1,2\n")
    assert Tags(str(shown.body)).names == {"table", "thead", "tbody", "tr", "th", "td", "bdi"}
    assert f"first {MAX_COLUMNS} columns" in shown.note
    assert len(str(shown.body)) < MAX_COLUMNS * 500


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a|b|c", "|"), ("a", ",")],
)
def test_the_delimiter_is_found(line: str, delimiter: str) -> None:
    assert delimiter_of([line, line]) == delimiter


def test_a_cut_text_says_so() -> None:
    shown = preview("a.txt", "x\n" * READ_BYTES)
    assert shown.note == "Only the first 256 KiB are shown."
    assert len(str(shown.body)) == READ_BYTES


def test_json_unfolds_and_is_bounded() -> None:
    document = {"a": {"b": [1, "two", None]}, "long": list(range(1_000))}
    tree = tree_of(json.dumps(document))
    assert tree is not None
    words = Tags(str(tree.html)).words
    assert 'b: [3 items]0: 11: "two"2: null' in words
    assert "left out" in tree.note
    assert str(tree.html).count("<details open>") == 3


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{", "1" * 10_000, '{"a":'])
def test_what_is_no_json_that_can_be_read_is_no_tree(text: str) -> None:
    assert tree_of(text) is None


def test_deep_and_broad_documents_are_cut() -> None:
    for document in ("[" * 500 + "]" * 500, json.dumps([[[0] * 190] * 190] * 190)[: 10**9]):
        tree = tree_of(document)
        assert tree is not None
        assert tree.note
        assert len(str(tree.html)) < 500_000


@pytest.mark.parametrize("name", ["a.csv", "a.md", "a.json", "a.py", "a.txt"])
def test_hostile_files_can_do_nothing(name: str) -> None:
    for text in HOSTILE:
        content = json.dumps({text: [text]}) if name == "a.json" else text
        shown = preview(name, content.encode(errors="replace"))
        read = Tags(str(shown.body))
        assert not read.names & {"script", "svg", "iframe", "style", "form", "base", "meta", "math"}
        for _, attributes in read.found:
            assert not any(each.startswith("on") or each == "style" for each in attributes)


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.md", "a.json", "a.py", "a.txt"]))
def test_any_bytes_can_be_looked_at(content: bytes, name: str) -> None:
    shown = preview(name, content)
    assert (shown.body is None) == (shown.kind is Kind.NONE)
    str(shown.body).encode()


@pytest.mark.parametrize(
    "unit", ["a,b\n", '"', '"a"', ",", "[", '{"a":', "a", "\x00a", "\n", ";,\t|"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.md", "a.json", "a.py"])
def test_no_file_takes_long(unit: str, name: str) -> None:
    start = time.thread_time()
    preview(name, unit * (READ_BYTES // len(unit)))
    assert time.thread_time() - start < 4
