"""What makes failures one group, and what keeps them apart."""

import string
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from activities.dead_letters.fingerprint import Parts, masked
from tests.growth import is_about_linear
from workflows.states import TaskType

_WORDS = st.text(string.ascii_lowercase + string.ascii_uppercase, min_size=1, max_size=5).filter(
    lambda word: not set(word.lower()) <= set("abcdef")
)
_SENTENCES = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join)
_NUMBERS = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(str)
_TIMES = st.datetimes(min_value=datetime(1000, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC).isoformat()
)
_HEX = st.text("0123456789abcdef", min_size=8, max_size=64)
_NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=12)
_PATHS = st.lists(_NAMES, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
_URLS = st.builds("https://{}/{}?x={}".format, _NAMES, _NAMES, st.integers())
_QUOTED = st.text().map(repr) | st.text(st.characters(exclude_characters="`\n")).map("`{}`".format)
# What differs from one task to another: two of a kind are masked alike.
_KINDS: dict[str, st.SearchStrategy[str]] = {
    "number": _NUMBERS,
    "uuid": st.uuids().map(str),
    "hexadecimal id": _HEX,
    "time": _TIMES,
    "path": _PATHS,
    "url": _URLS,
    "quoted text": _QUOTED,
}


def _parts(**changes: Any) -> Parts:
    given = {
        "task_type": TaskType.PIPELINE,
        "step": "clean",
        "runs": "csv-clean",
        "code": "script-failed",
        "message": "It failed.",
    }
    return Parts.of(**{**given, **changes})


@given(data=st.data(), before=_SENTENCES, after=_SENTENCES)
@pytest.mark.parametrize("kind", _KINDS)
def test_what_differs_from_task_to_task_is_masked(
    kind: str, data: st.DataObject, before: str, after: str
) -> None:
    one, other = data.draw(_KINDS[kind]), data.draw(_KINDS[kind])
    messages = [f"{before} {text} {after}" for text in (one, other)]
    assert masked(messages[0]) == masked(messages[1])
    assert _parts(message=messages[0]).fingerprint == _parts(message=messages[1]).fingerprint


@given(one=_SENTENCES, other=_SENTENCES)
def test_messages_of_other_words_are_told_apart(one: str, other: str) -> None:
    assert (masked(one) == masked(other)) == (one == other)


@given(st.text())
@example("'\"`“/\\#")
def test_a_masked_message_is_short_and_has_no_digit(message: str) -> None:
    found = masked(message)
    assert len(found) <= 500
    assert not any(character in "0123456789" for character in found)


@pytest.mark.parametrize(
    "change",
    [
        {"task_type": TaskType.AGENT},
        {"step": "chart"},
        {"step": None},
        {"runs": "chart"},
        {"code": "script-timed-out"},
        {"message": "It fell."},
    ],
    ids="-".join,
)
def test_failures_of_another_kind_have_another_fingerprint(change: dict[str, Any]) -> None:
    assert _parts(**change).fingerprint != _parts().fingerprint


def test_a_fingerprint_stays_what_it_is() -> None:
    """Groups that people know must not fall apart: whoever changes this changes the version."""
    parts = _parts(message="Step 'clean' failed with exit code 1: KeyError: 'age' in /tmp/a.csv")
    assert parts.message == "Step '...' failed with exit code #: KeyError: '...' in <path>"
    assert (parts.version, parts.fingerprint) == (1, "fb4f57f84d4f5b43")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("can't open 'John's file'", "can't open '...'"),
        ("[1, 2, 3] and [4]", "[#] and [#]"),
        ("took 3.5s of 10s", "took #s of #s"),
        ("request req_8fK2jQ99x", "request #"),
        ("task 0c9b1e of deadbeefdeadbeef", "task # of #"),
        ("C:\\data\\x.csv and out/a.csv", "<path> and <path>"),
        ("see https://a.example:80/b?c=d, please", "see <url> please"),
        (str(UUID(int=7)), "#"),
        ("a\n\n  b", "a b"),
        ("", ""),
    ],
)
def test_a_message_is_masked_so(message: str, expected: str) -> None:
    assert masked(message) == expected


_HOSTILE = [
    "'", "a.", "a/", "1.", "#,", "\\", "/", "'a", '"\\', "\\'", "a:", "-", "1-", "“", "“a", "`",
    " ", "+", "0", "A:", "x'y", "'x'y", "a-", "http://", "2026-01-01T", "e1", "00000000-", "a@",
]  # fmt: skip


@pytest.mark.parametrize("piece", _HOSTILE)
def test_the_time_to_mask_grows_no_faster_than_the_message(piece: str) -> None:
    assert is_about_linear(lambda size: masked(piece * size), 40_000)
