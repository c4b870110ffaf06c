"""What the rules know: a request, read once, with the answer to every call beside it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from deploy.offline_model.kinds import File
from deploy.offline_model.observation import Observation
from deploy.offline_model.wire import ChatRequest, Message

_SKILL = re.compile(
    r"<skill>\s*<name>(?P<name>[^<]+)</name>\s*<description>(?P<description>.*?)</description>",
    re.DOTALL,
)
_MORE_SKILLS = re.compile(r"^\d+ more: list_skills", re.MULTILINE)
_FILES = re.compile(r"<files>(?P<lines>.*?)</files>", re.DOTALL)
_LAST_TURN = re.compile(r"\blast turn\b")
_FILE = re.compile(r"^- (?P<name>.+?)(?: \((?P<about>[^()]*)\))?\s*$", re.MULTILINE)
# One of them ends a task, or says what is to become of it.
_TASK_TOOLS = frozenset({"finish", "create_task", "compile_pipeline", "make_plan", "revise_plan"})
# What follows the description of a node. See ``activities.plans.dataflow``.
_NOT_THE_TASK = re.compile(
    r"^(?:This is one part of a larger task\.|Files to make, under exactly these names:"
    r"|Results of the parts before this one follow\.)",
    re.MULTILINE,
)
_TO_MAKE = re.compile(r"under exactly these names:\n+(?P<lines>(?:- .+(?:\n|$))+)")


@dataclass(frozen=True, slots=True)
class Skill:
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Action:
    """A tool call of an earlier answer. ``turn`` counts the answers that called tools, from 0."""

    turn: int
    tool: str
    arguments: Mapping[str, Any]
    observation: Observation


@dataclass(frozen=True, slots=True)
class Conversation:
    """``tools`` are the schemas of their arguments, by name; ``inputs`` the files it began with.

    ``is_last_turn``: somebody said that nothing more can be done after this answer.
    ``has_more_skills``: the catalogue is not all of it. ``to_make`` are names of files that have to
    be there in the end. ``system`` is what was said before the prompt. From the place
    ``noted_from`` on, the prompt is what a person has said later, which counts for more.
    """

    prompt: str
    tools: Mapping[str, Mapping[str, Any]]
    catalogue: Sequence[Skill]
    inputs: Sequence[File]
    actions: Sequence[Action]
    is_last_turn: bool = False
    has_more_skills: bool = False
    to_make: Sequence[str] = ()
    system: str = ""
    noted_from: int | None = None

    def until(self, turn: int | None) -> "Conversation":
        """It as it was before a turn; all of it for None."""
        if turn is None:
            return self
        return replace(self, actions=tuple(a for a in self.actions if a.turn < turn))


def read(request: ChatRequest) -> Conversation:
    """Read a request."""
    system = "\n".join(m.text for m in request.messages if m.role in {"system", "developer"})
    tools = {tool.function.name: tool.function.parameters for tool in request.tools}
    prompt, *following = _since_prompt(request.messages, is_task=not _TASK_TOOLS.isdisjoint(tools))
    actions = tuple(_actions(following))
    made = {name for action in actions for name in action.observation.files}
    return Conversation(
        prompt=_task_in(prompt.text),
        tools=tools,
        catalogue=_catalogue(system, _listed(actions)),
        inputs=tuple(file for file in _files(system) if file.name not in made),
        actions=actions,
        has_more_skills=_MORE_SKILLS.search(system) is not None,
        is_last_turn=any(_LAST_TURN.search(m.text) for m in following if m.role == "user"),
        to_make=_to_make(system) or _to_make(prompt.text),
        system=system,
    )


def _task_in(prompt: str) -> str:
    """What is to be done: for the node of a plan its description, and not what others do."""
    found = _NOT_THE_TASK.search(prompt)
    return prompt[: found.start()].strip() if found and found.start() else prompt


def _to_make(text: str) -> Sequence[str]:
    section = _TO_MAKE.search(text)
    lines = section["lines"].splitlines() if section else ()
    return tuple(unescape(line.removeprefix("- ").strip()) for line in lines)


def _since_prompt(messages: Sequence[Message], *, is_task: bool) -> Sequence[Message]:
    """The prompt and what followed it.

    A task is what is said first; what is said later is about the calls. In a talk without an end it
    is what is said after an answer that called nothing.
    """
    start: int | None = None
    is_users_turn = True
    for index, message in enumerate(messages):
        if message.role == "user" and is_users_turn:
            start, is_users_turn = index, False
        elif message.role == "assistant" and not message.tool_calls and not is_task:
            is_users_turn = True
    return messages[start:] if start is not None else (Message(role="user"),)


def _actions(messages: Sequence[Message]) -> Iterator[Action]:
    answers = {m.tool_call_id: m.text for m in messages if m.role == "tool"}
    callers = (message for message in messages if message.tool_calls)
    for turn, message in enumerate(callers):
        for call in message.tool_calls or ():
            observation = Observation(answers.get(call.id, ""))
            yield Action(turn, call.function.name, _object(call.function.arguments), observation)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _catalogue(system: str, listed: Sequence[Skill]) -> tuple[Skill, ...]:
    """The skills that the prompt of the system names, and others that were ``listed``."""
    skills = {skill.name: skill for skill in (*_skills(system), *listed)}
    return tuple(skills.values())


def _skills(text: str) -> Sequence[Skill]:
    return [
        Skill(unescape(found["name"].strip()), " ".join(unescape(found["description"]).split()))
        for found in _SKILL.finditer(text)
    ]


def _listed(actions: Sequence[Action]) -> Sequence[Skill]:
    """The skills that the tool ``list_skills`` told of."""
    for action in actions:
        if action.tool == "list_skills" and not action.observation.is_failure:
            lines = re.findall(r"^- ([a-z0-9-]+): (.+)$", action.observation.text, re.MULTILINE)
            return _skills(action.observation.text) or [Skill(*line) for line in lines]
    return ()


def _files(text: str) -> Iterator[File]:
    section = _FILES.search(text)
    for line in _FILE.finditer(section["lines"] if section else ""):
        _, _, media_type = (line["about"] or "").rpartition(", ")
        yield File(unescape(line["name"]), media_type=media_type.strip())
