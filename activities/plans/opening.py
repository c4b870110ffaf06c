"""What a planner has decided, written down as nodes."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue

from activities.kinds.agent import name_of
from activities.store.plans import PlanWriter
from activities.store.reading.plans import StoredPlan
from activities.store.turns import CallDefinition
from workflows.definitions.plan import (
    MAX_NODE_DESCRIPTION_CHARACTERS,
    Node,
    Plan,
    Proposal,
    Revision,
)
from workflows.plan_contracts import PlanCall

MAKE_PLAN = "make_plan"
REVISE_PLAN = "revise_plan"
WHOLE_TASK = "task"


class PlannedTask(Protocol):
    """A task of type ``plan``, as far as a node that does all of it is made of that."""

    @property
    def prompt(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, str]: ...
    @property
    def definition(self) -> Plan: ...


async def open_in(writer: PlanWriter, call: PlanCall) -> StoredPlan:
    """Take a plan over, and write down what a call makes of it, unless that is done.

    Raises:
        TaskMoved
    """
    definition = await writer.take(call)
    plan = await writer.read()
    if definition.tool == MAKE_PLAN:
        if any(node.seq == call.seq for node in plan.nodes):
            return plan
        await writer.add(plan, call.seq, proposed(definition, plan))
    elif not await writer.has_revision(call.seq):
        await writer.revise(plan, call.seq, Revision.model_validate(definition.arguments))
    else:
        return plan
    plan = await writer.read()
    writer.tell_of_plan(plan, call.seq)
    return plan


def proposed(definition: CallDefinition, plan: StoredPlan) -> tuple[Node, ...]:
    """The nodes of a call: one with the whole task, where it is not to be split."""
    return nodes_of(definition.arguments, plan)


def nodes_of(arguments: Mapping[str, JsonValue], task: PlannedTask) -> tuple[Node, ...]:
    """The nodes that a task is to have by the arguments of a call which makes its plan."""
    proposal = Proposal.model_validate(arguments)
    if proposal.nodes and not proposal.atomic:
        return proposal.nodes
    return (whole(task),)


def whole(plan: PlannedTask) -> Node:
    """A node that does all that was asked for, with the result that was asked for."""
    return Node(
        id=WHOLE_TASK,
        title=name_of(plan.prompt) or WHOLE_TASK,
        description=plan.prompt[:MAX_NODE_DESCRIPTION_CHARACTERS],
        inputs={name: f"${{inputs.{name}}}" for name in plan.inputs},
        output_schema=plan.definition.output_schema,
    )
