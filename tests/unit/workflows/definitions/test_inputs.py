"""References to inputs: the four forms, and what is wrong with the others."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.definitions import inputs
from workflows.definitions.inputs import ArtifactRef, FileRef, HttpsRef, InputRef, S3Ref
from workflows.errors.inputs import InputRefMalformed

ID = "0b9d7b0e-53a5-4a3c-9c0f-2a7b8f1c9d11"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"file:{ID}", FileRef(UUID(ID))),
        (f"file:{ID.upper()}", FileRef(UUID(ID))),
        (f"artifact:{ID}", ArtifactRef(UUID(ID))),
        ("s3://data/a/b.csv", S3Ref("data", "a/b.csv")),
        ("s3://data/über den Wolken.csv", S3Ref("data", "über den Wolken.csv")),
        ("s3://data/..a/b..", S3Ref("data", "..a/b..")),
        ("https://a.example", HttpsRef("a.example", 443, "/")),
        ("HTTPS://A.Example./x", HttpsRef("a.example", 443, "/x")),
        ("https://a.example:8443/x?y=1#z", HttpsRef("a.example", 8443, "/x?y=1")),
        ("https://a.example?y=1", HttpsRef("a.example", 443, "/?y=1")),
        ("https://a.example/%20ä", HttpsRef("a.example", 443, "/%20%C3%A4")),
        ("https://a.example/x@y", HttpsRef("a.example", 443, "/x@y")),
        ("https://[2001:DB8::1]:1/", HttpsRef("2001:db8::1", 1, "/")),
    ],
)
def test_the_four_forms_are_read(text: str, expected: InputRef) -> None:
    assert inputs.parse(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with none of"),
        ("sales.csv", "begins with none of"),
        ("/etc/passwd", "begins with none of"),
        ("ftp://a.example/x", "begins with none of"),
        ("file:///etc/passwd", "not an id"),
        ("file:", "not an id"),
        (f"file:{{{ID}}}", "not an id"),
        (f"file:urn:uuid:{ID}", "not an id"),
        (f"file: {ID}", "not an id"),
        ("artifact:1", "not an id"),
        ("s3:data/key", "name of a bucket"),
        ("s3:///key", "name of a bucket"),
        ("s3://Data/key", "name of a bucket"),
        ("s3://da ta/key", "name of a bucket"),
        ("s3://data", "key of the object is missing"),
        ("s3://data/", "key of the object is missing"),
        ("s3://data/../other/key", "'.' or '..'"),
        ("s3://data/a/./b", "'.' or '..'"),
        ("s3://data/..", "'.' or '..'"),
        ("s3://data/" + "ä" * 513, "more than 1024 bytes"),
        ("http://a.example/x", "use https://"),
        ("https:a.example/x", "not a URL"),
        ("https://", "its host"),
        ("https:///x", "its host"),
        ("https://a..b/x", "its host"),
        ("https://bücher.example/", "its host"),
        ("https://" + "a" * 64 + ".example/", "its host"),
        ("https://" + "a." * 130 + "b/", "its host"),
        ("https://[::1/", "its host"),
        ("https://a.example:/", "its host"),
        ("https://a.example:x/", "its host"),
        ("https://a.example:0/", "its port"),
        ("https://a.example:65536/", "its port"),
        ("https://user:secret@a.example/", "credentials"),
        ("https://a.example\\@evil.example/", "backslash"),
        ("https://a.example/a b", "no space"),
        (f"file:{ID}\n", "cannot be printed"),
        ("s3://data/a\0b", "cannot be printed"),
        ("s3://data/\ud800", "cannot be printed"),
        ("https://a.example/" + "a" * 4_096, "more than 4096"),
    ],
)
def test_a_bad_reference_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InputRefMalformed, match=reason) as caught:
        inputs.parse(text)
    assert len(str(caught.value)) < 500


def test_a_printed_reference_holds_no_secret() -> None:
    ref = inputs.parse("https://a.example/x.csv?X-Amz-Signature=5ec7e7")
    assert str(ref) == "https://a.example/x.csv?..."
    with pytest.raises(InputRefMalformed) as caught:
        inputs.parse("https://user:5ec7e7@a.example/?token=5ec7e7")
    assert "5ec7e7" not in str(caught.value)


_PIECES = st.sampled_from(
    ["file:", "artifact:", "s3://", "https://", "http://", "@", "/", "..", "[", "]", ":", "?", "#"]
)


@given(st.lists(_PIECES | st.text(max_size=8) | st.just(ID), max_size=8).map("".join))
def test_any_text_is_a_reference_or_our_error(text: str) -> None:
    try:
        ref = inputs.parse(text)
    except InputRefMalformed:
        return
    written = ref.url if isinstance(ref, HttpsRef) else str(ref)
    assert inputs.parse(written) == ref or len(written) > inputs.MAX_CHARACTERS
