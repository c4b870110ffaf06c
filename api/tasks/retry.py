"""Running a task that has ended again, from one of its steps or turns on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from activities.inputs.errors import InputsGone
from activities.kinds.pipeline import KIND as PIPELINES
from activities.store import restarts
from activities.store.audit import Actor, Deed
from activities.store.housekeeping.errors import PartSwept
from activities.store.reading.families import descendants, find_owner
from activities.store.reading.steps import find_node
from activities.store.reading.tasks import StoredTask, find_task_of_any_team
from activities.store.restarts import InnerRestart, Reason, Restart
from api.errors import InvalidRequest, StateConflict
from api.services import Services
from api.tasks.kinds.base import Beginning, InnerBeginning, wrong
from api.tasks.kinds.table import KINDS
from api.tasks.lookup import load_task
from api.tasks.names import check_names
from api.tasks.runs import start_soon
from api.wire.requests import RetryRequest
from workflows.definitions.pipeline_checking import problems_of
from workflows.definitions.plan import MAX_DEPTH
from workflows.pointers import Problem, RefusedSince, pointer
from workflows.states import Status, TaskType

_NODES_ARE_ENDING = "its nodes are still being ended; try again in a few seconds"
_DESCRIBES_NOTHING = (
    "it replaces the description of a node of a plan; say which with `from`, or leave it out"
)


@dataclass(frozen=True, slots=True)
class PreparedRetry:
    """A task that has ended, and how it is to begin again: all of that was checked, but for
    ``unread`` inputs, which may be gone."""

    task: StoredTask
    beginning: Beginning
    inputs: Mapping[str, str]
    cache: bool | None = None
    unread: Collection[str] = ()


async def retry_task(
    services: Services,
    actor: Actor,
    task_id: UUID,
    request: RetryRequest,
    *,
    note: str = "",
    details: Mapping[str, JsonValue] = MappingProxyType({}),
) -> Status:
    """Start the next run of a task. What came before the place where it begins is kept.

    Raises:
        As ``prepare_retry``.
    """
    prepared = await prepare_retry(services, actor.team_id, task_id, request)
    told = {"run": prepared.task.run + 1, "from": request.begin, **details}
    deed = Deed("task.retried", str(task_id), note, told)
    return await run_again(services, prepared, Reason(actor, deed))


async def prepare_retry(
    services: Services, team_id: UUID, task_id: UUID, request: RetryRequest
) -> PreparedRetry:
    """See where the next run of a task would begin, and change nothing.

    Raises:
        NotFound
        StateConflict: the task, or one below it, has not ended; or it is a node of a plan.
        InvalidRequest: with everything that is wrong.
    """
    task = await load_task(services.database, team_id, task_id)
    await _check_ended(services, task)
    served = KINDS[task.type]
    inputs = _inputs(task, request)
    request = _with_parameters(task, request)
    if request.pipeline is not None and task.type is not TaskType.PIPELINE:
        raise wrong("/pipeline", f"a task of type {task.type} has no pipeline")
    # A skill, tool or file of the first run may be gone by now.
    definition = request.pipeline or served.kind.read(task)
    all_found = await served.kind.problems(services.installed, team_id, definition, inputs)
    found = _new(all_found, task, request)
    if request.pipeline is not None and any(map(_is_of_pipeline, found)):
        raise InvalidRequest(found)  # What refers to nothing cannot be compared with what there is.
    beginning = await _beginning(services, task, request)
    if request.description is not None and not beginning.innermost.descriptions:
        raise wrong("/description", _DESCRIBES_NOTHING)
    unread = {name for name in beginning.unread if name in inputs and name not in request.inputs}
    at = {pointer(("inputs", name)) for name in unread}
    if problems := [problem for problem in found if problem.pointer not in at]:
        raise InvalidRequest(problems)
    return PreparedRetry(task, beginning, inputs, request.cache, unread)


async def run_again(services: Services, prepared: PreparedRetry, reason: Reason) -> Status:
    """Start the next run. Raises ``StateConflict`` when somebody else was faster, and
    ``InvalidRequest`` when an input was deleted meanwhile."""
    task = prepared.task
    restart = _restart(task, prepared.beginning, prepared.inputs, prepared.cache)
    restart = replace(restart, unread=prepared.unread)
    try:
        has_begun = await restarts.restart_task(
            services.database, task.id, task.run, restart, reason
        )
    except InputsGone as gone:
        raise InvalidRequest(gone.problems) from gone
    except PartSwept as error:
        raise StateConflict(id=task.id, action="retried from there", reason=str(error)) from error
    if not has_begun:
        raise StateConflict(id=task.id, action="retried", reason="it was retried just now")
    await start_soon(services, await load_task(services.database, task.team_id, task.id))
    return Status.PENDING


def _restart(
    task: StoredTask, beginning: Beginning, inputs: Mapping[str, str], cache: bool | None
) -> Restart:
    inner = None
    if beginning.inner is not None:
        node = beginning.inner.task
        following = _restart(node, beginning.inner.beginning, node.inputs, cache)
        inner = InnerRestart(node.id, node.run, following)
    return Restart(
        first_step=beginning.first_step,
        inputs=inputs,
        again=beginning.again,
        descriptions=beginning.descriptions,
        redefined=beginning.redefined,
        cache=cache,
        needs=KINDS[task.type].parts_read(task) if beginning.first_step > 0 else (),
        inner=inner,
    )


async def _beginning(
    services: Services, task: StoredTask, request: RetryRequest, at: str = ""
) -> Beginning:
    """Where a task begins. ``NODE/STEP`` is a place within the task of a node, and so on down."""
    served = KINDS[task.type]
    outer, slash, within = (request.begin or "").partition("/")
    node = await find_node(services.database, task.id, outer) if slash else None
    if node is None:
        return await served.beginning(services, task, request)
    child = node.child_id and await find_task_of_any_team(services.database, node.child_id)
    if not child or not child.status.is_final:
        message = f"node '{at}{node.name}' has not run yet, so it has no {within!r}; begin with it"
        raise wrong("/from", message)
    whole = request.model_copy(update={"begin": outer, "description": None})
    beginning = await served.beginning(services, task, whole)
    part = request.model_copy(update={"begin": within, "inputs": {}})
    inner = await _beginning(services, child, part, f"{at}{outer}/")
    if not inner.first_step:  # Its task begins as a whole, as that of any node does.
        return beginning
    return replace(beginning, inner=InnerBeginning(node.name, child, inner))


async def _check_ended(services: Services, task: StoredTask) -> None:
    if task.type is TaskType.EXCHANGE:
        reason = f"it belongs to agent {task.parent_id}; restart that: it takes its messages again"
        raise StateConflict(id=task.id, action="retried by itself", reason=reason)
    if task.parent_id is not None:
        reason = await _why_not_alone(services, task.id, task.parent_id)
        raise StateConflict(id=task.id, action="retried by itself", reason=reason)
    if not task.status.is_final:
        reason = f"it is {task.status}; cancel it first, or wait until it ends"
        raise StateConflict(id=task.id, action="retried", reason=reason)
    if await descendants(services.database, task.id, living=True):
        # A plan that was terminated ends before they do, and would take what still runs for theirs.
        raise StateConflict(id=task.id, action="retried", reason=_NODES_ARE_ENDING)


def _inputs(task: StoredTask, request: RetryRequest) -> Mapping[str, str]:
    """Those of the next run. A new definition may want others than the task has."""
    if request.pipeline is None:
        check_names("input", request.inputs, task.inputs)
        return {**task.inputs, **request.inputs}
    wanted = request.pipeline.inputs
    kept = {name: ref for name, ref in task.inputs.items() if name in wanted}
    return {**kept, **request.inputs}


def _new(found: Sequence[Problem], task: StoredTask, request: RetryRequest) -> Sequence[Problem]:
    """Without what was taken of the task when it was accepted."""
    since = [problem for problem in found if isinstance(problem, RefusedSince)]
    if since and request.pipeline is not None:
        was = {problem.message for problem in problems_of(PIPELINES.read(task), {})}
        since = [problem for problem in since if problem.message in was]
    return [problem for problem in found if problem not in since]


def _is_of_pipeline(problem: Problem) -> bool:
    return problem.pointer.startswith("/pipeline")


def _with_parameters(task: StoredTask, request: RetryRequest) -> RetryRequest:
    """Other parameters make another pipeline, that of the request or of the task."""
    if not request.parameters:
        return request
    pipeline = request.pipeline
    owner = "task" if pipeline is None else "pipeline"
    if pipeline is None and task.type is TaskType.PIPELINE:
        pipeline = PIPELINES.read(task)
    check_names("parameter", request.parameters, pipeline.parameters if pipeline else (), owner)
    assert pipeline is not None, "without one, there are no names that could be right"
    parameters = {**pipeline.parameters, **request.parameters}
    changed = pipeline.model_copy(update={"parameters": parameters})
    return request.model_copy(update={"pipeline": changed, "parameters": {}})


async def _why_not_alone(services: Services, task_id: UUID, plan_id: UUID) -> str:
    """Only the plan at the top goes on from one of its nodes."""
    owner = await find_owner(services.database, plan_id, task_id)
    for _ in range(MAX_DEPTH):
        if owner is None or owner.node is None or owner.parent_id is None:
            break
        plan_id = owner.parent_id
        owner = await find_owner(services.database, plan_id, owner.id)
    if owner is None or owner.node is None:
        return f"plan {plan_id}, which made it, has no such node any more; retry that plan"
    again = f"`agentos retry {plan_id} --from {owner.node}`"
    once = "" if owner.status.is_final else " once that has ended"
    return f"it belongs to node {owner.node!r} of plan {plan_id}; retry that from it{once}: {again}"
