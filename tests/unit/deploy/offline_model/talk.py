"""A conversation with the rules: every call is answered from what the test says."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.offline_model.reply import Call, Reply
from deploy.offline_model.rules import respond
from deploy.offline_model.wire import ChatRequest
from deploy.settings import BUILT_IN_SKILLS

Answerer = Callable[[Call], str]

MOST_TURNS = 30
_TEXT = {"type": "string"}
FINISH: dict[str, Any] = {
    "type": "object",
    "properties": {"summary": _TEXT},
    "required": ["summary"],
}


def tool(name: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters or {}}}


TOOLS = (
    tool("load_skill", {"properties": {"skill": _TEXT}, "required": ["skill"]}),
    tool("run_skill_script"),
    tool("finish", FINISH),
)


@dataclass
class World:
    """Skills by name and text of their SKILL.md; ``runs`` answers their runs. ``more`` is what
    else the prompt of the system says."""

    skills: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ("data (12 bytes, text/csv)",)
    tools: Sequence[Mapping[str, Any]] = TOOLS
    runs: Answerer = lambda call: made("made.csv")
    others: Answerer = lambda call: "Done. There was no output."
    more: str = ""

    @property
    def system(self) -> str:
        listed = "\n".join(
            f"<skill><name>{name}</name><description>{described(text)}</description></skill>"
            for name, text in self.skills.items()
        )
        files = "\n".join(f"- {line}" for line in self.files)
        return (
            f"You are Agent.\n<files>\n{files}\n</files>\n"
            f"<available_skills>\n{listed}\n</available_skills>\n\n{self.more}"
        )

    def answer(self, call: Call) -> str:
        assert isinstance(call.arguments, Mapping)
        match call.tool:
            case "load_skill" if call.arguments["skill"] in self.skills:
                text = self.skills[call.arguments["skill"]].split("---\n", 2)[2]
                return f'<skill_content name="x">\n{text}\n</skill_content>'
            case "load_skill":
                return "Error: There is no such skill."
            case "run_skill_script":
                return self.runs(call)
            case _:
                return self.others(call)


@dataclass
class Talk:
    """A run from prompt to end. ``calls`` are all that were made but ``finish``."""

    calls: list[Call]
    turns: list[Reply]
    end: Reply

    @property
    def finish(self) -> dict[str, Any]:
        (call,) = self.end.calls
        assert call.tool == "finish"
        assert isinstance(call.arguments, Mapping)
        return dict(call.arguments)

    @property
    def summary(self) -> str:
        return str(self.finish["summary"])

    @property
    def commands(self) -> list[tuple[str, ...]]:
        """Skill and arguments of each run."""
        return [
            (call.arguments["skill"], *call.arguments["args"])
            for call in self.calls
            if call.tool == "run_skill_script" and isinstance(call.arguments, Mapping)
        ]


def talk(prompt: str, world: World, **request: Any) -> Talk:
    """Let the rules work until they end."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": world.system},
        {"role": "user", "content": prompt},
    ]
    calls: list[Call] = []
    turns: list[Reply] = []
    for _ in range(MOST_TURNS):
        reply = respond(ask(messages, world, **request))
        turns.append(reply)
        if not reply.calls or reply.calls[0].tool == "finish":
            return Talk(calls, turns, reply)
        calls += reply.calls
        messages += answered(reply, world, len(messages))
    raise AssertionError(f"no end after {MOST_TURNS} turns: {calls[-5:]}")


def ask(messages: Sequence[Mapping[str, Any]], world: World, **request: Any) -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": "offline-rules", "messages": messages, "tools": world.tools, **request}
    )


def answered(reply: Reply, world: World, number: int) -> list[dict[str, Any]]:
    """The messages that follow a reply: itself, and the results of its calls."""
    ids = [f"{number}-{index}" for index, _ in enumerate(reply.calls)]
    requests = [
        {"id": key, "type": "function", "function": {"name": call.tool, "arguments": call.text}}
        for key, call in zip(ids, reply.calls, strict=True)
    ]
    results = [
        {"role": "tool", "tool_call_id": key, "content": world.answer(call)}
        for key, call in zip(ids, reply.calls, strict=True)
    ]
    return [{"role": "assistant", "content": reply.text, "tool_calls": requests}, *results]


def made(*names: str, printed: Mapping[str, Any] | None = None) -> str:
    """What a model reads of a run that made files."""
    output = f"<output>\n{json.dumps(printed)}\n</output>\n" if printed else ""
    return output + "\n".join(
        f"File '{name}' created at /api/v1/artifacts/of-{name}" for name in names
    )


def built_in() -> dict[str, str]:
    """The skills that come with the project."""
    files = sorted(Path(BUILT_IN_SKILLS).glob("*/SKILL.md"))
    return {file.parent.name: file.read_text() for file in files}


def commands_of(skills: Mapping[str, str]) -> str:
    """How the first script of each skill is called, a line for each."""
    found = {name: re.search(r"uv run (scripts/.*)", text) for name, text in skills.items()}
    return "\n".join(f"- {name}: {line[1]}" for name, line in found.items() if line)


def instructions_of(skills: Mapping[str, str]) -> str:
    """The whole text of each skill."""
    bodies = {name: text.split("---\n", 2)[2] for name, text in skills.items()}
    return "\n".join(
        f'<skill_content name="{name}">\n{body}\n</skill_content>' for name, body in bodies.items()
    )


def first_call(prompt: str, world: "World") -> Call:
    """What the rules do first, where that is one call."""
    messages = [
        {"role": "system", "content": world.system},
        {"role": "user", "content": prompt},
    ]
    (call,) = respond(ask(messages, world)).calls
    return call


def csv_files(*names: str) -> Sequence[str]:
    return tuple(f"{name} (12 bytes, text/csv)" for name in names)


def described(text: str) -> str:
    found = re.search(r"^description: (.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def skill(description: str, text: str) -> str:
    """A SKILL.md."""
    return f"---\nname: x\ndescription: {description}\n---\n{text}"
