import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from api.web.logs import (
    HEAD_LINES,
    LINE_CHARACTERS,
    PAGE_CHARACTERS,
    PAGE_LINES,
    TAIL_LINES,
    shown_attempts,
)
from api.wire.responses.history import Attempt


def attempt(stdout: str = "", stderr: str = "") -> Attempt:
    values: dict[str, Any] = {"worker_id": None, "exit_code": 0, "duration_ms": 5, "error": None}
    now = datetime.now(UTC)
    values |= {"status": "completed", "tokens_used": 0, "started_at": now, "finished_at": now}
    return Attempt(
        id=uuid4(), step="a", sub_task_id=uuid4(), run=1, attempt=1, stdout=stdout, stderr=stderr,
        **values,
    )  # fmt: skip


def lines(stdout: str, wanted: str = "") -> list[tuple[int, str]]:
    [shown] = shown_attempts([attempt(stdout)], wanted)
    return [line for each in shown.outputs for line in _read([*each.head, *each.tail])]


def _read(chunks: Sequence[str]) -> list[tuple[int, str]]:
    found = re.findall(r'<span data-n="(\d+)">(.*?)\n</span>', "".join(chunks), re.DOTALL)
    return [(int(number), text) for number, text in found]


def test_lines_are_numbered_and_keep_their_colours() -> None:
    red = '<span class="ansi-1">{}</span>'
    assert lines("a\n\x1b[31mb\nc\x1b[0m\n\nd\r\n") == [
        (1, "a"), (2, red.format("b")), (3, red.format("c")), (4, ""), (5, "d"),
    ]  # fmt: skip


def test_lines_that_are_looked_for_keep_their_numbers() -> None:
    assert lines("one\nTwo\nthree\n", "TW") == [(2, "Two")]
    assert lines("\x1b[1mT\x1b[0mwo\n", "two") == [(1, '<span class="ansi-bold">T</span>wo')]


def test_long_output_keeps_its_beginning_and_end() -> None:
    count = HEAD_LINES + TAIL_LINES + 7
    [shown] = shown_attempts([attempt("\n".join(map(str, range(count))))])
    [output] = shown.outputs
    assert output.left_out == 7
    head, tail = _read(output.head), _read(output.tail)
    assert (head[0], len(head)) == ((1, "0"), HEAD_LINES)
    assert (tail[0][0], tail[-1]) == (HEAD_LINES + 8, (count, str(count - 1)))


def test_a_long_line_is_cut() -> None:
    [(_, text)] = lines("x" * (LINE_CHARACTERS + 5))
    assert text.endswith("… (5 more characters)")


def test_what_is_more_than_a_page_holds_is_folded() -> None:
    long = attempt("x\n" * (PAGE_CHARACTERS // 2))
    shown = shown_attempts([long, attempt("y"), attempt()])
    assert [each.is_folded for each in shown] == [False, True, False]
    many = attempt("\n" * PAGE_LINES, "\n" * PAGE_LINES)
    assert [each.is_folded for each in shown_attempts([many, many])] == [False, True]


def test_streams_are_kept_apart_and_empty_ones_left_out() -> None:
    [shown] = shown_attempts([attempt("a\n", "b\n")])
    assert [each.stream for each in shown.outputs] == ["stdout", "stderr"]
    [silent] = shown_attempts([attempt()])
    assert not silent.outputs


def test_a_stream_of_nothing_but_colours_is_shown_without_them() -> None:
    start = time.perf_counter()
    found = lines(("\x1b[31mx\x1b[32my" * 300 + "\n") * 2_000)
    assert time.perf_counter() - start < 10
    assert len(found) == 2_000
    assert found[0][1].startswith("xyxy")
