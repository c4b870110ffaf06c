"""``agentos tools``: the tools that steps and agents can call, and MCP servers that add more."""

import asyncio
import json
import shlex
from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import JsonValue, ValidationError
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.pages import whole_list
from api.cli.commands.printing import first_paragraph, print_json, print_line, print_table
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.requests import ToolChange, ToolRegistration
from api.wire.responses.tools import RegisteredServer, Tool
from workflows.definitions.fallback import Fallback
from workflows.definitions.limits import MAX_BOUND
from workflows.definitions.mcp_server import DEFAULT_TIMEOUT_SECONDS, PREFIX
from workflows.states import Permission

_WAITING_SECONDS = 5

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="A tool's name.")]
ServerName = Annotated[
    str,
    typer.Argument(metavar="NAME", show_default=False, help="Up to 32 of a-z, 0-9, - and _."),
]
Command = Annotated[
    str | None,
    typer.Option(metavar="LINE", show_default=False, help="A program to run, as in a shell."),
]
Url = Annotated[
    str | None,
    typer.Option(metavar="URL", show_default=False, help="A streamable HTTP server."),
]
Pairs = list[str] | None
Env = Annotated[
    Pairs,
    typer.Option("--env", metavar="K=V", show_default=False, help="Variable; may use secret:NAME."),
]
Header = Annotated[
    Pairs,
    typer.Option(
        "--header", metavar="K=V", show_default=False, help="Header; may use secret:NAME."
    ),
]
Cwd = Annotated[
    str | None,
    typer.Option(metavar="FOLDER", show_default=False, help="The program's working folder."),
]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", help="Time limit for a call without progress.")
]
Running = Annotated[
    int | None,
    typer.Option(min=0, max=MAX_BOUND, metavar="N", show_default=False, help="Calls at once."),
]
PerMinute = Annotated[
    int | None,
    typer.Option(min=0, max=MAX_BOUND, metavar="N", show_default=False, help="Calls a minute."),
]
PermissionOption = Annotated[
    Permission | None,
    typer.Option("--permission", show_default=False, help="Permission of new tools."),
]
Description = Annotated[str, typer.Option(metavar="TEXT", show_default=False)]


@app.command()
def ls(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the tools."""
    page = talk(context, lambda client: whole_list(client.tools))
    print_json(page) if output is Format.JSON else _print(page.items)


@app.command()
def enable(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Allow calls to the tool."""
    _switch(context, name, output, is_active=True)


@app.command()
def disable(context: typer.Context, name: Name, output: Output = Format.TABLE) -> None:
    """Forbid calls to the tool."""
    _switch(context, name, output, is_active=False)


@app.command()
def permit(
    context: typer.Context, name: Name, permission: Permission, output: Output = Format.TABLE
) -> None:
    """Set whether calls to a tool require approval. A server's name means all of its tools."""
    change = ToolChange(permission_level=permission)
    tool = talk(context, lambda client: client.change_tool(name, change))
    print_json(tool) if output is Format.JSON else _print([tool])


@app.command()
def limit(
    context: typer.Context,
    name: Name,
    running: Running = None,
    per_minute: PerMinute = None,
    output: Output = Format.TABLE,
) -> None:
    """Limit the calls of a tool that run at once or are made. What is over waits in order.

    A server's name means all of its tools together. 0 is no limit; `agentos limits` shows them.
    """
    if running is None and per_minute is None:
        raise typer.BadParameter("give --running or --per-minute")
    change = ToolChange(max_running=running, calls_per_minute=per_minute)
    tool = talk(context, lambda client: client.change_tool(name, change))
    print_json(tool) if output is Format.JSON else _print([tool])


@app.command()
def fallback(
    context: typer.Context,
    name: Name,
    tool: Annotated[
        str | None,
        typer.Argument(metavar="[TOOL]", show_default=False, help="Without: there is none."),
    ] = None,
    argument: Annotated[
        Pairs,
        typer.Option(
            "--argument",
            metavar="K=V",
            show_default=False,
            help="What it is given: JSON, text, or ${NAME} for an argument of the call.",
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Have another tool answer while the breaker of this one is open.

    It is given the same arguments, or those that are named by --argument.
    """
    if tool is None and argument:
        raise typer.BadParameter("--argument: name the tool that is given it")
    mapping = {key: _json_or_text(value) for key, value in _pairs("--argument", argument).items()}
    given = None if tool is None else Fallback(tool=tool, arguments=mapping or None)
    change = ToolChange(fallback=given)
    changed = talk(context, lambda client: client.change_tool(name, change))
    print_json(changed) if output is Format.JSON else _print([changed])


def _json_or_text(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    return value


@app.command()
def register(
    context: typer.Context,
    name: ServerName,
    *,
    command: Command = None,
    url: Url = None,
    env: Env = None,
    header: Header = None,
    cwd: Cwd = None,
    timeout: Timeout = DEFAULT_TIMEOUT_SECONDS,
    permission: PermissionOption = None,
    description: Description = "",
    output: Output = Format.TABLE,
) -> None:
    """Register an MCP server. Its tools are then available as mcp.NAME.TOOL.

    Secrets are set where AgentOS runs, by `agentos secrets set NAME`, and named here: --header
    "Authorization=Bearer secret:NAME".
    """
    if (command is None) == (url is None):
        raise typer.BadParameter("give either --command or --url")
    words = _words(command) if command is not None else []
    given = {
        "name": name,
        "transport": "http" if url is not None else "stdio",
        "command": words[0] if words else None,
        "args": words[1:],
        "env": _pairs("--env", env),
        "cwd": cwd,
        "url": url,
        "headers": _pairs("--header", header),
        "timeout_seconds": timeout,
        "permission_level": permission,
        "description": description,
    }
    try:
        request = ToolRegistration.model_validate(given)
    except ValidationError as error:
        raise typer.BadParameter(_reasons(error)) from None
    registered = talk(context, lambda client: _register(client, request))
    if output is Format.JSON:
        print_json(registered)
        return
    _print([registered.server, *registered.tools])


@app.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove an MCP server and its tools."""
    whole = name if name.startswith(PREFIX) else f"{PREFIX}{name}"
    talk(context, lambda client: client.remove_tools(whole))
    print_line(whole)


async def _register(client: Client, request: ToolRegistration) -> RegisteredServer:
    waiting = asyncio.create_task(_show_waiting(request.name))
    try:
        return await client.register_tools(request)
    finally:
        waiting.cancel()


async def _show_waiting(name: str) -> None:
    """A program that is installed first takes minutes, and looks like one that hangs."""
    seconds = 0
    while True:
        await asyncio.sleep(_WAITING_SECONDS)
        seconds += _WAITING_SECONDS
        line = f"{name} is starting: {seconds} s so far (AGENTOS_MCP_START_SECONDS limits it)"
        terminal.stderr().print(line, style="dim", soft_wrap=True, markup=False)


def _switch(context: typer.Context, name: str, output: Format, *, is_active: bool) -> None:
    change = ToolChange(is_active=is_active)
    tool = talk(context, lambda client: client.change_tool(name, change))
    print_json(tool) if output is Format.JSON else _print([tool])


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise typer.BadParameter(f"--command: {error}") from None
    if not words:
        raise typer.BadParameter("--command: it is empty")
    return words


def _pairs(option: str, given: Pairs) -> dict[str, str]:
    pairs = {}
    for item in given or []:
        name, sign, value = item.partition("=")
        if not sign or not name:
            # Without the text: it may be a secret.
            raise typer.BadParameter(f"{option}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def _reasons(error: ValidationError) -> str:
    """Without what was given: it may be a secret."""
    items = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
        for item in items
    )


def _print(tools: list[Tool]) -> None:
    rows = [
        (
            tool.name,
            Text("on", style="green") if tool.is_active else Text("off", style="red"),
            tool.permission_level.value,
            tool.type.value,
            first_paragraph(tool.description),
        )
        for tool in tools
    ]
    print_table(
        ("NAME", "STATE", "PERMISSION", "TYPE", "DESCRIPTION"),
        rows,
        cut="DESCRIPTION",
        spare=("TYPE",),
    )
    for note in (note for tool in tools for note in _notes(tool)):
        terminal.stderr().print(safe_line(note), style="yellow", soft_wrap=True, markup=False)


def _notes(tool: Tool) -> Iterator[str]:
    limits = (
        *([f"{tool.max_running} calls at once"] if tool.max_running is not None else ()),
        *([f"{tool.calls_per_minute} a minute"] if tool.calls_per_minute is not None else ()),
    )
    if limits:
        yield f"{tool.name}: limited to {' and '.join(limits)}"
    if tool.fallback is not None:
        yield f"{tool.name}: while its breaker is open, {tool.fallback.tool} answers"
    for refused in tool.refused:
        yield f"{tool.name}: left out: {refused}"
    if tool.changed is not None:
        yield (
            f"{tool.name}: its server changed it at {tool.changed.at:%Y-%m-%d %H:%M} UTC. Look at "
            "it with -o json; `agentos tools permit` or `enable` says that you have seen it"
        )
