"""``agentos agents remind`` and ``reminders``: what agents that stay are to be reminded of."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from api.cli.commands import resident_options as options
from api.cli.commands.agent_ids import talk_about_agent
from api.cli.commands.intervals import interval
from api.cli.commands.options import Format, Output
from api.cli.commands.pages import first_items
from api.cli.commands.printing import at, print_json, print_line, print_table
from api.cli.commands.request_body import built
from api.client import AsyncClient as Client
from api.client.transport import Params
from api.wire.responses.pages import Page
from api.wire.responses.reminders import Reminder
from workflows.definitions.reminder import ReminderRequest

_MOST = 1_000


def _option(name: str, metavar: str, words: str) -> Any:
    return typer.Option(name, metavar=metavar, show_default=False, help=words)


def remind(
    context: typer.Context,
    agent: options.Agent,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    *,
    at: Annotated[
        str | None, _option("--at", "TIME", "With its offset: 2026-11-29T12:00:00+01:00.")
    ] = None,
    after: Annotated[str | None, _option("--after", "DURATION", "90s, 5m, 1h, 2d.")] = None,
    every: Annotated[
        str | None, _option("--every", "DURATION", "And then again and again: 5m, 1h, 1d.")
    ] = None,
    until: Annotated[
        str | None, _option("--until", "TIME", "When what comes every so often ends.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Have an agent reminded of something: a message to itself, on which it acts."""
    given = {"text": text, "at": at, "after": after, "every": every, "until": until}
    request = built(ReminderRequest, {k: v for k, v in given.items() if v is not None})

    async def converse(client: Client, agent_id: str) -> Reminder:
        return await client.reminders.create(agent_id, request)

    made = talk_about_agent(context, agent, converse)
    print_json(made) if output is Format.JSON else print_line(str(made.id))


def reminders(
    context: typer.Context,
    agent: options.Agent,
    *,
    cancel: Annotated[str | None, _option("--cancel", "ID", "Cancel this one.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List the reminders of an agent that are still to come, or cancel one."""
    if cancel is not None:

        async def cancel_it(client: Client, agent_id: str) -> None:
            await client.reminders.cancel(agent_id, cancel)

        talk_about_agent(context, agent, cancel_it)
        print_line(cancel)
        return

    async def converse(client: Client, agent_id: str) -> Page[Reminder]:
        async def fetch(params: Params) -> Page[Reminder]:
            return await client.reminders.list(agent_id, params)

        return await first_items(fetch, {}, _MOST)

    page = talk_about_agent(context, agent, converse)
    print_json(page) if output is Format.JSON else _print(page.items)


def _print(found: Sequence[Reminder]) -> None:
    rows = [
        (
            str(each.id),
            at(each.next_at),
            interval(each.every) if each.every else "",
            at(each.until),
            " ".join(each.text.split()),
        )
        for each in found
    ]
    print_table(
        ("ID", "NEXT", "EVERY", "UNTIL", "TEXT"), rows, cut="TEXT", spare=("UNTIL", "EVERY")
    )
