"""``agentos agents chat|watch``: talk to an agent, and see what happens to agents."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from api.cli import terminal
from api.cli.chat.lines import Lines
from api.cli.chat.screen import Screen, can_type
from api.cli.chat.session import Session
from api.cli.commands.agent_ids import find_agent_id
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import print_json_line
from api.cli.commands.request_body import built
from api.cli.display.agent_displays import lines_of
from api.cli.display.agent_progress import AgentProgress
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from api.client import AgentEvent
from api.client import AsyncClient as Client
from api.wire.agent_requests import AgentRequest
from api.wire.responses.agent_events import AgentShown
from api.wire.responses.agents import Agent

_LINE_CHARACTERS = 500
_MESSAGE_CHARACTERS = 200

Named = Annotated[
    str,
    typer.Argument(
        metavar="NAME|ID",
        show_default=False,
        help="An agent's name, its id, or the first six or more characters of that.",
    ),
]
AnyNamed = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME|ID", show_default="all of the team", help="An agent's name or its id."
    ),
]


def chat(
    context: typer.Context,
    agent: Named,
    *,
    new: Annotated[bool, typer.Option("--new", help="Create the agent first.")] = False,
    template: Annotated[
        str | None,
        typer.Option(
            "--template", metavar="NAME", show_default=False, help="What --new makes it of."
        ),
    ] = None,
) -> None:
    """Talk to an agent. Without a terminal, each line of the input is a message."""
    if template is not None and not new:
        raise typer.BadParameter("it needs --new", param_hint="--template")
    given = {"name": agent} if template is None else {"name": agent, "template": template}
    request = built(AgentRequest, given) if new else None

    async def converse(client: Client) -> ExitCode:
        if request is not None:
            found = await client.agents.create(request)
        else:
            found = await client.agents.show(await find_agent_id(client, agent))
        console = terminal.stdout()
        if not can_type(console):
            return await Lines(client, _shown(found)).run(sys.stdin)
        screen = Screen(console)
        await Session(client, _shown(found), screen).run()
        back = f"agentos agents chat {shlex.quote(found.name)}"
        hint = f"{found.name} stays. Come back with: {back}"
        terminal.stderr().print(Text(safe_line(hint), style="dim"), soft_wrap=True)
        return ExitCode.OK

    raise typer.Exit(talk(context, converse))


def watch(context: typer.Context, agent: AnyNamed = None, output: Output = Format.TABLE) -> None:
    """Follow an agent, or all of the team, until Ctrl-C. With -o json, print events, one a line."""

    async def converse(client: Client) -> None:
        watched = _Watched()
        if agent is None:
            events = client.agent_events.of_team(on_lost=_tell)
        else:
            events = client.agent_events.of_agent(await find_agent_id(client, agent), on_lost=_tell)
        async with aclosing(events):
            async for event in events:
                if output is Format.JSON:
                    print_json_line(event)
                    continue
                for line in watched.lines_of(event):
                    text = f"{event.created_at.astimezone():%H:%M:%S}  {line}"
                    typer.echo(safe_line(text, _LINE_CHARACTERS))

    talk(context, converse)


def _shown(found: Agent) -> AgentShown:
    return AgentShown(
        id=found.id,
        name=found.name,
        state=found.state,
        unread=found.unread,
        task_id=found.task_id,
        waits_for=found.waits_for,
        error=found.error,
    )


def _tell(reason: str) -> None:
    line = f"Lost the connection ({reason}); trying again."
    terminal.stderr().print(Text(safe_line(line)), soft_wrap=True)


class _Watched:
    """Events as lines, one or none for each."""

    def __init__(self) -> None:
        self._turn: AgentProgress | None = None
        self._about_agents: dict[UUID, str] = {}

    def lines_of(self, event: AgentEvent) -> Iterator[str]:
        if (message := event.message) is not None:
            content = " ".join(message.content.split())[:_MESSAGE_CHARACTERS]
            names = message.from_name or message.sender, message.to_name or message.to
            yield f"{' -> '.join(names)}: {content}"
        elif (shown := event.shown) is not None:
            about = " ".join(filter(None, self._about(shown)))
            # What else has changed of it is in other events.
            if about != self._about_agents.get(shown.id):
                self._about_agents[shown.id] = about
                yield about
        elif event.type == "agent.deleted":
            yield f"{event.data.get('id')}: deleted"
        elif event.task_id is not None and (payload := event.payload) is not None:
            task_id = str(event.task_id)
            if self._turn is None or self._turn.task_id != task_id:
                self._turn = AgentProgress(task_id=task_id, name="")
            self._turn.take(payload, event.created_at)
            yield from lines_of(payload, self._turn)

    def _about(self, shown: AgentShown) -> Iterator[str]:
        yield f"{shown.name}: {shown.state.value}"
        yield f"({shown.unread:,} unread)" if shown.unread else ""
        yield f"waits for {shown.waits_for}" if shown.waits_for else ""
        yield str(shown.error.get("message", "")) if shown.error else ""
