"""What may be in the messages that Temporal keeps."""

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel
from temporalio import workflow

from worker.host import task_workflows
from workflows import ports

SILENT = (UUID, int, float, bool, Enum, type(None))

# Texts that are names, digests or addresses. History has no other words: a new one needs a reason.
NAMES = {
    ("StepPlan", "id"),
    ("StepPlan", "title"),
    ("StepPlan", "needs"),
    ("PipelineRun", "completed"),
    ("PipelineRun", "held"),
    ("StepCall", "step"),
    ("ItemsCall", "step"),
    ("CallPlan", "name"),
    ("CallPlan", "subject"),  # the skill of a call, and its script
    ("AgentRun", "model"),
    ("PlanRun", "model"),
    ("AutoRun", "model"),
    # The names of files that were made, and the address of the page: a result that people can read.
    ("StepOutcome", "made"),
    ("ActOutcome", "made"),
    ("PipelineResult", "files"),
    ("PipelineResult", "page"),
    ("AgentResult", "files"),
    ("AgentResult", "page"),
    ("Thought", "digest"),
    ("Thought", "model"),  # for the titles of the turns that follow
    ("Spent", "digests"),
}


def leaves(kind: Any, place: tuple[str, str] = ("", "")) -> Iterator[tuple[type, tuple[str, str]]]:
    """The plain types that a value of this type consists of, each with its model and field."""
    if get_origin(kind) is Literal:
        return
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from leaves(field.annotation, (kind.__name__, name))
    elif parts := [part for part in get_args(kind) if part is not Ellipsis]:
        for part in parts:
            yield from leaves(part, place)
    else:
        yield kind, place


def told() -> Iterator[Callable[..., Any]]:
    """What takes or gives what history keeps. It does not keep what local activities are given,
    such as those of ``ports.Tasks``."""
    for port in (ports.Steps, ports.Items, ports.Agents):
        yield from (getattr(port, name) for name in sorted(port.__abstractmethods__))
    for each in task_workflows():
        yield each.run  # type: ignore[attr-defined]
        signals = workflow._Definition.must_from_class(each).signals.values()
        yield from (signal.fn for signal in signals)


def test_history_is_told_ids_numbers_states_and_names() -> None:
    found = {
        place
        for function in told()
        for kind in get_type_hints(function).values()
        for plain, place in leaves(kind)
        if not issubclass(plain, SILENT)
    }
    assert found == NAMES
