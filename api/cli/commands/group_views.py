"""Groups, and what is said in them, for people."""

from collections.abc import Sequence

from rich.text import Text

from api.cli import terminal
from api.cli.commands.printing import draw, print_fields, print_table, print_title, short_id, when
from api.cli.terminal import safe_line, safe_text
from api.wire.responses.groups import Group, GroupMessage
from workflows.states import GroupMode

_SILENT = "silent"


def print_groups(groups: Sequence[Group]) -> None:
    columns = ("ID", "NAME", "MODE", "MEMBERS", "STATE", "CREATED")
    rows = [
        (
            short_id(group.id),
            group.name,
            group.mode.value,
            str(len(group.members)),
            _state(group),
            when(group.created_at),
        )
        for group in groups
    ]
    print_table(columns, rows, cut="NAME", spare=("CREATED", "MODE", "MEMBERS"))


def print_group(group: Group) -> None:
    print_fields(
        [
            ("Group", str(group.id)),
            ("Name", group.name),
            ("State", _state(group)),
            ("Mode", group.mode.value),
            ("Limits", _limits(group)),
            ("Messages", str(group.message_seq)),
            ("Created", when(group.created_at)),
        ]
    )
    if not group.members:
        return
    print_title("Members")
    is_moderated = group.mode is GroupMode.MODERATED
    rows = [
        (
            short_id(member.id),
            member.name,
            member.state.value,
            "yes" if member.answers or not is_moderated else "no",
            member.turn.value if member.turn is not None else "",
        )
        for member in group.members
    ]
    print_table(("ID", "NAME", "STATE", "ANSWERS", "TURN"), rows, cut="NAME", spare=("ANSWERS",))


def print_said(message: GroupMessage) -> None:
    """``Ann: text``, or why the group fell silent."""
    if message.reason is not None:
        draw(Text(f"({safe_line(message.content)})", style="dim"))
        return
    name = safe_line(message.from_name)
    line = Text.assemble((f"{name}: ", "bold"), safe_text(message.content))
    terminal.stdout().print(line, soft_wrap=not terminal.stdout().is_terminal)


def _state(group: Group) -> str:
    return _SILENT if group.thread_id is None else f"round {group.round}"


def _limits(group: Group) -> str:
    limits = group.limits
    bounds = [f"{limits.rounds} rounds", f"{limits.turn_seconds:g} s a round"]
    bounds += [f"{limits.tokens:,} tokens"] if limits.tokens is not None else []
    bounds += [f"{limits.cost_usd:g} USD"] if limits.cost_usd is not None else []
    return ", ".join(bounds)
