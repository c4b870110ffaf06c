from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.frames import Frame, NotAnAnswer, frames, whole
from activities.llm.sse import MAX_EVENT_BYTES, EventTooLarge

BOM = b"\xef\xbb\xbf"


async def pieces_of(stream: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    start = 0
    for cut in sorted({min(cut, len(stream)) for cut in cuts}):
        yield stream[start:cut]
        start = cut
    yield stream[start:]


async def read(stream: bytes, *cuts: int) -> list[bytes]:
    return [frame.data async for frame in frames(pieces_of(stream, cuts))]


@given(
    start=st.sampled_from([b"", BOM, BOM + b"\n\n", b"\n \r\n", b": comment\n\n"]),
    data=st.lists(st.sampled_from([b'{"a": 1}', b"[DONE]", b"{}"]), min_size=1, max_size=4),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 80), max_size=20),
)
async def test_a_stream_gives_the_same_frames_whatever_is_before_it_and_however_it_is_cut(
    start: bytes, data: list[bytes], newline: bytes, cuts: list[int]
) -> None:
    stream = start + b"".join(b"data: " + item + newline * 2 for item in data)
    assert await read(stream, *cuts) == data


@given(
    start=st.sampled_from([b"", BOM, b"\n\n\n", BOM + b" "]),
    body=st.sampled_from([b'{"a": 1}', b'{\n"a": [1,\n2]}', b'[{"a": "data: x\\n"}]', b'{"a": ']),
    cuts=st.lists(st.integers(0, 30), max_size=20),
)
async def test_a_document_is_one_frame_whatever_is_before_it_and_however_it_is_cut(
    start: bytes, body: bytes, cuts: list[int]
) -> None:
    assert await read(start + body, *cuts) == [body]


async def test_documents_on_lines_of_their_own_are_a_frame_each() -> None:
    assert await read(b'{"a": 1}\n\n{"b": 2}\r\n') == [b'{"a": 1}', b'{"b": 2}']


async def test_an_event_of_the_name_error_is_marked() -> None:
    stream = b"event: error\ndata: it broke\n\n"
    found = [frame async for frame in frames(pieces_of(stream, []))]
    assert found == [Frame(b"it broke", is_error=True)]


@pytest.mark.parametrize("stream", [b"", BOM, b" \n", b": comment\n\n"])
async def test_nothing_at_all_gives_no_frame(stream: bytes) -> None:
    assert await read(stream) == []


async def test_what_is_neither_events_nor_json_is_said_to_be_none() -> None:
    with pytest.raises(NotAnAnswer, match="<html>"):
        await read(b"<html>" + b"x" * 10_000)


async def test_a_document_is_read_within_the_limit() -> None:
    assert await whole(pieces_of(BOM + b'{"a": 1}', [3])) == b'{"a": 1}'
    with pytest.raises(EventTooLarge):
        await whole(pieces_of(b"x" * (MAX_EVENT_BYTES + 1), [5]))
    with pytest.raises(EventTooLarge):
        await read(b"{" + b"x" * (MAX_EVENT_BYTES + 1), 5)
