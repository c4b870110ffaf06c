"""``agentos status``: what runs where, and whether it is well."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import typer
from pydantic import BaseModel
from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format, Output, talk
from api.cli.commands.printing import (
    Cell,
    print_fields,
    print_json,
    print_table,
    print_title,
)
from api.cli.connection import Connection, LocalStack
from api.cli.exit_codes import ExitCode
from api.cli.stack_errors import NoStackHere, StackApiAway, StackNotReady
from api.cli.terminal import safe_line
from api.client import ApiProblem, ApiUnreachable, NotTheApi
from api.client.overview import OverviewClient
from api.wire.responses.about import About
from api.wire.responses.counts import TaskCounts
from api.wire.responses.health import Dependency, Readiness
from deploy.commands import DataDir, is_named
from deploy.local.errors import DataFolderBusy, NoDataFolder, StackNotOurs
from deploy.local.holder import Work
from deploy.local.holders import Holders
from deploy.local.state import RunningPart, running_parts
from workflows.errors import AgentOSError

# What is no word for people by itself.
_STACKS = {
    "backup": "stopped, and being backed up,",
    "restore": "just being restored",
    "unknown": "not to be seen, being another user's,",
}
_STYLES = {"runs": "green", "up": "green", "gone": "bold red", "down": "bold red"}


class PartStatus(BaseModel):
    """A part of the embedded stack; ``state`` is ``runs`` or ``gone``."""

    name: str
    state: str
    url: str | None
    pid: int


class Status(BaseModel):
    """``stack`` is ``running``, ``starting`` or ``stopped``: what `agentos up` runs on the data
    folder, or ``none`` where none has ever run there. It is ``backup`` or ``restore`` while that
    command has the folder instead, and ``unknown`` where the folder is another user's. There is no
    ``api_url`` where the API would be that of the folder, which has none. Without ``server``,
    ``readiness`` and ``counts``, ``problem`` says why."""

    version: str
    data_dir: Path
    stack: str
    parts: list[PartStatus]
    api_url: str | None
    readiness: Readiness | None = None
    server: About | None = None
    counts: TaskCounts | None = None
    problem: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether what is submitted now would run."""
        found = self.readiness
        is_ready = found is not None and found.state == "ready" and found.workers != 0
        return is_ready and all(part.state == "runs" for part in self.parts)


def status(
    context: typer.Context, data_dir: DataDir = Path(".agentos"), output: Output = Format.TABLE
) -> None:
    """Show what runs where, whether it is well, and how much is under way.

    Exits with 1 when something is away that work needs.
    """
    found = _look(context, data_dir)
    if output is Format.JSON:
        print_json(found)
    else:
        _print(found)
    raise typer.Exit(ExitCode.OK if found.is_well else ExitCode.FAILED)


def _look(context: typer.Context, data_dir: Path) -> Status:
    holders = Holders(data_dir)
    stack, parts = _stack(holders)
    connection = _connection(context, holders, stack, parts.get("api"))
    found = Status(
        version=version("agentos"),
        data_dir=holders.path,
        stack=stack,
        parts=[
            PartStatus(
                name=name,
                state="runs" if holders.may_have(part.pid) else "gone",
                url=part.url,
                pid=part.pid,
            )
            for name, part in parts.items()
        ],
        api_url=None if connection is None else connection.url,
    )
    if connection is None:
        found.problem = str(_why_none(stack, holders))
        return found
    context.obj = connection
    try:
        talk(context, lambda client: _ask(client, found), OverviewClient)
    except (ApiUnreachable, StackApiAway, NotTheApi, ApiProblem) as error:
        found.problem = str(error)
    return found


def _connection(
    context: typer.Context, holders: Holders, stack: str, api: RunningPart | None
) -> Connection | None:
    """To the API that is named, or else to that of the folder. Where the folder was named, or a
    stack has been on it, what answers elsewhere is none of its."""
    connection = context.find_object(Connection)
    assert connection is not None, "the callback of the application sets it"
    if connection.named:
        return connection
    if api is not None and api.url is not None:
        own = LocalStack(holders.path, api.url)
        return Connection(None, connection.api_key, lambda: own)
    if is_named(context) or (stack != "unknown" and holders.is_known):
        return None
    return Connection(None, connection.api_key)


def _why_none(stack: str, holders: Holders) -> AgentOSError:
    """Why a folder has no API."""
    match stack:
        case "unknown":
            return StackNotOurs(data_dir=holders.path)
        case "starting" | "running":
            return StackNotReady(data_dir=holders.path)
        case "none":
            return NoDataFolder(data_dir=holders.path, reason=holders.why_unknown)
        case "stopped":
            return NoStackHere(data_dir=holders.path)
        case _:
            told = holders.told
            return DataFolderBusy(work=told.work, pid=told.pid, data_dir=holders.path)


def _stack(holders: Holders) -> tuple[str, Mapping[str, RunningPart]]:
    """What it is at, and its parts."""
    try:
        if parts := running_parts(holders.path):
            return "running", parts
        is_held = holders.is_held
    except StackNotOurs:
        return "unknown", {}
    leader = holders.leader
    if is_held and leader is not None and leader.work is not Work.UP:
        return leader.work.value, {}
    if not is_held and not holders.is_known:
        return "none", {}
    return "starting" if is_held else "stopped", {}


async def _ask(client: OverviewClient, found: Status) -> None:
    """Add what the API says."""
    found.readiness = await client.readiness()
    if found.readiness.state == "ready":
        found.server = await client.about()
        found.counts = await client.counts()


def _print(found: Status) -> None:
    print_fields(list(_fields(found)))
    if found.parts:
        print_title("Parts")
        parts = [
            (each.name, _state(each.state), str(each.pid), each.url or "") for each in found.parts
        ]
        print_table(("PART", "STATE", "PID", "ADDRESS"), parts, cut="ADDRESS")
    if found.readiness is not None:
        print_title("What the API needs")
        _print_needs(found.readiness.dependencies)
    if found.counts is not None:
        print_title("Tasks")
        print_fields(list(_counts(found.counts)))
    if found.problem:
        terminal.stderr().print(safe_line(found.problem), style="red", soft_wrap=True)


def _print_needs(needs: Sequence[Dependency]) -> None:
    rows = [(each.name, _state(each.state), f"{each.latency_ms:,.0f} ms") for each in needs]
    print_table(("NAME", "STATE", "ANSWERED IN"), rows)
    for each in needs:
        if each.detail:
            line = f"{each.name}: {each.detail}"
            terminal.stdout().print(safe_line(line), style="bold red", soft_wrap=True)


def _fields(found: Status) -> Iterator[tuple[str, Cell]]:
    yield "Stack", f"{_STACKS.get(found.stack, found.stack)} on {found.data_dir}"
    ready = found.readiness
    state = "not reachable" if ready is None else ready.state
    style = "green" if state == "ready" else "bold red"
    if found.api_url is None:
        yield "API", Text("none", style=style)
    else:
        is_others = found.stack == "none" and ready is not None
        whose = "  of another stack, since none is here" if is_others else ""
        yield (
            "API",
            Text.assemble(safe_line(found.api_url), "  ", (safe_line(state), style), whose),
        )
    if ready is not None:
        yield "Workers", _workers(ready, found.parts)
    yield "Version", _versions(found)
    if found.server is not None:
        yield "You are", f"{found.server.actor}, of team {found.server.team}"


def _workers(ready: Readiness, parts: Sequence[PartStatus]) -> Cell:
    """Temporal does not forget one at once that has ended, or was killed."""
    if ready.workers is None:
        return Text("unknown: Temporal cannot be asked", style="yellow")
    if ready.workers == 0:
        return Text("none: what is submitted waits for one", style="bold red")
    own = sum(each.state == "runs" for each in parts if each.name.partition("-")[0] == "worker")
    if own == ready.workers:
        return str(own)
    seen = f"{ready.workers} have asked for work in the last 90 s"
    return f"{own} of this stack; {seen}" if own else seen


def _versions(found: Status) -> Cell:
    server = found.server
    if server is None or server.version == found.version:
        return found.version
    both = f"{found.version} here, {server.version} there"
    hint = "some commands may not fit; install the same on both sides"
    return Text.assemble(safe_line(both), (f"  {hint}", "yellow"))


def _counts(counts: TaskCounts) -> Iterator[tuple[str, Cell]]:
    rows: Sequence[tuple[str, int, str]] = (
        ("Running", counts.running, "agentos ls --status running"),
        ("Retrying", counts.retrying, "agentos ls --retrying"),
        ("Waiting for you", counts.waiting, "agentos approvals"),
        ("Paused", counts.paused, "agentos ls --status paused"),
        ("Not begun", counts.pending, "agentos ls --status pending --status queued"),
        ("Dead letters", counts.dead_letters, "agentos dlq groups"),
    )
    for label, count, command in rows:
        shown = f"{count:,}" if count < counts.most else f"{counts.most:,} or more"
        yield label, Text.assemble(shown, (f"  {command}" if count else "", "dim"))


def _state(state: str) -> Text:
    return Text(safe_line(state), style=_STYLES.get(state, ""))
