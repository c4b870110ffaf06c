"""What agents that stay remember, as ``agentos agents memory``, ``note`` and ``forget``."""

from typing import Annotated, Any

import typer

from api.cli import terminal
from api.cli.commands import resident_options as options
from api.cli.commands.agent_ids import talk_about_agent
from api.cli.commands.options import Format, Output
from api.cli.commands.pages import first_items
from api.cli.commands.printing import print_json, print_line, print_table, print_text, when
from api.cli.commands.request_body import built
from api.cli.terminal import safe_line
from api.client import AsyncClient as Client
from api.wire.memory_requests import NoteRequest
from api.wire.responses.agent_memory import Note, Summary
from api.wire.responses.base import Answer
from api.wire.responses.pages import Page

app = typer.Typer()

_DEFAULT_NOTES = 50


class Memory(Answer):
    """The last summary of what was said, and notes, the newest first."""

    summary: Summary | None
    notes: list[Note]


@app.command()
def memory(
    context: typer.Context,
    agent: options.Agent,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="WORDS", show_default=False, help="Notes with these words."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many notes at most.")] = _DEFAULT_NOTES,
    output: Output = Format.TABLE,
) -> None:
    """Show what an agent remembers: its notes, and the summary of what it is shown no more."""

    async def converse(client: Client, agent_id: str) -> Memory:
        async def fetch(params: Any) -> Page[Note]:
            return await client.memory.notes(agent_id, params)

        summaries = await client.memory.summaries(agent_id, {"limit": 1})
        notes = await first_items(fetch, {} if text is None else {"text": text}, limit)
        return Memory(summary=next(iter(summaries.items), None), notes=notes.items[:limit])

    found = talk_about_agent(context, agent, converse)
    print_json(found) if output is Format.JSON else _print(found, text)


@app.command()
def note(
    context: typer.Context,
    agent: options.Agent,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False)],
    output: Output = Format.TABLE,
) -> None:
    """Write a note for an agent, as if it had remembered that."""
    request = built(NoteRequest, {"text": text})

    async def converse(client: Client, agent_id: str) -> Note:
        return await client.memory.write(agent_id, request)

    made = talk_about_agent(context, agent, converse)
    print_json(made) if output is Format.JSON else print_line(str(made.id))


@app.command()
def forget(
    context: typer.Context,
    agent: options.Agent,
    note_id: Annotated[str, typer.Argument(metavar="NOTE", show_default=False)],
) -> None:
    """Delete a note of an agent."""
    talk_about_agent(context, agent, lambda client, key: client.memory.delete(key, note_id))
    print_line(note_id)


def _print(found: Memory, text: str | None) -> None:
    if found.summary is not None:
        print_text(found.summary.text)
        said = f"Up to turn {found.summary.through}, as {found.summary.model} has summed it up."
        terminal.stderr().print(said, style="dim", markup=False, highlight=False)
    if not found.notes:
        said = "It has no notes." if text is None else "It has no notes with these words."
        terminal.stderr().print(said, style="dim")
        return
    rows = [
        (str(each.id), when(each.created_at), safe_line(" ".join(each.text.split())))
        for each in found.notes
    ]
    print_table(("ID", "WRITTEN", "NOTE"), rows, cut="NOTE", spare=("WRITTEN",))
