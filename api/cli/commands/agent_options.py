"""An agent as a command line describes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from api.cli.commands.document_file import read_document
from api.cli.commands.request_body import built
from api.cli.errors import AgentInvalid, SchemaFileRefused
from workflows.definitions.agent import DEFAULT_SECONDS, DEFAULT_TOKENS, DEFAULT_TURNS, Agent


def _option(what: str, name: str | None = None, *, unit: str = "TEXT", default: str = "") -> Any:
    names = () if name is None else (name,)
    return typer.Option(*names, metavar=unit, help=what, show_default=default or False)


Skills = Annotated[
    list[str] | None, _option("A skill it may use.", "--skill", unit="NAME", default="any")
]
Tools = Annotated[
    list[str] | None,
    _option("A tool it may use, or mcp.SERVER.*", "--tool", unit="NAME", default="any"),
]
Model = Annotated[str | None, _option("The model to try first.", unit="NAME")]
Schema = Annotated[
    Path | None, _option("A JSON schema that its result must match.", "--schema", unit="FILE")
]
Turns = Annotated[int | None, _option("Maximum turns.", unit="N", default=f"{DEFAULT_TURNS}")]
Tokens = Annotated[int | None, _option("Maximum tokens.", unit="N", default=f"{DEFAULT_TOKENS:,}")]
Cost = Annotated[float | None, _option("Maximum cost in US dollars.", unit="USD", default="any")]
Seconds = Annotated[
    float | None, _option("Maximum seconds of work.", unit="N", default=f"{DEFAULT_SECONDS:,.0f}")
]
Name = Annotated[str | None, _option("The agent's name.")]
Role = Annotated[str | None, _option("Its role, such as 'a data analyst'.")]
Goal = Annotated[str | None, _option("Its general purpose.")]
Tone = Annotated[str | None, _option("How it writes.")]


def make_agent(
    *, profile: Mapping[str, object], limits: Mapping[str, object], **more: object
) -> Agent:
    """The agent, with defaults for everything that is None.

    Raises:
        AgentInvalid: with every problem.
    """
    document = {"profile": _given(profile), "limits": _given(limits), **_given(more)}
    return built(Agent, document, AgentInvalid)


def read_schema(path: Path) -> dict[str, JsonValue]:
    """The JSON schema in a file. Raises ``SchemaFileRefused``."""
    document = read_document(path, SchemaFileRefused, "output_schema")
    if not isinstance(document, dict):
        raise SchemaFileRefused(path=path, reason="a schema is an object")
    return document


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
