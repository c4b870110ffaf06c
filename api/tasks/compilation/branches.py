"""The nodes of a plan, and of the plans in it, as runs in an order in which each can run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from uuid import UUID

from activities.plans.dataflow import told_in
from activities.store.reading.plan_runs import RecordedNode, RecordedPlan
from activities.store.reading.runs import RecordedFile, RecordedRun
from api.tasks.compilation.compiling import Part
from api.tasks.compilation.files import Link, Lost
from api.tasks.compilation.obstacles import RESULT
from api.tasks.compilation.words import Told
from workflows.definitions import inputs, references
from workflows.definitions.inputs import ArtifactRef
from workflows.definitions.references import Reference
from workflows.pointers import Problem, escaped
from workflows.states import NodeKind, Status

_REVISION = "a revision of the plan"
_LATEST = datetime.max.replace(tzinfo=UTC)
_IS_ADVICE = (
    "a model answered here without making a file, and other nodes were given its answer, but a "
    "pipeline asks no model; accept this if what they did is right without it"
)
_HAS_NO_FILE = (
    "its input {name!r} is what another node reported, or a file that no step of one has made; a "
    "pipeline has the files of its steps only"
)
_IS_ANOTHER = (
    "its input {name!r} is not what the task has been given as {given!r} since; run the whole task "
    "again, and compile that"
)


@dataclass(frozen=True, slots=True)
class Branch:
    """A plan, or a node that is one. ``links`` say where its inputs come from. ``is_told``: the
    planner had heard of results when it planned."""

    plan: RecordedPlan
    prefix: str
    label: str
    links: Mapping[str, Link]
    told: Told
    is_told: bool = False
    advisers: tuple[Problem, ...] = ()


@dataclass
class Branches:
    """The runs of nodes, in an order in which each can run. ``originals`` are the files of runs, by
    their copies that belong to plans."""

    parts: list[Part] = field(default_factory=list)
    originals: dict[UUID, UUID] = field(default_factory=dict)

    def add(self, branch: Branch) -> None:
        nodes = in_order(branch.plan)
        advice = _advice(branch, nodes)
        for node in nodes:
            self._add_node(branch, node, advice[node.id])

    def _add_node(self, branch: Branch, node: RecordedNode, advisers: tuple[Problem, ...]) -> None:
        prefix = f"{branch.prefix}/nodes/{escaped(node.id)}"
        label = f"{branch.label}-{node.id}" if branch.label else node.id
        match node.work:
            case RecordedPlan(run=run) as plan:
                told, is_told = self._told(branch, node, run)
                said = tuple(said_first(plan))
                if is_told:
                    heard = (*told.heard, (f"the plan of {label}", "\n".join(said)))
                    told = replace(told, heard=heard)
                else:
                    told = replace(told, shared=(*told.shared, *told.given, *said))
                links = self._links(branch, node, run)
                inner = Branch(plan, prefix, label, links, told, is_told, advisers)
                self.add(inner)
            case RecordedRun() as run if node.definition.kind is not NodeKind.REASONING:
                told, _ = self._told(branch, node, run)
                links = self._links(branch, node, run)
                self.parts.append(Part(run, prefix, label, links, told, advisers))
        self.originals.update(_originals(node, self.originals))

    def _told(self, branch: Branch, node: RecordedNode, run: RecordedRun) -> tuple[Told, bool]:
        """What a node was told, and whether there are results in it."""
        before, results = told_in(run.prompt)
        places = ", ".join(repr(name) for name in node.dependencies)
        heard = [*branch.told.heard]
        if results:
            heard.append((f"the results of {places}", results))
        if branch.is_told or node.is_revised:
            place = f"the plan of {branch.label}" if branch.is_told else _REVISION
            heard.append((place, "\n".join([before, *_texts_of(node)])))
            return Told((), tuple(heard), branch.told.shared), True
        return Told((before,), tuple(heard), branch.told.shared), bool(results)

    def _links(self, branch: Branch, node: RecordedNode, run: RecordedRun) -> Mapping[str, Link]:
        return {name: self._link(branch, node, name, ref) for name, ref in run.inputs.items()}

    def _link(self, branch: Branch, node: RecordedNode, name: str, ref: str) -> Link:
        """Where the input ``name`` of a node comes from, which was given to it as ``ref``."""
        match references.parse(node.definition.inputs.get(name, "")):
            case (Reference(source="inputs", name=given),) if given in branch.links:
                if branch.plan.run.inputs.get(given) == ref:
                    return branch.links[given]
                return Lost(_IS_ANOTHER.format(name=name, given=given))
        found = inputs.parse(ref)
        original = self.originals.get(found.id) if isinstance(found, ArtifactRef) else None
        return Lost(_HAS_NO_FILE.format(name=name)) if original is None else original


def in_order(plan: RecordedPlan) -> Sequence[RecordedNode]:
    """The completed nodes: each after those that it waits for, else as they ended."""
    nodes = {node.id: node for node in plan.nodes if node.status is Status.COMPLETED}
    waits = {node.id: nodes.keys() & node.dependencies for node in nodes.values()}
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ready: list[str] = []
    done: list[RecordedNode] = []
    places = {name: place for place, name in enumerate(nodes)}
    while sorter.is_active():
        ready += sorter.get_ready()
        ready.sort(key=lambda name: (nodes[name].finished_at or _LATEST, places[name]))
        done.append(nodes[first := ready.pop(0)])
        sorter.done(first)
    return done


def _advice(branch: Branch, nodes: Sequence[RecordedNode]) -> Mapping[str, tuple[Problem, ...]]:
    """For each node those before it, however far, that gave nothing but an answer of a model."""
    found: dict[str, tuple[Problem, ...]] = {}
    own: dict[str, tuple[Problem, ...]] = {}
    for node in nodes:
        before = [name for name in node.dependencies if name in found]
        heard = [problem for name in before for problem in (*found[name], *own[name])]
        found[node.id] = tuple(dict.fromkeys([*branch.advisers, *heard]))
        is_adviser = node.definition.kind is NodeKind.REASONING
        at = f"{branch.prefix}/nodes/{escaped(node.id)}{RESULT}"
        own[node.id] = (Problem(at, _IS_ADVICE),) if is_adviser else ()
    return found


def _originals(node: RecordedNode, known: Mapping[UUID, UUID]) -> Iterator[tuple[UUID, UUID]]:
    """The files of the run that made them, by the copies which the plan has of them."""
    latest = {(file.name, file.sha256): key for file, key in _made_by(node, known)}
    for copy in node.files:
        if (key := latest.get((copy.name, copy.sha256))) is not None:
            yield copy.id, key


def _made_by(node: RecordedNode, known: Mapping[UUID, UUID]) -> Sequence[tuple[RecordedFile, UUID]]:
    """The files of a node, in the order of age, and which file of a run each is."""
    match node.work:
        case RecordedPlan(nodes=nodes):
            copies = [file for inner in nodes for file in inner.files]
            made = [(file, known[file.id]) for file in copies if file.id in known]
        case RecordedRun(calls=calls):
            made = [(file, file.id) for call in calls for file in call.files]
        case None:
            made = []
    return sorted(made, key=lambda each: each[0].created_at)


def said_first(plan: RecordedPlan) -> Iterator[str]:
    """What was said before anything was known of the data: by who gave the task, and in the plan as
    it was made first."""
    agent = plan.run.definition.get("agent")
    profile = agent.get("profile") if isinstance(agent, dict) else None
    if isinstance(profile, dict):
        yield from (value for value in profile.values() if isinstance(value, str))
    for node in plan.nodes:
        if not node.is_revised:
            yield from _texts_of(node)


def _texts_of(node: RecordedNode) -> Iterator[str]:
    """What a planner has written."""
    definition = node.definition
    yield from (definition.id, definition.title, definition.description, definition.why)
    yield from (*definition.files, *definition.inputs)
    for step in definition.steps or ():
        yield from _texts_in(step.model_dump(mode="json", exclude_defaults=True))


def _texts_in(value: object) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                yield str(key)
                yield from _texts_in(item)
        case list():
            for item in value:
                yield from _texts_in(item)
        case str() | int() | float():
            yield str(value)
