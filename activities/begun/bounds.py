"""A task that an agent that stays begins uses no more than the agent itself may use."""

from collections.abc import Sequence

from activities.begun.errors import MoreThanOwn
from activities.tools.selection import is_within
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline, Step
from workflows.definitions.plan import Plan
from workflows.definitions.resident import Resident
from workflows.definitions.task_request import TaskRequest
from workflows.states import TaskType

# Whoever may run code of its own may have a step do it.
_CODE_TOOL = "run_code"


def within(request: TaskRequest, caller: Resident) -> TaskRequest:
    """The request, where agents of it have what the caller has unless it says otherwise.

    Raises:
        MoreThanOwn
    """
    if caller.skills is None and caller.tools is None:
        return request
    if request.pipeline is not None:
        _check_steps(request.pipeline, caller)
    if request.asked_type is TaskType.PIPELINE:
        return request
    changes: dict[str, Agent | Plan] = {}
    if request.plan is not None or request.asked_type is TaskType.PLAN:
        plan = request.plan or Plan()
        changes["plan"] = plan.model_copy(update={"agent": _narrowed(plan.agent, caller)})
    if request.agent is not None or "plan" not in changes:
        changes["agent"] = _narrowed(request.agent or Agent(), caller)
    return request.model_copy(update=changes)


def _narrowed(agent: Agent, caller: Resident) -> Agent:
    if agent.skills is not None and caller.skills is not None:
        _check("the skills", [each for each in agent.skills if each not in caller.skills])
    if agent.tools is not None:
        _check("the tools", [each for each in agent.tools if not is_within(each, caller.tools)])
    return agent.model_copy(
        update={
            "skills": caller.skills if agent.skills is None else agent.skills,
            "tools": caller.tools if agent.tools is None else agent.tools,
        }
    )


def _check_steps(pipeline: Pipeline, caller: Resident) -> None:
    skills = [skill for step in pipeline.steps if (skill := _skill_of(step))]
    if caller.skills is not None:
        _check("the skills", [each for each in skills if each not in caller.skills])
    tools = [step.tool for step in pipeline.steps if step.tool]
    if any(step.code for step in pipeline.steps):
        tools.append(_CODE_TOOL)
    _check("the tools", [each for each in tools if not is_within(each, caller.tools)])


def _skill_of(step: Step) -> str | None:
    return step.skill or (step.code.skill if step.code else None)


def _check(kind: str, more: Sequence[str]) -> None:
    if more:
        names = ", ".join(dict.fromkeys(more))
        raise MoreThanOwn(what=f"{kind} {names}", remedy="Leave them out.")
