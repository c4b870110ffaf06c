"""What keeps a run from being a pipeline, whatever its calls say."""

from collections.abc import Iterator

from activities.store.reading.runs import MAX_BYTES, MAX_MESSAGES, RecordedRun
from activities.units import MEBIBYTE
from api.tasks.compilation.natures import Nature, Tools
from api.tasks.compilation.readings import pointer_of
from workflows.pointers import Problem
from workflows.states import Status, TaskType

RESULT = "/result"
# Of them all, to see which count.
MAX_CALLS = 500


def refusals(
    run: RecordedRun, tools: Tools, prefix: str = "", *, is_node: bool = False
) -> Iterator[Problem]:
    """Why there is nothing to look at. A node of a plan may be a pipeline as well."""
    if run.type is TaskType.PIPELINE and is_node:
        return
    if run.type is not TaskType.AGENT:
        what = (
            "a pipeline already" if run.type is TaskType.PIPELINE else f"a task of type {run.type}"
        )
        yield Problem(
            f"{prefix}/type", f"this is {what}: only what an agent or a plan did can be compiled"
        )
    elif run.status is not Status.COMPLETED:
        yield Problem(f"{prefix}/status", f"the task is {run.status}; it must be completed")
    elif run.is_cut or sum(map(tools.is_step, run.calls)) > MAX_CALLS:
        message = (
            f"the agent did too much to be looked through: at most {MAX_CALLS} calls, and "
            f"{MAX_MESSAGES} messages of {MAX_BYTES // MEBIBYTE} MiB"
        )
        yield Problem(f"{prefix}/calls", message)


def obstacles(
    run: RecordedRun, tools: Tools, prefix: str = "", *, is_node: bool = False
) -> Iterator[Problem]:
    """People who answered, and a result that the model wrote itself, unless it is that of a node:
    what others took from it is told where they used it."""
    for call in run.calls:
        at = pointer_of(call, prefix)
        if call.status is not Status.COMPLETED:
            continue
        if tools.nature(call) is Nature.QUESTION:
            yield Problem(at, "a person answered this question, and a pipeline asks nobody")
        elif call.approval is not None and call.approval.elicitation is not None:
            message = "a person answered what the server asked here, and a pipeline asks nobody"
            yield Problem(at, message)
    if not is_node and run.definition.get("output_schema"):
        message = "the model wrote the result of the task to a schema; a pipeline makes files only"
        yield Problem(f"{prefix}{RESULT}", message)
