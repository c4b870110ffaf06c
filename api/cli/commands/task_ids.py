"""Tasks named by the beginning of their ids, as people do."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

import typer

from api.cli.commands.options import Result, talk
from api.cli.commands.pages import page_after_page
from api.cli.errors import NodeUnknown, TaskIdAmbiguous, TaskIdMalformed, TaskIdUnknown
from api.client.tasks import TaskCalls, TaskClient
from api.wire.responses.pages import MAX_PAGE
from workflows.states import TaskType

if TYPE_CHECKING:
    from api.client import AsyncClient as Client

# How many of the newest tasks are looked at.
SEARCHED_TASKS = 2_000
LEAST_CHARACTERS = 6
_SHOWN = 3
_HEX = re.compile(r"[0-9a-f-]+")


@overload
def talk_about(
    context: typer.Context, text: str, conversation: Callable[["Client", str], Awaitable[Result]]
) -> Result: ...
@overload
def talk_about(
    context: typer.Context,
    text: str,
    conversation: Callable[[TaskClient, str], Awaitable[Result]],
    through: type[TaskClient],
) -> Result: ...
def talk_about(
    context: typer.Context,
    text: str,
    conversation: Callable[[Any, str], Awaitable[Result]],
    through: type[TaskClient] | None = None,
) -> Result:
    """Have a conversation with the API about the task that the command line names; ``through`` is
    as in ``talk``."""

    async def converse(client: TaskCalls) -> Result:
        return await conversation(client, await find_task_id(client, text))

    return talk(context, converse) if through is None else talk(context, converse, through)


async def find_task_id(client: TaskCalls, text: str) -> str:
    """The id of the one task whose id begins with ``text``; a whole id is taken as it is.

    ``ID/NODE`` is the task that runs a node of the plan ``ID``: NODE is its name, its number, or
    the id of that task or its beginning.

    Raises:
        TaskIdMalformed, TaskIdAmbiguous, TaskIdUnknown, NodeUnknown
    """
    plan, slash, node = text.rpartition("/")
    if slash:
        return await _task_of_node(client, await find_task_id(client, plan), node)
    wanted = text.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    if not _HEX.fullmatch(wanted) or len(wanted.replace("-", "")) < LEAST_CHARACTERS:
        raise TaskIdMalformed(text=text)
    return await _search(client, wanted)


async def _task_of_node(client: TaskCalls, plan: str, node: str) -> str:
    task = await client.task(plan)
    by_name = {part.name: part.task_id for part in task.sub_tasks}
    if node not in by_name and node.isdecimal() and task.type is TaskType.PLAN:
        numbered = (await client.plan(plan)).nodes
        by_name |= {str(known.number): known.task_id for known in numbered}
    if (found := by_name.get(node)) is not None:
        return str(found)
    begun = {str(task_id) for task_id in by_name.values() if task_id is not None}
    meant = [task_id for task_id in begun if _begins(task_id, node.strip().lower())]
    if len(node.replace("-", "")) < LEAST_CHARACTERS or len(meant) != 1:
        raise NodeUnknown(task_id=plan, node=node)
    return meant[0]


async def _search(client: TaskCalls, prefix: str) -> str:
    searched = 0
    found: list[str] = []
    async for page in page_after_page(client.tasks, {"limit": MAX_PAGE}):
        ids = [str(task.task_id) for task in page.items]
        found += [task_id for task_id in ids if _begins(task_id, prefix)]
        searched += len(ids)
        if searched >= SEARCHED_TASKS:
            break
    if not found:
        raise TaskIdUnknown(count=f"{searched:,}", text=prefix)
    if len(found) > 1:
        shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise TaskIdAmbiguous(count=len(found), text=prefix, shown=shown)
    return found[0]


def _begins(task_id: str, prefix: str) -> bool:
    return task_id.replace("-", "").startswith(prefix.replace("-", ""))
