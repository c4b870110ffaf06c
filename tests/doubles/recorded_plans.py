"""What a plan did, as the store would have it, written down node by node."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from activities.plans.dataflow import Result, prompt_of
from activities.store.reading.plan_runs import RecordedNode, RecordedPlan
from activities.store.reading.plans import StoredNode, StoredPlan
from activities.store.reading.runs import RecordedCall, RecordedFile, RecordedRun
from activities.store.turns import CallDefinition
from tests.doubles.recorded_runs import BEGINNING, DATA, Done, Recording
from workflows.definitions import references
from workflows.definitions.pipeline import Pipeline
from workflows.definitions.plan import Node, Plan
from workflows.definitions.plan_checking import dependencies_of
from workflows.states import NodeKind, Status, TaskType

A, B = f"file:{uuid5(DATA, 'a')}", f"file:{uuid5(DATA, 'b')}"
_TOOLS = {"skill": "run_skill_script", "code": "run_code"}


class PlanRecording:
    """A plan that grows by a node at a time; ``plan`` is what there is of it so far."""

    def __init__(
        self,
        prompt: str = "Do it.",
        *,
        name: str = "plan",
        inputs: Mapping[str, str] | None = None,
        **definition: Any,
    ) -> None:
        given = {"a": A, "b": B} if inputs is None else inputs
        planner = Recording(prompt, name=name, inputs=given, **definition)
        self.run = replace(planner.run, type=TaskType.PLAN)
        self.nodes: list[RecordedNode] = []
        self._said: dict[str, str] = {}

    @property
    def plan(self) -> RecordedPlan:
        return RecordedPlan(self.run, tuple(self.nodes))

    def agent(self, key: str, *turns: Sequence[Done], **how: Any) -> "PlanRecording":
        """A node whose agent made these turns; see ``_node`` for the rest."""

        def work(run: RecordedRun) -> RecordedRun:
            name = f"{self.run.name}/{key}"
            definition = {"output_schema": node.output_schema} if node.output_schema else {}
            recording = Recording(run.prompt, name=name, inputs=run.inputs, **definition)
            for turn in turns:
                recording.turn(*turn)
            return recording.run

        node = self._definition(key, how)
        return self._node(node, work, **how)

    def reasoning(self, key: str, **how: Any) -> "PlanRecording":
        node = self._definition(key, how, kind=NodeKind.REASONING)
        return self._node(node, lambda run: replace(run, type=TaskType.AGENT), **how)

    def pipeline(
        self,
        key: str,
        steps: Sequence[Mapping[str, Any]],
        made: Mapping[str, Sequence[str]],
        **how: Any,
    ) -> "PlanRecording":
        """A node that is a pipeline; ``made`` are the names of files, by steps."""

        def work(run: RecordedRun) -> RecordedRun:
            assert node.steps is not None
            document = Pipeline(name=node.title, inputs=[*node.inputs], steps=node.steps)
            calls = [
                RecordedCall(
                    seq=index,
                    name=step.id,
                    status=Status.COMPLETED,
                    definition=CallDefinition(
                        tool=_TOOLS.get(step.kind, step.tool or ""),
                        arguments={},
                        turn=index,
                        request_id=step.id,
                        is_retry_safe=True,
                    ),
                    files=tuple(
                        _file(run.task_id, f"{step.id}/{name}", name, f"{key} {name}")
                        for name in made.get(step.id, ())
                    ),
                )
                for index, step in enumerate(document.steps)
            ]
            definition = document.model_dump(mode="json", exclude_defaults=True)
            changes = {"definition": definition, "calls": tuple(calls), "prompt": ""}
            return replace(run, type=TaskType.PIPELINE, **changes)

        node = self._definition(key, how, kind=NodeKind.PIPELINE, steps=steps)
        return self._node(node, work, **how)

    def nested(
        self, key: str, fill: Callable[["PlanRecording"], object], **how: Any
    ) -> "PlanRecording":
        """A node that is a plan, which ``fill`` gives its nodes."""

        def work(run: RecordedRun) -> RecordedPlan:
            name = f"{self.run.name}/{key}"
            inner = PlanRecording(run.prompt, name=name, inputs=run.inputs)
            fill(inner)
            return inner.plan

        node = self._definition(key, how, kind=NodeKind.PLAN)
        return self._node(node, work, **how)

    def _definition(self, key: str, how: dict[str, Any], **fields: Any) -> Node:
        """Of the same names as those of a node, which are taken out of ``how``."""
        given = {name: how.pop(name) for name in list(how) if name in Node.model_fields}
        values = {"id": key, "title": f"Node {key}", "description": f"Do {key}.", **given, **fields}
        if values.get("kind") is NodeKind.PIPELINE:
            values["description"] = ""
        return Node.model_validate(values)

    def _node(
        self,
        node: Node,
        work: Callable[[RecordedRun], RecordedRun | RecordedPlan],
        *,
        says: str = "Done.",
        status: Status = Status.COMPLETED,
        is_revised: bool = False,
        ended: int | None = None,
        lends: Mapping[str, str] | None = None,
    ) -> "PlanRecording":
        """``says`` is the summary, ``ended`` the hour of its end, and ``lends`` are inputs that the
        plan does not name."""
        inputs = {name: self._resolved(text) for name, text in node.inputs.items()}
        prompt = prompt_of(self._stored(), self._stored_node(node), self._results(node))
        task_id = uuid5(self.run.task_id, node.id)
        run = RecordedRun(
            task_id,
            TaskType.AGENT,
            node.title,
            Status.COMPLETED,
            prompt,
            {},
            {**inputs, **(lends or {})},
        )
        done = work(run)
        hour = len(self.nodes) if ended is None else ended
        self._said[node.id] = says
        self.nodes.append(
            RecordedNode(
                definition=node,
                dependencies=tuple(sorted(dependencies_of(node))),
                status=status,
                finished_at=BEGINNING + timedelta(hours=hour),
                files=tuple(self._copies(node.id, done)),
                is_revised=is_revised,
                work=done if status is Status.COMPLETED else None,
            )
        )
        return self

    def _copies(self, key: str, done: RecordedRun | RecordedPlan) -> Sequence[RecordedFile]:
        """The last file of each name, and the output."""
        made = (
            [file for node in done.nodes for file in node.files]
            if isinstance(done, RecordedPlan)
            else [file for call in done.calls for file in call.files]
        )
        latest = {file.name: file for file in made if file.name != "output.json"}
        copies = [
            replace(file, id=uuid5(self.run.task_id, f"{key}/{file.id}"))
            for file in latest.values()
        ]
        return [*copies, _file(self.run.task_id, f"{key}/output", "output.json", key)]

    def copy(self, key: str, name: str) -> RecordedFile:
        """The copy that the plan has of a node's file."""
        [found] = [
            file
            for node in self.nodes
            if node.id == key
            for file in node.files
            if file.name == name
        ]
        return found

    def _resolved(self, text: str) -> str:
        [reference] = references.parse(text)
        assert isinstance(reference, references.Reference)
        if reference.source == "inputs":
            return self.run.inputs[reference.name]
        return f"artifact:{self.copy(reference.name, str(reference.path[0])).id}"

    def _results(self, node: Node) -> Sequence[Result]:
        found = []
        for before in self.nodes:
            if before.id in dependencies_of(node) and before.status is Status.COMPLETED:
                names = tuple(file.name for file in before.files if file.name != "output.json")
                stored = self._stored_node(before.definition)
                found.append(Result(stored, self._said[before.id], None, names))
        return found

    def _stored(self) -> StoredPlan:
        run = self.run
        return StoredPlan(
            id=run.task_id,
            team_id=DATA,
            run=1,
            priority=3,
            name=run.name,
            prompt=run.prompt,
            inputs=run.inputs,
            definition=Plan(),
            started_at=None,
            result=None,
            nodes=(),
            revisions=0,
        )

    def _stored_node(self, node: Node) -> StoredNode:
        return StoredNode(
            id=uuid5(self.run.task_id, f"row of {node.id}"),
            number=1,
            name=node.id,
            definition=node,
            dependencies=tuple(sorted(dependencies_of(node))),
            status=Status.RUNNING,
            child_id=uuid5(self.run.task_id, node.id),
            seq=3,
            is_replaced=False,
            is_dropped=False,
            error=None,
        )


def _file(owner: UUID, key: str, name: str, digest: str) -> RecordedFile:
    return RecordedFile(uuid5(owner, key), name, digest, "text/csv", BEGINNING)
