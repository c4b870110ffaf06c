"""Tables on a terminal of 80 columns, and in a pipe."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from rich.console import Console

from api.cli import terminal
from api.cli.commands.agent_views import print_agent, print_agents
from api.cli.commands.bulk import print_runs
from api.cli.commands.group_views import print_group, print_groups
from api.cli.commands.printing import print_table
from api.wire.responses.agents import Agent, AgentLimits, AgentLinks, AgentProfile
from api.wire.responses.bulk import BulkCounts, BulkRun
from api.wire.responses.groups import Group, GroupLinks
from workflows.definitions.group import GroupLimits
from workflows.states import AgentState, BulkAction, BulkState, GroupMode

AGO = datetime.now(UTC) - timedelta(hours=2)

AGENT = Agent(
    id=uuid4(),
    name="the clerk who knows all our sales in the north " * 2,
    state=AgentState.TERMINATED,
    profile=AgentProfile(name="clerk", role=None, goal=None, tone=None),
    skills=None,
    tools=None,
    model=None,
    limits=AgentLimits(
        turns=1,
        tokens=1,
        cost_usd=None,
        seconds=1,
        daily_tokens=None,
        daily_cost_usd=None,
        children=1,
        hops=1,
    ),
    template=None,
    parent_id=None,
    depth=0,
    unread=10_000,
    last_activity_at=AGO,
    tokens=123_456_789,
    cost_usd=1234.5,
    tokens_today=0,
    task_id=None,
    error=None,
    created_at=AGO,
    links=AgentLinks(self="", messages="", events="", children="", tasks=""),
)
GROUP = Group(
    id=uuid4(),
    name=AGENT.name,
    mode=GroupMode.MODERATED,
    limits=GroupLimits(),
    members=[],
    thread_id=None,
    round=0,
    message_seq=3,
    made_by=None,
    created_at=AGO,
    links=GroupLinks(self="", messages="", events=""),
)
BULK = BulkRun(
    id=uuid4(),
    action=BulkAction.REQUEUE,
    state=BulkState.COMPLETED,
    reason="",
    filter=None,
    note="",
    actor="somebody whose key has a long name",
    canary=0,
    rate=60,
    counts=BulkCounts(
        total=9_999,
        left=1_111,
        requeued=8_000,
        running=0,
        completed=7_654,
        failed=321,
        failed_alike=0,
        cancelled=0,
        discarded=0,
        skipped=888,
    ),
    skipped=[],
    created_at=AGO,
    ended_at=None,
)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What is printed on a terminal of so many columns, or in a pipe."""

    def show(printing: Callable[[], None], columns: int | None = 80) -> list[str]:
        file = io.StringIO()
        console = Console(
            file=file,
            width=columns or 100_000,
            force_terminal=columns is not None,
            color_system=None,
            legacy_windows=False,
        )
        monkeypatch.setattr(terminal, "stdout", lambda: console)
        printing()
        return [line.rstrip() for line in file.getvalue().splitlines()]

    return show


@pytest.mark.parametrize(
    ("printing", "columns"),
    [
        (lambda: print_agents([AGENT]), "ID NAME STATE UNREAD ACTIVE TOKENS COST"),
        (lambda: print_groups([GROUP]), "ID NAME MODE MEMBERS STATE CREATED"),
        (
            lambda: print_runs([BULK]),
            "ID STATE LETTERS LEFT REQUEUED COMPLETED FAILED SKIPPED",
        ),
    ],
    ids=["agents", "groups", "bulk"],
)
def test_a_list_fits_on_80_columns_and_its_figures_are_whole(
    printed: Callable[..., list[str]], printing: Callable[[], None], columns: str
) -> None:
    head, row = printed(printing)
    assert head.split() == columns.split()
    assert len(row) <= 80
    figures = ["10,000", "123,456,789", "$1234.50", "9,999", "1,111", "8,000", "7,654", "321"]
    of_this = [each for each in figures if each in " ".join(printed(printing, columns=None))]
    assert all(each in row for each in of_this)


def test_a_pipe_gets_all_columns_and_nothing_is_cut(printed: Callable[..., list[str]]) -> None:
    head, row = printed(lambda: print_runs([BULK]), columns=None)
    assert head.split()[-2:] == ["STARTED", "BY"]
    assert row.endswith(BULK.actor)
    assert str(BULK.id) in row


def test_columns_are_left_out_in_their_order_and_none_that_has_room(
    printed: Callable[..., list[str]],
) -> None:
    def show() -> None:
        columns = ("NAME", "A", "B", "C")
        print_table(columns, [("name" * 5, *("x" * 10,) * 3)], cut="NAME", spare=("C", "B"))

    # The name needs 20, or 12 where it is cut, and each of the others 10, with 3 between two.
    assert printed(show, 59)[0].split() == ["NAME", "A", "B", "C"]
    assert "name" * 5 in printed(show, 59)[1]
    assert printed(show, 51)[0].split() == ["NAME", "A", "B", "C"]
    assert printed(show, 50)[0].split() == ["NAME", "A", "B"]
    assert printed(show, 37)[0].split() == ["NAME", "A"]


def test_groups_and_agents_are_shown_in_the_same_way(printed: Callable[..., list[str]]) -> None:
    agent = printed(lambda: print_agent(AGENT), 200)
    group = printed(lambda: print_group(GROUP), 200)
    assert [line.split()[0] for line in agent[:3]] == ["Agent", "Name", "State"]
    assert [line.split()[0] for line in group[:3]] == ["Group", "Name", "State"]
    assert agent[-1].split()[0] == group[-1].split()[0] == "Created"
