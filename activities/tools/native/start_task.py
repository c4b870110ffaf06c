"""The tool ``start_task``."""

from typing import Annotated, Literal
from uuid import uuid5

from pydantic import Field, JsonValue

from activities.begun.beginning import begin_task
from activities.tools.context import AgentContext
from activities.tools.registry import tool
from workflows.definitions.inputs import InputName
from workflows.definitions.task_request import MAX_PROMPT_CHARACTERS

Document = dict[str, JsonValue] | None


@tool(is_retry_safe=True, is_for_residents=True)
async def start_task(
    context: AgentContext,
    *,
    type: Literal["pipeline", "agent", "plan", "auto"] = "auto",  # noqa: A002  (as over HTTP)
    prompt: Annotated[str | None, Field(max_length=MAX_PROMPT_CHARACTERS)] = None,
    pipeline: Annotated[
        Document,
        Field(
            description='such as {"name": "count", "inputs": ["text"], "steps": [{"id": "count", '
            '"skill": "NAME", "args": ["${inputs.text}", "-o", "count.json"]}]}'
        ),
    ] = None,
    inputs: Annotated[
        dict[InputName, str],
        Field(max_length=64, description="names, and for each a file by its name or reference"),
    ] = {},  # noqa: B006  (pydantic copies it)
    agent: Annotated[
        Document, Field(description="profile, skills, tools, output_schema, limits of an agent")
    ] = None,
    plan: Annotated[Document, Field(description="max_nodes, parallel, agent of a plan")] = None,
) -> str:
    """Start a task that runs beside you: a pipeline of skills, an agent for one piece of work, or a
    plan that is split among several. With type auto, what has a pipeline runs that, and for a
    prompt the best way is chosen.

    When it has ended, you get a notice with its result and its files: do not wait for it.
    """
    given = {"prompt": prompt, "pipeline": pipeline, "agent": agent, "plan": plan}
    wanted: dict[str, JsonValue] = {k: v for k, v in given.items() if v is not None}
    task_id = uuid5(context.call_id, "task")
    task = await begin_task(context, task_id, {"type": type, **wanted}, inputs)
    if task is None:
        return f"Task {task_id} was started, and deleted since."
    return (
        f"Task {task.id} ({task.type}) was started. A notice will tell you when it has ended, with "
        "its result and files."
    )
