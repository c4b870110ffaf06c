"""What a person tells the agent of a task while it is at work: written down, and no more.

No workflow is told. Each turn reads what is there, also one that a later worker, run or execution
makes, and one that finishes the task is not the last while something is unread.
"""

from typing import Final
from uuid import UUID

from activities.store import told
from activities.store.audit import Actor
from activities.store.reading.tasks import StoredTask
from activities.store.told import MAX_TOLD, MAX_TOLD_CHARACTERS, NewTold, Refused, Told
from api.errors import IdempotencyConflict, NobodyListens, ToldTooMuch
from api.residents.defining import digest_of
from api.services import Services
from api.tasks.lookup import load_task
from api.wire.requests import TellRequest
from workflows.states import TaskType

_NO_AGENT: Final = {
    TaskType.PIPELINE: "it is a pipeline, which has no agent",
    TaskType.PLAN: (
        "it is a plan, whose work is done by its nodes: tell one of these, whose tasks "
        "`agentos plan {id}`, or GET /tasks/{id}/plan, shows"
    ),
    TaskType.AUTO: "it is not decided yet what it becomes: try again once it is an agent",
    TaskType.EXCHANGE: "it is what agent {parent} does now: write to that",
}


async def tell(
    services: Services, actor: Actor, task_id: UUID, request: TellRequest, key: str | None
) -> Told:
    """Tell the agent of a task something; a repeat with the same key changes nothing.

    Raises:
        NotFound
        NobodyListens: the task has ended, or no agent works on it.
        ToldTooMuch, IdempotencyConflict
    """
    new = NewTold(
        task_id=task_id,
        from_name=actor.name.partition(" (ak_")[0],  # As a person has called the key.
        content=request.content.encode("utf-8", "replace").decode(),
        client_key=key,
        request_digest=None if key is None else digest_of(request),
    )
    written = await told.tell(services.database, actor, new)
    if isinstance(written, Told):
        return written
    task = await load_task(services.database, actor.team_id, task_id)
    raise _refusal(written, task, key)


def _refusal(refused: Refused, task: StoredTask, key: str | None) -> Exception:
    match refused:
        case Refused.KEY_TAKEN:
            return IdempotencyConflict(key=key)
        case Refused.FULL:
            return ToldTooMuch(id=task.id, messages=MAX_TOLD, characters=MAX_TOLD_CHARACTERS)
        case Refused.NO_AGENT if task.type in _NO_AGENT:
            reason = _NO_AGENT[task.type].format(id=task.id, parent=task.parent_id)
            return NobodyListens(id=task.id, reason=reason)
        case _:
            how = (
                f"it has ended ({task.status})" if task.status.is_final else "it has just finished"
            )
            return NobodyListens(id=task.id, reason=f"{how}; submit another, or retry it first")
