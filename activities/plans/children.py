"""The task that a node becomes: its type, its definition and what it is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from activities.kinds.table import KINDS
from activities.llm.allowance import LEAST_ANSWER_TOKENS
from activities.plans.budget import Share, within
from activities.plans.dataflow import Result, inputs_of, long_outputs, prompt_of
from activities.store.reading.plans import NodeFile, StoredNode, StoredPlan
from activities.store.tasks import NewTask
from workflows.definitions.agent import Agent
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Node, Plan
from workflows.states import NodeKind, TaskType

# A node that only reasons has one answer to give, and may correct it.
_REASONING_TURNS = 4

# What a model reads beside its prompt, in tokens: the system prompt, and the tools that all may
# use. A plan has the first turns of its nodes to pay as well.
_AGENT_FRAME_TOKENS = 2_000
_REASONING_FRAME_TOKENS = 500
_PLAN_FRAME_TOKENS = 8_000


@dataclass(frozen=True, slots=True)
class Means:
    """What a node may use: its share of the budget, the time that the plan has left, and how many
    of its own nodes may run at once, if it is a plan."""

    share: Share | None
    seconds: float
    parallel: int = 1


@dataclass(frozen=True, slots=True)
class ChildForm:
    """What runs a kind of node. ``define`` makes the definition of its task; ``frame_tokens`` is
    an estimate of what its model reads beside the prompt. Without a model there are none."""

    task_type: TaskType
    define: Callable[[Plan, Node, Means], BaseModel]
    frame_tokens: int = 0

    @property
    def has_model(self) -> bool:
        return self.frame_tokens > 0


def child_of(
    plan: StoredPlan,
    node: StoredNode,
    means: Means,
    results: Sequence[Result],
    files: Sequence[NodeFile],
) -> NewTask:
    """The task that runs a node, given the ``results`` and ``files`` of those before it.

    Raises:
        NodeInputMissing
    """
    form = form_of(node.definition)
    definition = form.define(plan.definition, node.definition, means)
    inputs = {
        **inputs_of(plan, node, files),
        **(long_outputs(node.definition, results, files) if form.has_model else {}),
    }
    return NewTask(
        id=node.child_id,
        team_id=plan.team_id,
        parent_id=plan.id,
        type=form.task_type,
        name=node.definition.title,
        definition=definition.model_dump(mode="json", exclude_defaults=True),
        sub_tasks=KINDS[form.task_type].sub_tasks(node.child_id, definition),
        inputs=inputs,
        prompt=prompt_of(plan, node, results) if form.has_model else None,
        priority=plan.priority,
        cache=plan.cache,
    )


def parallel_of(plan: StoredPlan) -> int:
    """How many nodes of a node may run at once: the places of the plan are shared by all that run
    beside it, or each further depth would multiply them."""
    beside = sum(not (node.status.is_final or node.is_replaced) for node in plan.nodes)
    places = plan.definition.parallel
    return places // max(1, min(places, beside))


def turn_tokens(
    plan: StoredPlan, node: StoredNode, results: Sequence[Result], count: Callable[[str], int]
) -> int:
    """The tokens that the first turn of a node takes at least; ``count`` counts those of a text."""
    prompt = count(prompt_of(plan, node, results))
    return prompt + form_of(node.definition).frame_tokens + LEAST_ANSWER_TOKENS


def form_of(node: Node) -> ChildForm:
    return _FORMS[node.kind]


def _agent(plan: Plan, node: Node, means: Means) -> Agent:
    return _limited(
        plan.agent.model_copy(
            update={
                "skills": node.skills if node.skills is not None else plan.agent.skills,
                "tools": node.tools if node.tools is not None else plan.agent.tools,
                "output_schema": node.output_schema,
                "output_files": node.files,
            }
        ),
        means,
    )


def _reasoning(plan: Plan, node: Node, means: Means) -> Agent:
    agent = plan.agent.model_copy(
        update={"skills": (), "tools": (), "output_schema": node.output_schema, "output_files": ()}
    )
    limits = agent.limits.model_copy(update={"turns": min(agent.limits.turns, _REASONING_TURNS)})
    return _limited(agent.model_copy(update={"limits": limits}), means)


def _pipeline(plan: Plan, node: Node, means: Means) -> Pipeline:
    assert node.steps is not None  # As was checked when the plan was made.
    return Pipeline(name=node.title, inputs=list(node.inputs), steps=node.steps)


def _plan(plan: Plan, node: Node, means: Means) -> Plan:
    limits = plan.limits if means.share is None else within(plan.limits, means.share, means.seconds)
    agent = plan.agent.model_copy(
        update={
            "skills": node.skills if node.skills is not None else plan.agent.skills,
            "tools": node.tools if node.tools is not None else plan.agent.tools,
        }
    )
    return plan.model_copy(
        update={
            "depth": plan.depth - 1,
            "parallel": means.parallel,
            "agent": agent,
            "limits": limits,
            "output_schema": node.output_schema,
            # A person who has approved of the whole has approved of its parts.
            "approve": False,
        }
    )


def _limited(agent: Agent, means: Means) -> Agent:
    if means.share is None:
        return agent
    limits = within(agent.limits, means.share, means.seconds)
    return agent.model_copy(update={"limits": limits})


_FORMS: Mapping[NodeKind, ChildForm] = {
    NodeKind.AGENT: ChildForm(TaskType.AGENT, _agent, _AGENT_FRAME_TOKENS),
    NodeKind.REASONING: ChildForm(TaskType.AGENT, _reasoning, _REASONING_FRAME_TOKENS),
    NodeKind.PIPELINE: ChildForm(TaskType.PIPELINE, _pipeline),
    NodeKind.PLAN: ChildForm(TaskType.PLAN, _plan, _PLAN_FRAME_TOKENS),
}
