"""What has become of the nodes of a plan, from the rows of the tasks that ran them."""

import hashlib
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from pydantic import JsonValue

from activities.plans.dataflow import OUTPUT_FILE, Result
from activities.steps.printed import is_finite
from activities.store.attempts import StoredFile
from activities.store.reading.plans import (
    ChildState,
    NodeFile,
    PlanReader,
    StoredNode,
    StoredPlan,
)
from workflows.states import Status, TaskType

OUTPUT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """``results`` are those of completed nodes that were asked for, by their names; ``files`` are
    those of all. ``children`` that were not asked for are without their results, which may be
    long."""

    children: Mapping[UUID, ChildState]
    results: Mapping[str, Result]
    files: Sequence[NodeFile]

    def before(self, node: StoredNode) -> Sequence[Result]:
        """The results of those that ``node`` depends on."""
        return [self.results[name] for name in node.dependencies if name in self.results]


async def outcomes_of(
    reader: PlanReader, plan: StoredPlan, names: Collection[str] | None = None
) -> Outcomes:
    """What has become of a plan, with the results of the nodes of these ``names``, or of all: one
    may be long, and is read anew each time."""
    whole = [node.child_id for node in plan.nodes if names is None or node.name in names]
    children = await reader.children([node.child_id for node in plan.nodes], whole)
    files = await reader.files(plan.id)
    results = {
        node.name: await result_of(
            reader,
            node,
            children[node.child_id],
            [file.name for file in files if file.node == node.id],
        )
        for node in plan.nodes
        if node.status is Status.COMPLETED
        and node.child_id in children
        and (names is None or node.name in names)
    }
    return Outcomes(children, results, files)


async def result_of(
    reader: PlanReader, node: StoredNode, child: ChildState, files: Iterable[str]
) -> Result:
    """What a node has given whose task is completed."""
    made = tuple(sorted(name for name in files if name != OUTPUT_FILE))
    if child.type is TaskType.PIPELINE:
        printed = await reader.last_output(child.id)
        summary = f"Made {', '.join(made)}." if made else "Done; it made no files."
        return Result(node, summary, _json_of(printed), made)
    given = child.result or {}
    return Result(node, str(given.get("summary") or ""), given.get("result"), made)


def name_instead(child: ChildState, names: Collection[str]) -> str | None:
    """What a file is called that the task of a node has made, among others of these ``names``,
    under the name which the result of the node has; None where it is that of a node of its own."""
    if child.type is TaskType.PLAN or OUTPUT_FILE not in names:
        return None
    stem, dot, ending = OUTPUT_FILE.rpartition(".")
    numbered = (f"{stem}-{number}{dot}{ending}" for number in count(1))
    return next(name for name in numbered if name not in names)


def output_file(result: Result) -> tuple[StoredFile, io.BytesIO]:
    """``output.json``, and its bytes."""
    data = json.dumps(result.document, ensure_ascii=False, indent=2).encode("utf-8", "replace")
    digest = hashlib.sha256(data).hexdigest()
    return StoredFile(OUTPUT_FILE, len(data), OUTPUT_TYPE, digest), io.BytesIO(data)


def _json_of(text: str | None) -> JsonValue:
    """What a pipeline printed, as JSON if that is what it is."""
    try:
        value: JsonValue = json.loads(text or "null")
        return value if is_finite(value) else text
    except (ValueError, RecursionError):
        return text
