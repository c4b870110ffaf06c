"""What came back from a tool call: files, figures, or a failure."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_CREATED = re.compile(r"^File '(?P<name>.+)' created at (?P<url>\S+)", re.MULTILINE)
# How a result begins that is none. See ``activities.agents.observations``.
_FAILURE = re.compile(r"The call failed|Error:|Denied:|Interrupted:|Not run:|Not finished:")
_RAN_AND_FAILED = re.compile(r"The call failed with exit code")
_FENCED = re.compile(r"<output>\n(?P<said>.*)\n</output>", re.DOTALL)
_PROBLEM = re.compile(r"^- (?P<said>.+)$", re.MULTILINE)
_READ_CHARACTERS = 100_000
_MOST_OBJECTS = 5
_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Observation:
    """The text that a tool answered with."""

    text: str

    @property
    def files(self) -> Mapping[str, str]:
        """The addresses of the files that the call made, by name."""
        return {
            found["name"].replace(r"\'", "'"): found["url"]
            for found in _CREATED.finditer(self.text)
        }

    @property
    def said(self) -> str:
        """What the tool itself said, without the fence around it."""
        found = _FENCED.search(self.text)
        return (found["said"] if found else self.text).strip()

    @property
    def is_failure(self) -> bool:
        return _FAILURE.match(self.text) is not None

    @property
    def is_worth_another_way(self) -> bool:
        """Whether a script ran and did not like its arguments: others may do."""
        return _RAN_AND_FAILED.match(self.text) is not None

    @property
    def reason(self) -> str:
        """Why it failed, in a line."""
        return " ".join(self.text.split())[:_REASON_CHARACTERS] or "no answer"

    @property
    def problem(self) -> str:
        """The first of those that a call was sent back with; else why it failed."""
        listed = _PROBLEM.search(self.text) if self.is_failure else None
        return listed["said"].strip().rstrip(".")[:_REASON_CHARACTERS] if listed else self.reason

    @property
    def printed(self) -> Mapping[str, Any]:
        """The first JSON object that begins a line; empty where there is none."""
        for start in self._line_starts():
            try:
                value, _ = json.JSONDecoder().raw_decode(self.text, start)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return value
        return {}

    def _line_starts(self) -> Iterator[int]:
        starts = re.finditer(r"^\{", self.text[:_READ_CHARACTERS], re.MULTILINE)
        return (found.start() for found in itertools.islice(starts, _MOST_OBJECTS))
