"""Where a plan resumes when a person retries it: with those of its nodes that have to run again."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from activities.store.reading.messages import find_turn_of_call
from activities.store.reading.plan_calls import OpenedCall, last_opened_call
from activities.store.reading.plans import StoredNode, reading_plans
from activities.store.reading.tasks import StoredTask
from api.services import Services
from api.tasks.kinds.agent_beginning import BEGIN_ANEW, before_turn, last_whole_turn
from api.tasks.kinds.base import Beginning, wrong
from api.wire.requests import RetryRequest
from workflows.definitions.plan_checking import dependencies_of, inputs_of
from workflows.states import NodeKind, Status

# Of an id that is not written out.
_LEAST_CHARACTERS = 6


async def plan_beginning(services: Services, task: StoredTask, request: RetryRequest) -> Beginning:
    """With the plan as it stands, if that is where it ended, or if nodes of it have to run again:
    the one that is named, those that are not completed, those that were given an input which is
    another now, and all that depend on these. Else after the planner's last whole turn.

    Raises:
        InvalidRequest: it cannot begin there.
    """
    if request.begin == BEGIN_ANEW:
        return Beginning(0)
    async with reading_plans(services.database) as reader:
        plan = await reader.plan(task.id)
    call = await last_opened_call(services.database, task.id)
    every = plan.nodes if plan is not None else ()
    nodes = [node for node in every if not node.is_replaced]
    changed = [name for name, ref in request.inputs.items() if task.inputs.get(name) != ref]
    concerned = [node for node in nodes if inputs_of(node.definition).intersection(changed)]
    named = None if request.begin is None else _named(every, request.begin)
    if named is not None and named.is_replaced:
        message = f"node {named.name!r} is no part of the plan since it was revised"
        raise wrong("/from", f"{message} (nodes: {_listed(nodes)})")
    if request.begin is not None and named is None:
        return await _before_call(services, task, nodes, concerned, request.begin)
    if call is None or not (named or concerned or _ended_in(call)):
        return await _after_last_turn(services, task)
    return Beginning(
        first_step=call.seq,
        again=[call.id, *_again(nodes, [*concerned, *([named] if named else [])])],
        descriptions=_descriptions(named, request.description),
    )


def _ended_in(call: OpenedCall) -> bool:
    """Whether the last run ended before it could tell the planner what became of the nodes."""
    return call.status is not Status.COMPLETED and not call.was_answered


def _again(nodes: Sequence[StoredNode], roots: Collection[StoredNode]) -> Sequence[UUID]:
    """The rows of the nodes that run again: ``roots``, what is not completed, and all that depend
    on them, in the order of the plan."""
    found = {node.name for node in roots}
    found |= {node.name for node in nodes if node.status is not Status.COMPLETED}
    waits = {node.name: dependencies_of(node.definition).union(node.dependencies) for node in nodes}
    while more := {name for name, awaited in waits.items() if awaited & found} - found:
        found |= more
    return [node.id for node in nodes if node.name in found]


def _listed(nodes: Sequence[StoredNode]) -> str:
    return ", ".join(node.name for node in nodes) or "none"


def _named(nodes: Sequence[StoredNode], begin: str) -> StoredNode | None:
    """The node with this name, number, row or task; of a task the beginning of its id will do."""
    by_name = {node.name: node for node in nodes}
    if begin in by_name:
        return by_name[begin]
    for node in nodes:
        if begin in (str(node.number), str(node.id), str(node.child_id)):
            return node
    if len(begin) < _LEAST_CHARACTERS:
        return None
    meant = [node for node in nodes if str(node.child_id).startswith(begin.lower())]
    return meant[0] if len(meant) == 1 else None


async def _before_call(
    services: Services,
    task: StoredTask,
    nodes: Sequence[StoredNode],
    concerned: Sequence[StoredNode],
    begin: str,
) -> Beginning:
    """The turn of a call that the planner made is made again.

    It would be made by what the planner was told then: where nodes have run since, or have to run
    again, the run begins with the plan as it stands, whose result is told anew.
    """
    turn = await find_turn_of_call(services.database, task.id, begin)
    if turn is None:
        raise wrong("/from", f"there is no node {begin!r} (nodes: {_listed(nodes)})")
    call = await last_opened_call(services.database, task.id, before=turn)
    kept = [] if call is None else [node for node in nodes if node.seq <= call.seq]
    roots = [node for node in concerned if node in kept]
    if call is None or not (call.is_outdated or roots):
        return Beginning(await before_turn(services.database, task, turn))
    return Beginning(call.seq, again=[call.id, *_again(kept, roots)])


async def _after_last_turn(services: Services, task: StoredTask) -> Beginning:
    if task.status is Status.COMPLETED:
        message = f"the plan is completed; name the node to begin with, or {BEGIN_ANEW!r}"
        raise wrong("/from", message)
    return Beginning(await last_whole_turn(services.database, task))


def _descriptions(named: StoredNode | None, description: str | None) -> Mapping[UUID, str]:
    if named is None or description is None:
        return {}
    if named.definition.kind is NodeKind.PIPELINE:
        message = f"node {named.name!r} is a pipeline, which does what its steps say"
        raise wrong("/description", message)
    if not description.strip():
        raise wrong("/description", "say what the node has to do")
    return {named.id: description}
