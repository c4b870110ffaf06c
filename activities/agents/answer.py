"""What follows from a model's answer: calls to make, mistakes to report to it, or the end.

``judge`` sorts its requests; ``Answered`` is all of it as it is written down.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal
from uuid import UUID, uuid4

from pydantic import JsonValue

from activities.agents.text_notes import note_on_text
from activities.agents.turn_events import read_events, turn_events
from activities.llm.base import Answer, Charge, ChatMessage, ToolRequest
from activities.llm.unwrapping import inner_arguments
from activities.store.approvals import Approval
from activities.store.events import as_json
from activities.store.turns import Call, CallDefinition, EndedTurn, Turn
from activities.tools.finish import finish_problems
from activities.tools.offered import OfferedTool
from activities.tools.schemas import MAX_ARGUMENT_DEPTH, is_deeper
from workflows.agent_contracts import CallPlan, Thought
from workflows.definitions.agent import Agent
from workflows.errors.tools import ToolNotFound
from workflows.events import Event
from workflows.states import Permission

MAX_CALLS_PER_TURN = 32

CUT_OFF = (
    "Your answer was cut off before it called a tool: it reached the limit on its length. Think "
    "and write less at once; split a long text into several files, one call each."
)
_CUT_OFF_CALL = (
    "Not run: your answer was cut off in the middle of this call, at the limit on its length. "
    "Write less at once: split a long text into several files, one call each."
)

_UNREAD = (
    "Not finished: the person has written to you meanwhile. Read it, do what it asks for, and call "
    "finish again."
)

_PROBLEMS_SHOWN = 10
_PROBLEM_CHARACTERS = 300
_NAMES_SHOWN = 50
_NAME_CHARACTERS = 200

_DIGEST_CHARACTERS = 12
# Of the same file, made by another call.
_ARTIFACT_ID = re.compile(r"artifact(?:s/|:)[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class SoundCall:
    """A call that can be made. ``seq`` is the number of the message for its result, ``ask_id``
    names the question to a person, where one has to be asked. ``subject`` is the skill that it is
    about, and the script."""

    seq: int
    request: ToolRequest
    tool: OfferedTool
    arguments: dict[str, JsonValue]
    ask_id: UUID = field(default_factory=uuid4)
    subject: str = ""

    @property
    def waits_for(self) -> Literal["approval", "answer"] | None:
        if self.tool.question is not None:
            return "answer"
        return "approval" if self.tool.permission is Permission.ASK else None

    def planned(self, place: int) -> CallPlan:
        return CallPlan(
            seq=self.seq,
            name=self.tool.name,
            timeout_seconds=self.tool.timeout_seconds,
            ask_id=self.ask_id if self.waits_for else None,
            is_plan=self.tool.call_type == "plan",
            place=place,
            subject=self.subject,
        )


@dataclass(slots=True)
class Judged:
    """``results`` are those known at once, without a call, by the number of their message. ``note``
    is a message to the model about an answer without calls."""

    calls: list[SoundCall] = field(default_factory=list)
    results: dict[int, tuple[ToolRequest, str]] = field(default_factory=dict)
    result: dict[str, JsonValue] | None = None
    note: str | None = None

    @property
    def mistakes(self) -> Mapping[int, tuple[ToolRequest, str]]:
        """The results known at once, which are mistakes unless the task is finished."""
        return {} if self.result is not None else self.results


async def judge(
    answer: Answer, offered: Mapping[str, OfferedTool], agent: Agent, first_seq: int
) -> Judged:
    """Sort the requests of an answer; the result of the first is message ``first_seq``."""
    judged = Judged()
    if not answer.requests:
        judged.note = CUT_OFF if answer.finish == "length" else note_on_text(answer.text)
    for place, request in enumerate(answer.requests):
        seq = first_seq + place
        arguments = _arguments_of(request)
        fault: str | None
        if _is_cut_off(answer, place, arguments):
            fault = _CUT_OFF_CALL
        elif place >= MAX_CALLS_PER_TURN:
            fault = f"Not run: a turn has at most {MAX_CALLS_PER_TURN} calls. Call it again."
        elif isinstance(arguments, str):
            fault = arguments
        elif (tool := offered.get(request.name)) is None:
            known = ", ".join(list(offered)[:_NAMES_SHOWN])
            fault = str(ToolNotFound(tool=request.name[:_NAME_CHARACTERS], known=known))
        elif tool.ends_task:
            fault = await _finish_fault(answer, agent, tool, arguments)
            if fault is None:
                judged.result = arguments
        else:
            fitting, problems = await _fitting(tool, arguments)
            if not problems:
                judged.calls.append(SoundCall(seq, request, tool, fitting))
                continue
            fault = f"Not run: the arguments are not valid.\n{_listed(problems)}"
        judged.results[seq] = (request, fault or "Finished.")
    return judged


async def _fitting(
    tool: OfferedTool, arguments: dict[str, JsonValue]
) -> tuple[dict[str, JsonValue], Sequence[tuple[str, str]]]:
    """The arguments as the tool takes them, and what is wrong with them."""
    problems = await tool.problems(arguments)
    inner = inner_arguments(arguments) if problems else None
    if inner is not None and not await tool.problems(inner):
        return inner, ()
    return arguments, problems


def digest_of(heard: Sequence[ChatMessage], answer: Answer) -> str:
    """The same for turns that do the same upon the same: the results that the model read last,
    and what it calls for now, however that is written."""
    results: list[str] = []
    for message in reversed(heard):
        if message.role == "assistant":
            break
        if message.role == "tool":
            results.append(message.content)
    calls = [[request.name, _arguments_of(request)] for request in answer.requests]
    document = json.dumps([results, calls, "" if calls else answer.text], sort_keys=True)
    same = _ARTIFACT_ID.sub("", document)
    return hashlib.sha256(same.encode()).hexdigest()[:_DIGEST_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Answered:
    """``heard`` is the conversation so far, ``before`` what was said in this turn before, ``lost``
    what answers took that broke off before this one. ``read`` are the numbers of what people have
    told the agent, each with that of its message."""

    turn: Turn
    heard: Sequence[ChatMessage]
    before: Sequence[ChatMessage]
    answer: Answer
    judged: Judged
    lost: Charge
    read: Mapping[int, int] = field(default_factory=dict)

    @property
    def reopened(self) -> "Answered":
        """The same, though the model has finished: it was told something that it has not read."""
        results = {seq: (request, _UNREAD) for seq, (request, _) in self.judged.results.items()}
        return replace(self, judged=Judged(results=results))

    @property
    def seq(self) -> int:
        """The number of the answer's message; the results of its calls follow."""
        return self.turn.seq + len(self.before) + 1

    def ended(self, deltas: Sequence[Event], approval_seconds: float) -> EndedTurn:
        """What is to be written. ``deltas`` are the events that were not sent yet."""
        calls = tuple(self._call(sound, approval_seconds) for sound in self.judged.calls)
        return EndedTurn(
            messages=self._messages(),
            answer=self.answer,
            lost=self.lost,
            thought=self._thought(),
            calls=calls,
            result=self.judged.result,
            events=(
                *deltas,
                *read_events(self.turn, self.read),
                *turn_events(self.turn, self.seq, self.answer, calls, self.judged.mistakes),
            ),
            read=self.read,
        )

    def _thought(self) -> Thought:
        charge = self.answer.charge + self.lost
        return Thought(
            seq=self.seq + len(self.answer.requests) + (self.judged.note is not None),
            calls=tuple(sound.planned(sound.seq - self.seq) for sound in self.judged.calls),
            tokens=charge.tokens,
            cost_usd=charge.cost_usd,
            digest=digest_of(self.heard, self.answer),
            silent=not self.answer.requests,
            finished=self.judged.result is not None,
            model=self.answer.model,
        )

    def _messages(self) -> dict[int, ChatMessage]:
        turn = self.turn.turn
        said = ChatMessage(
            "assistant",
            self.answer.text,
            requests=self.answer.requests,
            turn=turn,
            opaque=self.answer.opaque,
        )
        messages = dict(enumerate((*self.before, said), start=self.turn.seq + 1))
        for seq, (request, text) in self.judged.results.items():
            messages[seq] = ChatMessage("tool", text, request_id=request.id, turn=turn)
        if self.judged.note is not None:
            messages[self.seq + 1] = ChatMessage("user", self.judged.note, turn=turn)
        return messages

    def _call(self, sound: SoundCall, approval_seconds: float) -> Call:
        return Call(
            seq=sound.seq,
            name=f"{self.turn.turn}.{sound.seq - self.seq} {sound.tool.name}",
            task_type=sound.tool.call_type,
            definition=CallDefinition(
                tool=sound.tool.name,
                arguments=sound.arguments,
                turn=self.turn.turn,
                request_id=sound.request.id,
                is_retry_safe=sound.tool.is_retry_safe,
                digest=sound.tool.digest if sound.tool.native is None else None,
            ),
            approval=_approval(sound, approval_seconds),
        )


def _is_cut_off(answer: Answer, place: int, arguments: dict[str, JsonValue] | str) -> bool:
    """Whether the answer ended within this call. One that has no arguments yet, or only the empty
    object that some gateways begin with, looks like one that takes none."""
    if answer.finish != "length" or place < len(answer.requests) - 1:
        return False
    return isinstance(arguments, str) or not arguments


def _arguments_of(request: ToolRequest) -> dict[str, JsonValue] | str:
    """The arguments; or what is wrong with them, in words for the model."""
    try:
        # Many models write nothing where a tool takes no arguments.
        written = json.loads(request.arguments.strip() or "{}")
        # As they can be kept: no halves of characters, no numbers that are none.
        arguments = json.loads(as_json(written), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:200] or "too deeply nested"
        return f"Not run: the arguments are not valid JSON ({reason}). Write one JSON object."
    if not isinstance(arguments, dict):
        return "Not run: the arguments must be one JSON object."
    if is_deeper(arguments, MAX_ARGUMENT_DEPTH):
        return f"Not run: the arguments are nested more than {MAX_ARGUMENT_DEPTH} levels deep."
    return arguments


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


async def _finish_fault(
    answer: Answer, agent: Agent, tool: OfferedTool, arguments: Mapping[str, JsonValue]
) -> str | None:
    if len(answer.requests) > 1:
        return "Not finished: call `finish` alone, after you have read the other calls' results."
    found = await finish_problems(agent.output_schema, arguments)
    problems = [(item.pointer, item.message) for item in found]
    problems += await tool.problems(arguments)
    if not problems:
        return None
    listed = _listed(problems)
    return f"Not finished: the arguments are not valid.\n{listed}\nFix them and call it again."


def _listed(problems: Iterable[tuple[str, str]]) -> str:
    """A line for each; they may quote what the model wrote, at any length."""
    lines = (f"- {pointer or '(arguments)'}: {message}" for pointer, message in problems)
    return "\n".join(line[:_PROBLEM_CHARACTERS] for line in islice(lines, _PROBLEMS_SHOWN))


def _approval(sound: SoundCall, seconds: float) -> Approval | None:
    if sound.waits_for is None:
        return None
    now = datetime.now(UTC)
    question = sound.arguments.get(sound.tool.question or "")
    return Approval(
        id=sound.ask_id,
        kind=sound.waits_for,
        question=str(question) if question else None,
        asked_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )
