"""Server-sent events, however the network cuts them."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import sse
from api.client.sse import ServerEvent, events_in
from api.client.task_events import TaskEvent, says_it_ended

LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
EVENT = st.tuples(
    st.integers(1, 999), st.sampled_from(["task.status", "step.output"]), st.lists(LINE, min_size=1)
)


class Chunks(httpx2.AsyncByteStream):
    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


async def parse(*chunks: bytes, content_type: str = "text/event-stream") -> list[ServerEvent]:
    response = httpx2.Response(
        200,
        headers={"content-type": content_type},
        stream=Chunks(chunks),
        request=httpx2.Request("GET", "http://127.0.0.1/"),
    )
    return [event async for event in events_in(response)]


@given(st.lists(EVENT), st.sampled_from(["\n", "\r\n", "\r"]), st.data())
async def test_events_of_a_task_are_the_same_however_they_are_cut(
    events: list[tuple[int, str, list[str]]], end: str, data: st.DataObject
) -> None:
    written = "".join(
        f": beat{end}id: {seq}{end}event: {kind}{end}"
        + "".join(f"data: {line}{end}" for line in lines)
        + end
        for seq, kind, lines in events
    ).encode()
    # A CR at the end may be half of a CRLF: what comes next tells.
    written += b": more"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=10)))
    chunks = [written[begin:until] for begin, until in zip([0, *cuts], [*cuts, None], strict=True)]
    assert await parse(*chunks) == [
        ServerEvent(kind, "\n".join(lines), str(seq)) for seq, kind, lines in events
    ]


@given(st.lists(st.binary(max_size=50)))
async def test_no_bytes_break_the_parser(chunks: list[bytes]) -> None:
    await parse(*chunks)


async def test_separators_that_only_python_knows_do_not_end_a_line() -> None:
    [event] = await parse("data: a\u2028b\x85c\x0bd\x1ce\n\n".encode())
    assert event.data == "a\u2028b\x85c\x0bd\x1ce"


async def test_an_id_holds_until_the_next_one() -> None:
    first, second = await parse(b"id: 7\ndata: a\n\ndata: b\n\n")
    assert (first.id, second.id) == ("7", "7")


async def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    with pytest.raises(httpx2.SSEError):
        await parse(b"data: " + b"x" * 60, b"x" * 60)
    with pytest.raises(httpx2.SSEError):
        await parse(*[b"data: 1234567890\n"] * 10)
    assert await parse(*[b": a comment of any length\n"] * 100) == []


@pytest.mark.parametrize("data", ["", "[]", "null", "{", '{"created_at": "noon"}'])
def test_stream_events_that_are_not_of_a_task_are_skipped(data: str) -> None:
    assert TaskEvent.read(ServerEvent("task.status", data, "1")) is None


@pytest.mark.parametrize("key", [None, "x", ""])
def test_an_event_without_a_number_is_passed_over(key: str | None) -> None:
    assert TaskEvent.read(ServerEvent("task.status", "{}", key)) is None


@pytest.mark.parametrize(
    ("kind", "data", "ends"),
    [
        ("task.status", '{"status": "completed"}', True),
        ("task.status", '{"status": "blocked"}', True),
        ("task.status", '{"status": "running"}', False),
        ("task.status", '{"status": ["completed"]}', False),
        ("step.completed", '{"status": "completed"}', False),
    ],
)
def test_only_a_final_state_of_the_task_ends_its_events(kind: str, data: str, ends: bool) -> None:
    assert says_it_ended(ServerEvent(kind, data, "1")) is ends


async def test_a_block_without_name_and_data_is_no_event() -> None:
    [event] = await parse(b"retry: 100\n\nid: 7\n\ndata: a\n\nretry: 100\n\n")
    assert event == ServerEvent("message", "a", "7")


async def test_an_event_that_is_cut_off_is_no_event() -> None:
    assert await parse(b"id: 1\nevent: task.status\ndata: {}\n") == []


async def test_an_answer_that_is_not_an_event_stream_is_an_error() -> None:
    with pytest.raises(httpx2.SSEError, match="text/html"):
        await parse(b"<html>", content_type="text/html")
