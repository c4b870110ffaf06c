"""A conversation on a terminal."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from api.cli import terminal
from api.cli.commands.messages import message_lines
from api.wire.responses.history import Message


def message(role: str, content: str) -> Message:
    return Message(
        seq=1,
        turn=0,
        role=role,
        content=content,
        requests=[],
        request_id=None,
        sub_task_id=None,
        model=None,
        usage=None,
        created_at=datetime.now(UTC),
    )


def lines(
    monkeypatch: pytest.MonkeyPatch, given: Message, *, columns: int = 40, is_folded: bool = True
) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, force_terminal=True)
    monkeypatch.setattr(terminal, "stdout", lambda: console)
    return [line.plain for line in message_lines(given, is_folded=is_folded)][1:-1]


def test_of_the_system_prompt_the_first_line_is_shown_unless_all_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompt = message("system", "You are Agent.\nDo this.\nAnd that.")
    assert lines(monkeypatch, prompt) == [
        "  You are Agent.",
        "  ... 2 more lines: --system",
    ]
    assert lines(monkeypatch, prompt, is_folded=False) == [
        "  You are Agent.",
        "  Do this.",
        "  And that.",
    ]
    assert len(lines(monkeypatch, message("user", "a\nb\nc"))) == 3


def test_lines_are_broken_between_words_and_stay_indented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = lines(monkeypatch, message("user", "several words " * 20), columns=30)
    assert all(len(line) <= 30 and line.startswith("  ") for line in found)
    assert {word for line in found for word in line.split()} == {"several", "words"}
    assert max(map(len, lines(monkeypatch, message("user", "x" * 100), columns=30))) == 30
