"""Agents that stay, and their messages, as tables and text."""

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from api.cli import terminal
from api.cli.commands.options import Format
from api.cli.commands.printing import (
    Cell,
    print_fields,
    print_json,
    print_table,
    short_id,
    when,
)
from api.cli.terminal import safe_line, safe_text
from api.wire.responses.agents import Agent, AgentMessage, AgentTemplate, TemplateList
from workflows.open_values import Unknown
from workflows.states import AgentState, InboxKind

_STATES: Mapping[AgentState | Unknown, str] = {
    AgentState.IDLE: "green",
    AgentState.RUNNING: "cyan",
    AgentState.PAUSED: "yellow",
    AgentState.ERROR: "bold red",
    AgentState.TERMINATED: "dim",
}
_KINDS: Mapping[InboxKind | Unknown, str] = {
    InboxKind.MESSAGE: "bold green",
    InboxKind.NOTICE: "bold magenta",
    InboxKind.REPLY: "bold cyan",
}


def print_agents(agents: Sequence[Agent]) -> None:
    columns = ("ID", "NAME", "STATE", "UNREAD", "ACTIVE", "TOKENS", "COST")
    rows = [
        (
            short_id(agent.id),
            agent.name,
            _state(agent),
            str(agent.unread or ""),
            when(agent.last_activity_at),
            f"{agent.tokens:,}",
            f"${agent.cost_usd:.2f}",
        )
        for agent in agents
    ]
    print_table(columns, rows, cut="NAME", spare=("ACTIVE", "COST", "UNREAD"))


def print_agent(agent: Agent) -> None:
    print_fields(list(_fields(agent)))


def print_agent_as(agent: Agent, output: Format) -> None:
    print_json(agent) if output is Format.JSON else print_agent(agent)


def print_messages(messages: Sequence[AgentMessage]) -> None:
    for message in messages:
        for line in message_lines(message):
            terminal.stdout().print(line, soft_wrap=True)


def message_lines(message: AgentMessage) -> Iterator[Text]:
    """A message as people read it."""
    who = f"{_name(message.from_name, message.sender)} → {_name(message.to_name, message.to)}"
    about = [when(message.created_at)]
    if message.status == "unread":
        about.append("unread")
    if message.interrupted:
        about.append("interrupted")
    yield Text.assemble(
        (f"{message.seq} {safe_line(who)}", _KINDS.get(message.kind, "")),
        (f"  {safe_line(' · '.join(about))}", "dim"),
    )
    # Indented: what is said cannot pass for a line of ours.
    for text in safe_text(message.content).split("\n"):
        yield Text(f"  {text}")
    for name, reference in message.attachments.items():
        yield Text(f"  + {safe_line(name)}={safe_line(reference)}", style="dim")
    yield Text()


def print_templates(found: TemplateList) -> None:
    rows = [(each.name, each.source, each.description or _role(each)) for each in found.items]
    print_table(("NAME", "SOURCE", "DESCRIPTION"), rows, cut="DESCRIPTION")
    for refused in found.refused:
        line = f"{refused.file} cannot be used: {refused.reason}"
        terminal.stderr().print(safe_line(line), style="yellow", soft_wrap=True)


def _fields(agent: Agent) -> Iterator[tuple[str, Cell]]:
    limits = agent.limits
    yield "Agent", str(agent.id)
    yield "Name", agent.name
    yield "State", _state(agent)
    if agent.waits_for:
        yield "Waits for", agent.waits_for
    if agent.error:
        yield "Error", str(agent.error.get("message", ""))
    yield "Unread", str(agent.unread)
    if agent.task_id is not None:
        yield "Task", str(agent.task_id)
    for label, value in (
        ("Role", agent.profile.role),
        ("Goal", agent.profile.goal),
        ("Tone", agent.profile.tone),
        ("Model", agent.model),
        ("Skills", None if agent.skills is None else ", ".join(agent.skills) or "none"),
        ("Tools", None if agent.tools is None else ", ".join(agent.tools) or "none"),
        ("Template", agent.template),
        ("Parent", agent.parent_id and str(agent.parent_id)),
    ):
        if value:
            yield label, value
    yield "Per turn", _bounds(limits.turns, limits.tokens, limits.cost_usd, limits.seconds)
    yield "Per day", _bounds(None, limits.daily_tokens, limits.daily_cost_usd, None)
    yield "Others", f"at most {limits.children:,} children, {limits.hops:,} hops"
    today = f", {agent.tokens_today:,} of them today" if agent.tokens_today else ""
    yield "Tokens", f"{agent.tokens:,}{today}"
    yield "Cost", f"${agent.cost_usd:.2f}"
    yield "Last activity", when(agent.last_activity_at)
    yield "Created", when(agent.created_at)


def _bounds(
    turns: int | None, tokens: int | None, cost_usd: float | None, seconds: float | None
) -> str:
    """The limits that there are, in words."""
    parts = [
        f"{turns:,} model turns" if turns is not None else "",
        f"{tokens:,} tokens" if tokens is not None else "",
        f"${cost_usd:,.2f}" if cost_usd is not None else "",
        f"{seconds:,.0f} seconds" if seconds is not None else "",
    ]
    said = ", ".join(filter(None, parts))
    return f"at most {said}" if said else "no limit"


def _state(agent: Agent) -> Text:
    return Text(agent.state.value, style=_STATES.get(agent.state, ""))


def _name(name: str, party: str) -> str:
    return name or party


def _role(template: AgentTemplate) -> str:
    return template.profile.role or ""
