"""Ranges, names and types of files."""

from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.mime_types import clean_mime_type
from api.errors import RangeRefused
from api.http.downloads import parse_range
from api.http.file_names import MAX_NAME_BYTES, clean_name, disposition


@given(st.text(), st.integers(0, 10**12))
def test_a_range_lies_within_the_file_or_is_refused(header: str, size: int) -> None:
    _check_range(header, size)


@given(
    st.builds(
        "bytes={}-{}".format,
        st.integers(0, 50).map(str) | st.just(""),
        st.integers(0, 50).map(str) | st.just(""),
    ),
    st.integers(0, 40),
)
def test_a_range_in_bytes_gives_what_the_standard_says(header: str, size: int) -> None:
    first, last = header.removeprefix("bytes=").split("-")
    content = bytes(range(size))
    if first:
        wanted = content[int(first) : int(last) + 1 if last else None]
    else:
        wanted = content[-int(last) :] if last and int(last) else b""
    try:
        span = parse_range(header, size)
    except RangeRefused:
        assert wanted == b""
        return
    if span is None:  # Not a range at all.
        assert not (first or last) or (first and last and int(last) < int(first))
    else:
        assert content[span.start : span.end] == wanted != b""


def _check_range(header: str, size: int) -> None:
    try:
        span = parse_range(header, size)
    except RangeRefused:
        return
    assert span is None or 0 <= span.start < span.end <= size


@given(st.text())
def test_any_name_becomes_one_that_is_safe(text: str) -> None:
    name = clean_name(text)
    assert name
    assert name not in (".", "..")
    assert not set(name) & {"/", "\\", "\0", "\n", "\r"}
    assert name == name.strip()
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert clean_name(name) == name


@given(st.text())
def test_a_disposition_is_a_header_that_gives_the_name_back(text: str) -> None:
    name = clean_name(text)
    header = disposition(name, is_shown=False)
    assert header.isascii()
    assert "\r" not in header
    assert "\n" not in header
    message = Message()
    message["Content-Disposition"] = header
    assert message.get_content_disposition() == "attachment"
    assert unquote(header.rpartition("UTF-8''")[2]) == name


def test_a_quote_in_a_name_cannot_end_it() -> None:
    assert disposition('a".exe"; x="', is_shown=True) == (
        "inline; filename=\"a_.exe_; x=_\"; filename*=UTF-8''a%22.exe%22%3B%20x%3D%22"
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text/csv", "text/csv"),
        ("Text/CSV; charset=latin-1", "text/csv"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        (None, "application/octet-stream"),
        ("", "application/octet-stream"),
        ("text", "application/octet-stream"),
        ("text/csv\r\nX: y", "application/octet-stream"),
        ("text/csv/x", "application/octet-stream"),
    ],
)
def test_a_type_is_one_or_unknown(given: str | None, kept: str) -> None:
    assert clean_mime_type(given) == kept
