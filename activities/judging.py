"""What becomes of a model's answer: calls to be made, mistakes to be told to it, or the end."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

from pydantic import JsonValue

from activities.llm.base import Answer, ChatMessage, ToolRequest
from activities.tools.finish import FINISH, finish_problems
from activities.tools.toolbox import OfferedTool
from workflows.agents import Agent
from workflows.contracts import CallPlan, Permission
from workflows.errors import ToolNotFound

ASK_HUMAN = "ask_human"
MAX_CALLS_PER_TURN = 32

_DIGEST_CHARACTERS = 12
# Of the same file, made by another call.
_ARTIFACT_ID = re.compile(r"artifact(?:s/|:)[0-9a-f-]{36}")
_TASK_TYPES: dict[str, Literal["skill", "code"]] = {"run_skill_script": "skill", "run_code": "code"}


@dataclass(frozen=True, slots=True)
class SoundCall:
    """A call that can be made. ``seq`` is the number of the message for its result, ``ask_id``
    names the question to a person, where one has to be asked."""

    seq: int
    request: ToolRequest
    tool: OfferedTool
    arguments: dict[str, JsonValue]
    ask_id: UUID = field(default_factory=uuid4)

    @property
    def task_type(self) -> Literal["skill", "code", "tool"]:
        return _TASK_TYPES.get(self.tool.name, "tool")

    @property
    def waits_for(self) -> Literal["approval", "answer"] | None:
        if self.tool.name == ASK_HUMAN:
            return "answer"
        return "approval" if self.tool.permission is Permission.ASK else None

    @property
    def plan(self) -> CallPlan:
        return CallPlan(
            seq=self.seq,
            name=self.tool.name,
            timeout_seconds=self.tool.timeout_seconds,
            ask_id=self.ask_id if self.waits_for else None,
        )


@dataclass(slots=True)
class Judged:
    """``told`` are results that are known at once, by the number of their message."""

    calls: list[SoundCall] = field(default_factory=list)
    told: dict[int, tuple[ToolRequest, str]] = field(default_factory=dict)
    result: dict[str, JsonValue] | None = None


async def judge(
    answer: Answer, offered: Mapping[str, OfferedTool], agent: Agent, first_seq: int
) -> Judged:
    """Sort the requests of an answer; the result of the first is message ``first_seq``."""
    judged = Judged()
    for place, request in enumerate(answer.requests):
        seq = first_seq + place
        arguments = _arguments_of(request)
        fault: str | None
        if place >= MAX_CALLS_PER_TURN:
            fault = f"Not run: {MAX_CALLS_PER_TURN} calls at once are the most. Call it again."
        elif isinstance(arguments, str):
            fault = arguments
        elif request.name not in offered:
            fault = str(ToolNotFound(tool=request.name[:200], known=", ".join(offered)))
        elif request.name == FINISH:
            fault = await _finish_fault(answer, agent, arguments)
            if fault is None:
                judged.result = arguments
        else:
            judged.calls.append(SoundCall(seq, request, offered[request.name], arguments))
            continue
        judged.told[seq] = (request, fault or "Finished.")
    return judged


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


def _arguments_of(request: ToolRequest) -> dict[str, JsonValue] | str:
    """The arguments; or what is wrong with them, as the model is told."""
    try:
        # Some models write nothing where a tool takes no arguments.
        arguments = json.loads(request.arguments.strip() or "{}", parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:200] or "too deeply nested"
        return f"Not run: the arguments are not valid JSON ({reason}). Write one JSON object."
    if not isinstance(arguments, dict):
        return "Not run: the arguments must be one JSON object."
    return arguments


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


async def _finish_fault(
    answer: Answer, agent: Agent, arguments: Mapping[str, JsonValue]
) -> str | None:
    if len(answer.requests) > 1:
        return "Not finished: call `finish` alone, once you have read the other calls' results."
    problems = await finish_problems(agent.output_schema, arguments)
    if not problems:
        return None
    listed = "\n".join(f"- {item.pointer or '(arguments)'}: {item.message}" for item in problems)
    return f"Not finished: the arguments do not fit.\n{listed}\nMend them and call it again."
