"""A plan as a command line describes it."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.cli.commands.request_body import built
from api.cli.errors import PlanInvalid
from workflows.definitions.plan import DEFAULT_NODES, DEFAULT_PARALLEL, Atomicity, Plan


def _option(what: str, name: str | None = None, *, unit: str = "N", default: str = "") -> Any:
    names = () if name is None else (name,)
    return typer.Option(*names, metavar=unit, help=what, show_default=default or False)


OfAtomicity = Annotated[
    Atomicity | None,
    typer.Option(
        "--atomicity", help="How finely to cut the task.", show_default="the server's setting"
    ),
]
MaxNodes = Annotated[int | None, _option("Maximum nodes.", default=f"{DEFAULT_NODES}")]
Parallel = Annotated[int | None, _option("Nodes at once.", default=f"{DEFAULT_PARALLEL}")]
Depth = Annotated[
    int | None, _option("How often a large node may be split: 1 is not again.", default="1")
]
Replans = Annotated[
    int | None, _option("How often to plan the rest anew after a failure.", default="1")
]
Approve = Annotated[
    bool, typer.Option("--approve", help="Wait for your approval of the plan before it runs.")
]


def make_plan(*, agent: Mapping[str, object], limits: Mapping[str, object], **more: object) -> Plan:
    """The plan, with defaults for everything that is None.

    Raises:
        PlanInvalid: with every problem.
    """
    document = {"agent": _given(agent), "limits": _given(limits), **_given(more)}
    return built(Plan, document, PlanInvalid)


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
