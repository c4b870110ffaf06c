from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.sse import MAX_EVENT_BYTES, EventReader, EventTooLarge, ServerEvent


def pieces_of(stream: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    start = 0
    for cut in sorted({min(cut, len(stream)) for cut in cuts}):
        yield stream[start:cut]
        start = cut
    yield stream[start:]


def events_of(stream: bytes, *cuts: int) -> list[ServerEvent]:
    reader = EventReader()
    found = [event for piece in pieces_of(stream, cuts) for event in reader.take(piece)]
    return [*found, *reader.end()]


def read(stream: bytes, *cuts: int) -> list[bytes]:
    return [event.data for event in events_of(stream, *cuts)]


@given(
    data=st.lists(st.binary(min_size=1).filter(lambda data: not set(data) & set(b"\r\n "))),
    cuts=st.lists(st.integers(0, 500), max_size=20),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_events_of_a_model_are_the_same_however_they_are_cut(
    data: list[bytes], cuts: list[int], newline: bytes
) -> None:
    stream = b"".join(b"data: " + item + newline * 2 for item in data)
    assert read(stream, *cuts) == data


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data:{}\n\n", [b"{}"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": comment\n\n\n\ndata: a\n\n", [b"a"]),
        (b"id: 1\nevent: x\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"data: a\n\ndata: b", [b"a", b"b"]),
        (b"data: a\n", [b"a"]),
        (b"nonsense\n\n", []),
        (b'data: a\n\n{"error": 1}\n', [b"a", b'{"error": 1}']),
        (b"", []),
    ],
)
def test_only_the_data_of_an_event_stream_counts(stream: bytes, data: list[bytes]) -> None:
    assert read(stream) == data


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * MAX_EVENT_BYTES, (b"data: " + b"x" * 1_000 + b"\n") * 4_200],
    ids=["one line", "many lines"],
)
def test_an_event_that_is_too_large_is_refused(stream: bytes) -> None:
    with pytest.raises(EventTooLarge):
        read(stream, *range(0, len(stream), 65_536))


@given(
    lines=st.lists(
        st.sampled_from([b"data: a", b"data:b", b": ping", b"event: x", b"", b"", b'{"error": 1}'])
    ),
    ends=st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=50, max_size=50),
    cuts=st.lists(st.integers(0, 400), max_size=30),
)
def test_the_events_are_the_same_whichever_way_each_line_ends(
    lines: list[bytes], ends: list[bytes], cuts: list[int]
) -> None:
    plain = b"".join(line + b"\n" for line in lines)
    mixed = [line + end for line, end in zip(lines, ends, strict=False)]
    # A lone CR before an LF is one end of a line, and not the two that were meant.
    joined = b"".join(
        piece.replace(b"\r", b"\n") if after.startswith(b"\n") and piece.endswith(b"\r") else piece
        for piece, after in zip(mixed, [*mixed[1:], b""], strict=False)
    )
    if len(lines) <= len(ends):
        assert read(joined, *cuts) == read(plain)


def test_a_name_belongs_to_its_own_event_only() -> None:
    stream = b"event: error\ndata: a\n\ndata: b\n\nerror: c\n\n"
    assert events_of(stream) == [
        ServerEvent(b"a", "error"),
        ServerEvent(b"b"),
        ServerEvent(b"c", "error"),
    ]
