"""The nodes of a plan in a file: written to be edited, and read again."""

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from api.cli.commands.document_file import read_document
from api.cli.errors import PlanFileInvalid, PlanFileRefused
from api.client.errors import FileUnwritable
from api.wire.responses.plans import PlanNode
from workflows.definitions.plan import Node
from workflows.pointers import problems_in

_NODES = TypeAdapter(tuple[Node, ...])
_HEAD = "# Edit the nodes, then: agentos approve {task_id} --nodes {path}\n"


def write_nodes(path: Path, task_id: str, nodes: Sequence[PlanNode]) -> None:
    """As YAML, with what is not a default; ``-`` is stdout. Raises ``FileUnwritable``."""
    is_stdout = str(path) == "-"
    text = yaml.safe_dump(
        {"nodes": [_node(node) for node in nodes]},
        sort_keys=False,
        # Escaped, no character of it can do anything to a terminal.
        allow_unicode=not (is_stdout and sys.stdout.isatty()),
        width=100,
    )
    if is_stdout:
        sys.stdout.write(text)
        return
    try:
        path.write_text(_HEAD.format(task_id=task_id, path=path.name) + text, encoding="utf-8")
    except OSError as error:
        raise FileUnwritable(path=path, reason=error.strerror or str(error)) from error


def read_nodes(path: Path) -> tuple[Node, ...]:
    """The nodes in a YAML or JSON file, as a list or as its ``nodes``; ``-`` is stdin.

    Raises:
        PlanFileRefused: it cannot be read.
        PlanFileInvalid: with everything that is wrong with a node in itself.
    """
    document = read_document(path, PlanFileRefused)
    nodes = document.get("nodes") if isinstance(document, dict) else document
    if not isinstance(nodes, list):
        raise PlanFileRefused(path=path, reason="it has no list of `nodes`")
    try:
        return _NODES.validate_python(nodes)
    except ValidationError as error:
        problems = problems_in(error.errors(include_url=False), nodes, model=tuple[Node, ...])
        raise PlanFileInvalid(path, problems) from error


def _node(node: PlanNode) -> dict[str, object]:
    """What the planner wrote; what became of it is in no definition."""
    document = node.model_dump(mode="json", include=set(Node.model_fields))
    return Node.model_validate(document).model_dump(mode="json", exclude_defaults=True)
