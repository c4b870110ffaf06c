"""Which inputs of its task a step may use, whatever it says of them.

All of them lie before each script, and one may take what it finds. So a step does without an input
only where it certainly does not use it.
"""

import re
from collections.abc import Collection, Iterator

from pydantic import JsonValue

from workflows.definitions.pipeline import Step
from workflows.definitions.references import parse, references_in

# What code says that may look around: through variables, or through folders, from where it is, from
# the root or from a file that it was given. A word too many costs little: where nothing certain is
# known, people are asked.
_LOOKS_AROUND = re.compile(
    r"""input|workspace|env|\b(declare|export|compgen)\b|\bset\s*($|\|)|\$\{!"""
    r"""|\.\.|parent|dir|glob|walk|path\.split|/\*|\*/|['"]/['"]|\s/(\s|$)|\b(ls|find|grep|tar)\b""",
    re.IGNORECASE | re.MULTILINE,
)


def inputs_within_reach(step: Step, given: Collection[str]) -> set[str]:
    """Those of the inputs ``given`` to its task. Raises ``ReferenceMalformed``."""
    if step.tool is None and _may_look_around(step):
        return set(given)
    return {item.name for item in references_in(step.json_values) if item.source == "inputs"}


def _may_look_around(step: Step) -> bool:
    """Of a skill's scripts the step says nothing, so they may."""
    if step.code is None or step.code.skill is not None:
        return True
    written = (
        part for text in _texts(step.json_values) for part in parse(text) if isinstance(part, str)
    )
    return any(_LOOKS_AROUND.search(text) for text in (step.code.source, *written))


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
