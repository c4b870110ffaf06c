"""A plan, compiled into one pipeline: the runs of its nodes, one after the other."""

from collections.abc import Collection, Iterator, Mapping

from activities.store.reading.plan_runs import MAX_NODES, RecordedPlan
from activities.store.reading.runs import RecordedRun
from api.tasks.compilation.branches import Branch, Branches, said_first
from api.tasks.compilation.compiling import MAX_BYTES, Compiled, Whole, compile_runs
from api.tasks.compilation.files import Given
from api.tasks.compilation.natures import Tools
from api.tasks.compilation.obstacles import MAX_CALLS, RESULT, refusals
from api.tasks.compilation.readings import pointer_of
from api.tasks.compilation.words import Told
from workflows.pointers import Problem, escaped
from workflows.states import Status

# Of an input, and what tells it apart needs some, too.
_NAME_CHARACTERS = 50


def compile_plan(
    plan: RecordedPlan,
    tools: Tools,
    accepted: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
) -> Compiled:
    """One pipeline of all completed nodes, as ``compile_runs`` makes one of runs.

    The answers of nodes that only reason, the summaries of others and the result of the whole are
    in no file: they are left out.
    """
    if refused := list(_refusals(plan, tools)):
        return Compiled(problems=tuple(refused))
    compiled = _compiled(plan, tools, accepted, max_bytes, {name: name for name in plan.run.inputs})
    if taken := _taken(compiled):
        names = {name: _other(name, plan, taken) for name in plan.run.inputs}
        compiled = _compiled(plan, tools, accepted, max_bytes, names)
    return compiled


def _compiled(
    plan: RecordedPlan,
    tools: Tools,
    accepted: Collection[str],
    max_bytes: int,
    names: Mapping[str, str],
) -> Compiled:
    """``names`` are those of the inputs in the pipeline."""
    run = plan.run
    told = Told((run.prompt, *run.inputs, *said_first(plan)))
    links = {name: Given(names[name]) for name in run.inputs}
    collected = Branches()
    collected.add(Branch(plan, "", "", links, told))
    given = {names[name]: ref for name, ref in run.inputs.items()}
    whole = Whole(
        run.name, f"the plan of task {run.task_id}", "/nodes", given, tuple(_results(run, tools))
    )
    if not collected.parts:
        return Compiled(problems=(Problem("/nodes", "no node of the plan has made a call"),))
    return compile_runs(collected.parts, tools, accepted, max_bytes, whole)


def _taken(compiled: Compiled) -> frozenset[str]:
    """Names of inputs under which a step wants another file: an input lies under its name in every
    step, so it needs another one."""
    pipeline = compiled.pipeline
    return frozenset(
        name
        for step in (pipeline.steps if pipeline else ())
        for name, value in step.files.items()
        if name in compiled.inputs and value != f"${{inputs.{name}}}"
    )


def _other(name: str, plan: RecordedPlan, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    used = {*plan.run.inputs, *_names_inside(plan)}
    return next(
        other
        for number in range(2, len(used) + 3)
        if (other := f"{name[:_NAME_CHARACTERS]}-{number}") not in used
    )


def _names_inside(plan: RecordedPlan) -> Iterator[str]:
    """The names by which nodes know their inputs."""
    for node in plan.nodes:
        yield from node.definition.inputs
        if isinstance(node.work, RecordedPlan):
            yield from _names_inside(node.work)


def _refusals(plan: RecordedPlan, tools: Tools, prefix: str = "") -> Iterator[Problem]:
    """Why there is nothing to look at."""
    if plan.run.status is not Status.COMPLETED:
        message = f"the task is {plan.run.status}; it must be completed"
        yield Problem(f"{prefix}/status", message)
        return
    if plan.is_cut or plan.run.is_cut:
        message = f"the plan is too large to be looked through: at most {MAX_NODES} nodes"
        yield Problem(f"{prefix}/nodes", message)
        return
    for node in plan.nodes:
        at = f"{prefix}/nodes/{escaped(node.id)}"
        if node.status is not Status.COMPLETED:
            continue
        if node.work is None:
            yield Problem(at, "the task that ran this node is not there any more")
        elif isinstance(node.work, RecordedPlan):
            yield from _refusals(node.work, tools, at)
        else:
            yield from refusals(node.work, tools, at, is_node=True)
    if not prefix and _count_calls(plan, tools) > MAX_CALLS:
        message = f"the nodes did too much to be looked through: at most {MAX_CALLS} calls in all"
        yield Problem("/nodes", message)


def _count_calls(plan: RecordedPlan, tools: Tools) -> int:
    return sum(
        _count_calls(node.work, tools)
        if isinstance(node.work, RecordedPlan)
        else sum(map(tools.is_step, node.work.calls if node.work else ()))
        for node in plan.nodes
    )


def _results(run: RecordedRun, tools: Tools) -> Iterator[Problem]:
    """What the planner left in the end, where that is more than a summary."""
    if run.definition.get("output_schema"):
        message = "the model wrote the result of the task to a schema; a pipeline makes files only"
        yield Problem(RESULT, message)
    for call in filter(tools.is_step, run.calls):
        message = "the planner made this call, which may be of what it had read in results"
        yield Problem(pointer_of(call), message)
