from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.llm.sse import MAX_EVENT_BYTES, EventTooLarge, event_data, whole


async def pieces_of(stream: bytes, cuts: Sequence[int]) -> AsyncIterator[bytes]:
    start = 0
    for cut in sorted({min(cut, len(stream)) for cut in cuts}):
        yield stream[start:cut]
        start = cut
    yield stream[start:]


async def read(stream: bytes, *cuts: int) -> list[bytes]:
    return [data async for data in event_data(pieces_of(stream, cuts))]


@given(
    data=st.lists(st.binary(min_size=1).filter(lambda data: not set(data) & set(b"\r\n "))),
    cuts=st.lists(st.integers(0, 500), max_size=20),
    newline=st.sampled_from([b"\n", b"\r\n"]),
)
async def test_events_of_a_model_are_the_same_however_they_are_cut(
    data: list[bytes], cuts: list[int], newline: bytes
) -> None:
    stream = b"".join(b"data: " + item + newline * 2 for item in data)
    assert await read(stream, *cuts) == data


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
        (b"", []),
    ],
)
async def test_only_the_data_of_an_event_stream_counts(stream: bytes, data: list[bytes]) -> None:
    assert await read(stream) == data


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * MAX_EVENT_BYTES, (b"data: " + b"x" * 1_000 + b"\n") * 4_200],
    ids=["one line", "many lines"],
)
async def test_an_event_that_is_too_large_is_refused(stream: bytes) -> None:
    with pytest.raises(EventTooLarge):
        await read(stream, *range(0, len(stream), 65_536))


async def test_a_body_is_given_as_one_and_within_the_limit() -> None:
    assert [data async for data in whole(pieces_of(b'{"a": 1}', [3]))] == [b'{"a": 1}']
    with pytest.raises(EventTooLarge):
        _ = [data async for data in whole(pieces_of(b"x" * (MAX_EVENT_BYTES + 1), [5]))]
