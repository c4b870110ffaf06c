"""What a call is to a pipeline."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from activities.store.reading.runs import RecordedCall
from activities.tools.registry import Tool
from workflows.states import Status


class Nature(StrEnum):
    """``DATA`` and ``MEANS`` leave nothing behind but what the model has read: of the task's data,
    or of skills and tools. A ``QUESTION`` is put to a person."""

    SKILL = "skill"
    CODE = "code"
    TOOL = "tool"
    DATA = "data"
    MEANS = "means"
    QUESTION = "question"


_BY_TYPE = {"skill": Nature.SKILL, "code": Nature.CODE}
_BY_READING = {"data": Nature.DATA, "means": Nature.MEANS}

RUNS = frozenset({Nature.SKILL, Nature.CODE})
STEPS = RUNS | {Nature.TOOL}


@dataclass(frozen=True, slots=True)
class Tools:
    """The native tools, and the names of those by which resources of servers are read."""

    native: Mapping[str, Tool]
    readers: Collection[str] = field(default=frozenset())

    def nature(self, call: RecordedCall) -> Nature:
        name = call.definition.tool
        if (tool := self.native.get(name)) is None:
            # Of a server, or gone: what is wrong with that is told by whoever checks the pipeline.
            return Nature.DATA if name in self.readers and not call.files else Nature.TOOL
        if tool.question is not None:
            return Nature.QUESTION
        if tool.reads is not None:
            return _BY_READING[tool.reads]
        if tool.call_type in _BY_TYPE:
            return _BY_TYPE[tool.call_type]
        return Nature.DATA if tool.is_for_agents_only else Nature.TOOL

    def is_local(self, call: RecordedCall) -> bool:
        """Whether all that a call leaves behind is its files."""
        return call.definition.tool in self.native

    def is_step(self, call: RecordedCall) -> bool:
        return call.status is Status.COMPLETED and self.nature(call) in STEPS
