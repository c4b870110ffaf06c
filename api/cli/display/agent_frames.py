"""Pictures of an agent at work: its turn, what it says, its calls, and what waits for a person."""

import json
import re
import textwrap
from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from api.cli.display.agent_progress import AgentProgress, Call, Turn, arguments_text
from api.cli.display.amounts import clock, counted, dollars, duration, seconds_between
from api.cli.display.frames import (
    LINE_CHARACTERS,
    artifact_lines,
    error_lines,
    hint_line,
    line,
    retry_command,
    verdict,
)
from api.cli.display.glyphs import UNICODE, Glyphs, style_of
from api.cli.terminal import safe_line, safe_text
from api.wire.responses.approvals import AskedCall
from workflows.events import ApprovalAsked, LlmRetrying, TurnHeld
from workflows.states import Status

ASK_CHARACTERS = 8

_INDENT = "  "
_NUMBER = re.compile(r"[0-9]+\.[0-9]+")
_WORD_LINES = 12
_RESULT_CHARACTERS = 2_000
_TOOL_COLUMNS = 16
_TROUBLE_CHARACTERS = 400
# Of what a person is asked about, in the narrowest terminal.
_SURELY_SHOWN_CHARACTERS = 70


def frame(
    task: AgentProgress,
    now: datetime,
    glyphs: Glyphs = UNICODE,
    *,
    width: int = 80,
    height_lines: int | None = None,
) -> Group:
    """The turn under way; of what it says and does the end, where there is too little room."""
    head = _headline(task, now, glyphs)
    rest = list(turn_lines(task, task.turn, now, glyphs, width=width)) if task.turn else []
    asked = [text for item in task.asked.values() for text in asked_lines(task, item, now, glyphs)]
    if height_lines is not None:
        asked = asked[: max(0, height_lines - 1)]
        kept = max(0, height_lines - 1 - len(asked))
        rest = rest[len(rest) - kept :] if len(rest) > kept else rest
    return Group(head, *rest, *asked)


def turn_lines(
    task: AgentProgress,
    turn: Turn,
    now: datetime,
    glyphs: Glyphs = UNICODE,
    *,
    width: int = 80,
) -> Iterator[Text]:
    """One turn: what the model says, then its calls with what came of them."""
    yield _turn_line(turn, now, glyphs)
    if turn.trouble is not None:
        yield line((f"{_INDENT}{trouble_text(turn.trouble, now)}", "yellow"))
    words = list(_wrapped(turn.text, width - len(_INDENT)))
    if len(words) > _WORD_LINES:
        yield line((f"{_INDENT}({len(words) - _WORD_LINES} lines above)", "dim"))
    for text in words[-_WORD_LINES:]:
        yield line((_INDENT, ""), (text, ""))
    for call in turn.calls.values():
        yield from _call_lines(task, call, now, glyphs)


def held_text(held: TurnHeld, now: datetime) -> str:
    """What the turn waits for, and until when."""
    until = (
        f", until {clock(held.next_attempt_at, now)} at the latest" if held.next_attempt_at else ""
    )
    return safe_line(f"It waits for {held.reason}{until}.", _TROUBLE_CHARACTERS)


def trouble_text(trouble: LlmRetrying | TurnHeld, now: datetime) -> str:
    """Why a model is asked again, and when."""
    if isinstance(trouble, TurnHeld):
        return held_text(trouble, now)
    reason = trouble.error.message if trouble.error else f"{trouble.model} gave no answer."
    due = trouble.next_attempt_at
    then = f"It is asked again at {clock(due, now)}." if due else "The next model is asked."
    # The remedy at the end of the message may have no room; when it goes on must have some.
    return safe_line(f"{then} {reason}", _TROUBLE_CHARACTERS)


def asked_lines(
    task: AgentProgress, asked: ApprovalAsked, now: datetime, glyphs: Glyphs = UNICODE
) -> Iterator[Text]:
    """What a person is asked, and the commands to type for an answer."""
    until = f" until {clock(asked.expires_at, now)}" if asked.expires_at else ""
    sign = (f"{_INDENT}{glyphs.of(Status.WAITING)} ", style_of(Status.WAITING))
    name = safe_line(asked.step, LINE_CHARACTERS)
    if asked.kind == "answer":
        yield line(sign, (name, "bold"), (f" asks you{until}", "yellow"))
        yield line((f"{_INDENT * 2}{safe_line(asked.question or '', LINE_CHARACTERS)}", "bold"))
    else:
        yield line(sign, (name, "bold"), (f" waiting for your approval{until}", "yellow"))
        shown = safe_line(arguments_text(asked.arguments), LINE_CHARACTERS)
        yield line((f"{_INDENT * 2}{shown}", ""))
    if (hint := full_view_command(task.task_id, asked)) is not None:
        yield _uncut(f"{_INDENT * 2}{hint}")
    for command in commands_for(task.task_id, asked.step, asked):
        yield _uncut(f"{_INDENT * 2}{command}")


def commands_for(task_id: str, name: str, asked: ApprovalAsked | AskedCall) -> tuple[str, str]:
    """What to type to answer. What is asked is named by its id: a call may ask again, and what was
    typed once must not answer that. No model can choose it, nor the number of a call."""
    number = name.partition(" ")[0]
    call = number if _NUMBER.fullmatch(number) else str(asked.call_id)
    meant = str(asked.ask_id)[:ASK_CHARACTERS] if asked.ask_id else call
    approve = f"agentos approve {task_id} {meant}"
    if asked.kind == "answer" and asked.url is None:
        approve += ' --note "your answer"'
    return safe_line(approve), safe_line(f"agentos deny {task_id} {meant}")


def full_view_command(task_id: str, asked: ApprovalAsked) -> str | None:
    """Where to see all that is asked, when a line has no room for it."""
    text = asked.question or "" if asked.kind == "answer" else arguments_text(asked.arguments)
    is_cut = len(text) > _SURELY_SHOWN_CHARACTERS or not text.isprintable()
    return safe_line(f"agentos approvals {task_id}") if is_cut else None


def summary(
    task: AgentProgress, now: datetime, glyphs: Glyphs = UNICODE, *, width: int = 80
) -> Group:
    """How the task ended, why, what the agent says of it, and what to do next."""
    rows: list[tuple[str, str]] = []
    if any(task.artifacts):
        rows.append(("Files", f"agentos artifacts get {task.task_id}"))
    rows.append(("Messages", f"agentos messages {task.task_id}"))
    if task.status is not Status.COMPLETED:
        rows.append(("Retry", retry_command(task)))
    if task.temporal_url:
        rows.append(("Temporal", task.temporal_url))
    parts: list[RenderableType] = [
        verdict(task, now, glyphs, *_spending(task)),
        *error_lines(task, glyphs),
        *finished_lines(task, width=width),
    ]
    return Group(*parts, Text(), *(hint_line(label, value) for label, value in rows))


def finished_lines(task: AgentProgress, *, width: int = 80) -> Iterator[Text]:
    """What was given to ``finish``: summary and result."""
    yield from _words(task.summary, width - len(_INDENT))
    if task.result is not None:
        document = json.dumps(task.result, indent=2, ensure_ascii=False)
        yield Text()
        yield from (Text(f"{_INDENT}{text}") for text in safe_text(document).split("\n"))


def _headline(task: AgentProgress, now: datetime, glyphs: Glyphs) -> Text:
    sign, style = glyphs.of(task.status, now.timestamp()), style_of(task.status)
    elapsed = duration(seconds_between(task.started_at, task.ended_at or now))
    about = [task.status.value, elapsed, *_spending(task)]
    return line(
        (f"{sign} ", style),
        (safe_line(task.name, LINE_CHARACTERS), "bold"),
        (f"  {glyphs.between.join(about)}  ", ""),
        (safe_line(task.task_id), "dim"),
    )


def _spending(task: AgentProgress) -> list[str]:
    about = [counted(len(task.turns), "turn")] if task.turns else []
    if task.tokens:
        about.append(f"{task.tokens:,} tokens")
    if task.cost_usd:
        about.append(dollars(task.cost_usd))
    return about


def _turn_line(turn: Turn, now: datetime, glyphs: Glyphs) -> Text:
    status = Status.COMPLETED if turn.answered_at else Status.RUNNING
    about = [safe_line(turn.model, LINE_CHARACTERS)] if turn.model else []
    if turn.tokens:
        about.append(f"{turn.tokens:,} tokens")
    if turn.asked > 1:
        about.append(f"asked {turn.asked} times")
    about.append(duration(seconds_between(turn.started_at, turn.answered_at or now)))
    return line(
        (f"{glyphs.of(status, now.timestamp())} ", style_of(status)),
        (f"turn {turn.number}", "bold"),
        (f"  {glyphs.between.join(about)}", "dim"),
    )


def _call_lines(task: AgentProgress, call: Call, now: datetime, glyphs: Glyphs) -> Iterator[Text]:
    status = task.status_of(call)
    step = task.steps.get(call.name)
    took = ""
    if step and step.duration_ms is not None:
        took = f"  {duration(step.duration_ms / 1_000)}"
    elif step and status is Status.RUNNING:
        took = f"  {duration(seconds_between(step.started_at, now))}"
    yield line(
        (f"{_INDENT}{glyphs.of(status, now.timestamp())} ", style_of(status)),
        (safe_line(call.tool, LINE_CHARACTERS), "bold"),
        (took, "dim"),
        (f"  {safe_line(call.arguments, LINE_CHARACTERS)}", "dim"),
    )
    if text := beginning(call.result):
        style = "dim" if call.is_fine else "yellow"
        yield line((f"{_INDENT * 2}{glyphs.output} ", style), (text, style))
    if step and status is Status.RUNNING:
        for text in step.last_lines(1):
            shown = safe_line(text.strip(), LINE_CHARACTERS)
            yield line((f"{_INDENT * 2}{glyphs.output} ", "dim"), (shown, "dim italic"))
    if step:
        yield from artifact_lines(list(step.artifacts.values()), glyphs, _TOOL_COLUMNS)


def beginning(result: str) -> str:
    """The beginning of a result as one line, without the fence that the model sees around it."""
    words = result[:_RESULT_CHARACTERS].replace("<output>", "").replace("</output>", "").split()
    return safe_line(" ".join(words), LINE_CHARACTERS)


def _wrapped(text: str, width: int) -> Iterator[str]:
    for paragraph in safe_text(text).expandtabs(4).split("\n"):
        # Where characters are two columns wide, half as many fit.
        room = width if cell_len(paragraph) == len(paragraph) else width // 2
        yield from textwrap.wrap(paragraph, max(room, 10), drop_whitespace=True)


def _words(text: str | None, width: int) -> Iterator[Text]:
    if text:
        yield Text()
        yield from (Text(f"{_INDENT}{part}") for part in _wrapped(text.strip(), width))


def _uncut(text: str) -> Text:
    # Left to the terminal to wrap: a command that is cut cannot be typed.
    return Text(text, style="cyan", no_wrap=True, overflow="ignore")
