"""What makes the nodes of a plan sound, as far as it can be told without the installed parts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import chain, islice

from workflows.definitions import pipeline_checking, references
from workflows.definitions.inputs import environment_name
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Atomicity, Node, Plan
from workflows.definitions.references import Reference
from workflows.errors.inputs import ReferenceMalformed
from workflows.pointers import MAX_PROBLEMS, Problem, escaped
from workflows.states import NodeKind

_NAMES_SHOWN = 20


def problems_of(
    nodes: Sequence[Node],
    plan: Plan,
    given: Collection[str],
    at: str = "/nodes",
    new: Collection[str] | None = None,
) -> list[Problem]:
    """All that is wrong, at most fifty problems. ``given`` are the names of the task's inputs, and
    ``at`` is the pointer of the nodes. ``new`` are the ids of those that may have to give a reason,
    all of them by default."""
    if not nodes:
        return [Problem(at, "a plan has at least one node")]
    if len(nodes) > plan.max_nodes:
        message = f"{len(nodes)} nodes are more than the {plan.max_nodes} allowed; join some"
        return [Problem(at, message)]
    by_id = {node.id: node for node in nodes}
    found = chain(
        _id_problems(nodes, at),
        *(
            chain(
                _dependency_problems(node, by_id, f"{at}/{index}/depends_on"),
                _kind_problems(node, plan, f"{at}/{index}"),
                _file_problems(node, f"{at}/{index}/files"),
                _input_problems(node, by_id, given, f"{at}/{index}/inputs"),
            )
            for index, node in enumerate(nodes)
        ),
        _reason_problems(nodes, new, at) if plan.atomicity is Atomicity.RELAXED else (),
        _cycle_problems(by_id, at),
    )
    return list(islice(found, MAX_PROBLEMS))


def dependencies_of(node: Node) -> frozenset[str]:
    """The nodes that ``node`` waits for: those it names, and those whose files it is given."""
    named = (_reference(text) for text in node.inputs.values())
    makers = {found.name for found in named if found is not None and found.source == "nodes"}
    return frozenset(makers).union(node.depends_on)


def inputs_of(node: Node) -> frozenset[str]:
    """The inputs of the plan that a node is given."""
    named = (_reference(text) for text in node.inputs.values())
    return frozenset(
        found.name for found in named if found is not None and found.source == "inputs"
    )


def sinks(nodes: Sequence[Node]) -> Sequence[Node]:
    """Those that no other waits for, in the order of the plan."""
    awaited = frozenset[str]().union(*map(dependencies_of, nodes))
    return [node for node in nodes if node.id not in awaited]


def _reference(text: str) -> Reference | None:
    """The one file that ``text`` refers to; None when it is nothing of the kind."""
    try:
        match references.parse(text):
            case (Reference(source="inputs" | "nodes") as reference,):
                return reference
            case _:
                return None
    except ReferenceMalformed:
        return None


def _id_problems(nodes: Sequence[Node], at: str) -> Iterator[Problem]:
    first_use: dict[str, int] = {}
    for index, node in enumerate(nodes):
        first = first_use.setdefault(node.id, index)
        if first != index:
            yield Problem(f"{at}/{index}/id", f"{node.id!r} is also the id of node {first}")


def _reason_problems(
    nodes: Sequence[Node], new: Collection[str] | None, at: str
) -> Iterator[Problem]:
    """Each new node beyond the first has to be worth it, for a reason of its own."""
    first_use: dict[str, str] = {}
    for index, node in enumerate(nodes[1:], start=1):
        reason = " ".join(node.why.casefold().split())
        if new is not None and node.id not in new:
            first_use.setdefault(reason, node.id)
        elif not reason:
            yield Problem(
                f"{at}/{index}/why",
                "say what is gained by this node that one agent could not do as well; else join "
                "it to another",
            )
        elif (other := first_use.setdefault(reason, node.id)) != node.id:
            yield Problem(f"{at}/{index}/why", f"it is the reason of node {other!r}, word for word")


def _dependency_problems(node: Node, by_id: Mapping[str, Node], at: str) -> Iterator[Problem]:
    for index, name in enumerate(node.depends_on):
        if name == node.id:
            yield Problem(f"{at}/{index}", f"node {name!r} cannot wait for itself")
        elif name not in by_id:
            yield Problem(f"{at}/{index}", _no_node(name, by_id))


def _cycle_problems(by_id: Mapping[str, Node], at: str) -> Iterator[Problem]:
    waits = {node.id: (dependencies_of(node) & by_id.keys()) - {node.id} for node in by_id.values()}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        yield Problem(at, f"these nodes wait for each other in a circle: {circle}")


def _kind_problems(node: Node, plan: Plan, at: str) -> Iterator[Problem]:
    is_pipeline = node.kind is NodeKind.PIPELINE
    if is_pipeline and node.steps is None:
        yield Problem(f"{at}/steps", "a node of kind pipeline needs steps")
    if node.steps is not None and not is_pipeline:
        yield Problem(f"{at}/steps", f"a node of kind {node.kind} has no steps")
    if not is_pipeline and not node.description.strip():
        yield Problem(f"{at}/description", "say what the node has to do")
    if node.kind in {NodeKind.PIPELINE, NodeKind.REASONING}:
        for field in ("skills", "tools"):
            if getattr(node, field):
                yield Problem(f"{at}/{field}", f"a node of kind {node.kind} is given no {field}")
    if is_pipeline and node.output_schema is not None:
        yield Problem(f"{at}/output_schema", "a pipeline has files, and no result with a schema")
    if node.kind is NodeKind.PLAN and plan.depth <= 1:
        message = "it cannot be split once more; make it an agent, or several nodes"
        yield Problem(f"{at}/kind", message)
    if is_pipeline and node.steps is not None:
        inner = Pipeline(name=node.id, inputs=list(node.inputs), steps=node.steps)
        yield from pipeline_checking.problems_of(inner, node.inputs, at)


def _file_problems(node: Node, at: str) -> Iterator[Problem]:
    if node.kind is NodeKind.REASONING and node.files:
        yield Problem(at, "a node of kind reasoning makes no files; make it an agent")
    for index, name in enumerate(node.files):
        if name in node.files[:index]:
            yield Problem(f"{at}/{index}", f"{name!r} is named twice")


def _input_problems(
    node: Node, by_id: Mapping[str, Node], given: Collection[str], at: str
) -> Iterator[Problem]:
    if node.kind is NodeKind.REASONING and node.inputs:
        yield Problem(
            at, "a node of kind reasoning reads no files; make it an agent, or wait for the results"
        )
    first_name: dict[str, str] = {}
    for name, text in node.inputs.items():
        variable = environment_name(name)
        # Of a pipeline the checks of pipelines say it.
        if first_name.setdefault(variable, name) != name and node.kind is not NodeKind.PIPELINE:
            message = f"it and {first_name[variable]!r} would both be {variable}; rename one"
            yield Problem(f"{at}/{escaped(name)}", message)
        if reason := _misdirected(node, text, by_id, given):
            yield Problem(f"{at}/{escaped(name)}", reason)


def _misdirected(
    node: Node, text: str, by_id: Mapping[str, Node], given: Collection[str]
) -> str | None:
    reference = _reference(text)
    if reference is None:
        return (
            "it must be one reference and nothing else: ${inputs.NAME}, or "
            "${nodes.ID.files['NAME']}"
        )
    if reference.source == "inputs":
        known = _listed(given)
        return (
            None
            if reference.name in given
            else f"the task has no input {reference.name!r} (inputs: {known})"
        )
    if reference.name == node.id:
        return f"node {node.id!r} cannot be given a file of its own"
    if reference.name not in by_id:
        return _no_node(reference.name, by_id)
    maker, file = by_id[reference.name], str(reference.path[0])
    if file not in maker.files:
        return (
            f"node {maker.id!r} does not say that it makes {file!r} "
            f"(its files: {_listed(maker.files)}); name it there, or take another"
        )
    return None


def _no_node(name: str, by_id: Mapping[str, Node]) -> str:
    return f"there is no node {name!r} (nodes: {_listed(by_id)})"


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_NAMES_SHOWN])
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    return f"{shown}{more}" or "none"
