"""An agent as a command line describes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue, ValidationError

from api.cli.commands.document_file import read_document
from api.cli.errors import AgentInvalid, SchemaFileRefused
from workflows.definitions.agent import DEFAULT_SECONDS, DEFAULT_TOKENS, DEFAULT_TURNS, Agent
from workflows.pointers import problems_in


def _option(what: str, name: str | None = None, *, unit: str = "TEXT", default: str = "") -> Any:
    names = () if name is None else (name,)
    return typer.Option(*names, metavar=unit, help=what, show_default=default or False)


Skills = Annotated[
    list[str] | None, _option("A skill that it may use.", "--skill", unit="NAME", default="any")
]
Tools = Annotated[
    list[str] | None,
    _option("A tool that it may use, or mcp.SERVER.*", "--tool", unit="NAME", default="any"),
]
Model = Annotated[str | None, _option("The model that is asked first.", unit="NAME")]
Schema = Annotated[
    Path | None, _option("The JSON schema that its result must fit.", "--schema", unit="FILE")
]
Turns = Annotated[int | None, _option("Turns at most.", unit="N", default=f"{DEFAULT_TURNS}")]
Tokens = Annotated[int | None, _option("Tokens at most.", unit="N", default=f"{DEFAULT_TOKENS:,}")]
Cost = Annotated[float | None, _option("US dollars at most.", unit="USD", default="any")]
Seconds = Annotated[
    float | None, _option("Seconds at most.", unit="N", default=f"{DEFAULT_SECONDS:,.0f}")
]
Name = Annotated[str | None, _option("What the agent is called.")]
Role = Annotated[str | None, _option("What it is, such as 'a data analyst'.")]
Goal = Annotated[str | None, _option("What it is for in general.")]
Tone = Annotated[str | None, _option("How it writes.")]


def make_agent(
    *, profile: Mapping[str, object], limits: Mapping[str, object], **more: object
) -> Agent:
    """The agent; what is None is left to the defaults.

    Raises:
        AgentInvalid: with everything that is wrong.
    """
    document = {"profile": _given(profile), "limits": _given(limits), **_given(more)}
    try:
        return Agent.model_validate(document)
    except ValidationError as error:
        raise AgentInvalid(problems_in(error.errors(include_url=False), document)) from error


def read_schema(path: Path) -> dict[str, JsonValue]:
    """The JSON schema in a file. Raises ``SchemaFileRefused``."""
    document = read_document(path, SchemaFileRefused)
    if not isinstance(document, dict):
        raise SchemaFileRefused(path=path, reason="a schema is an object")
    return document


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
