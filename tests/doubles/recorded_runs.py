"""What an agent did, as the store would have it, written down turn by turn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from pydantic import JsonValue

from activities.store.approvals import Approval
from activities.store.reading.runs import (
    RecordedCall,
    RecordedFile,
    RecordedMessage,
    RecordedRun,
)
from activities.store.turns import CallDefinition
from workflows.states import Status, TaskType

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
DATA = UUID(int=7)


@dataclass(frozen=True, slots=True)
class Done:
    """A call, what the model read of it, and the files that it made, with their content.

    ``seconds`` is how long it took, and ``after`` how long it waited for its beginning."""

    tool: str
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    said: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    status: Status = Status.COMPLETED
    approval: Approval | None = None
    after: int = 0
    seconds: int = 1


def script(skill: str, *args: str, said: str = "", **files: str) -> Done:
    """The run of a skill's script; a file ``clean_csv`` is called clean.csv."""
    named = {name.replace("_", "."): content for name, content in files.items()}
    return Done("run_skill_script", {"skill": skill, "args": list(args)}, said, named)


def code(source: str, *args: str, language: str = "python", said: str = "", **files: str) -> Done:
    named = {name.replace("_", "."): content for name, content in files.items()}
    arguments: dict[str, JsonValue] = {"language": language, "source": source, "args": list(args)}
    return Done("run_code", arguments, said, named)


def written(name: str, text: str) -> Done:
    said = f"{len(text)} characters were written to {name}."
    return Done("write_file", {"name": name, "text": text}, said, {name: text})


def failed(done: Done) -> Done:
    return replace(done, status=Status.FAILED)


class Recording:
    """A run that grows by a turn at a time; ``run`` is what there is of it so far."""

    def __init__(
        self,
        prompt: str = "Do it.",
        *,
        name: str = "task",
        inputs: Mapping[str, str] | None = None,
        **definition: Any,
    ) -> None:
        key = uuid5(NAMESPACE_OID, name)
        given = {"data": f"file:{DATA}"} if inputs is None else inputs
        self.run = RecordedRun(
            key, TaskType.AGENT, name, Status.COMPLETED, prompt, definition, given
        )
        self._turn = 0
        self._now = BEGINNING
        self._say("system", "You are Agent. flipper_length_mm in a skill's description.")
        self._say("user", prompt)

    def turn(self, *done: Done, said: str = "") -> "Recording":
        """A turn with these calls, which run side by side."""
        self._turn += 1
        arguments = tuple(json.dumps(call.arguments) for call in done)
        self._say("assistant", said, arguments)
        calls = [self._call(place, call) for place, call in enumerate(done, 1)]
        self.run = replace(self.run, calls=(*self.run.calls, *calls))
        for call, recorded in zip(done, calls, strict=True):
            made = "".join(
                f"\nFile '{file.name}' created at /api/v1/artifacts/{file.id}"
                for file in recorded.files
            )
            output = f"<output>\n{call.said}\n</output>" if call.said else ""
            is_whole = call.tool == "load_skill"
            self._say("tool", call.said if is_whole else (output + made).strip())
        self._now += timedelta(seconds=3_600)
        return self

    def file(self, name: str, version: int = -1) -> RecordedFile:
        """The latest file of this name, or an earlier one."""
        files = [file for call in self.run.calls for file in call.files if file.name == name]
        return files[version]

    def _call(self, place: int, done: Done) -> RecordedCall:
        seq = len(self.run.messages) + place
        begun = self._now + timedelta(seconds=done.after)
        ended = begun + timedelta(seconds=done.seconds)
        definition = CallDefinition(
            tool=done.tool,
            arguments=dict(done.arguments),
            turn=self._turn,
            request_id=f"r{seq}",
            is_retry_safe=True,
        )
        files = (
            RecordedFile(
                uuid5(self.run.task_id, f"{seq}:{name}"),
                name,
                sha256(content.encode()).hexdigest(),
                "text/csv",
                ended,
            )
            for name, content in done.files.items()
        )
        name = f"{self._turn}.{place} {done.tool}"
        return RecordedCall(
            seq, name, done.status, definition, tuple(files), done.approval, begun, ended
        )

    def _say(self, role: Any, content: str, arguments: tuple[str, ...] = ()) -> None:
        message = RecordedMessage(len(self.run.messages) + 1, role, content, arguments)
        self.run = replace(self.run, messages=(*self.run.messages, message))
