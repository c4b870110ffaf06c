"""Tables on a terminal of 80 columns, and in a pipe."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from pydantic import JsonValue
from rich.console import Console

from api.cli import terminal
from api.cli.commands.agent_views import print_agent, print_agents
from api.cli.commands.audit import print_entries
from api.cli.commands.bulk import print_runs
from api.cli.commands.group_views import print_group, print_groups
from api.cli.commands.printing import at, print_table
from api.cli.commands.schedule_views import print_schedule
from api.cli.commands.task_table import print_tasks
from api.wire.responses.agents import Agent, AgentLimits, AgentLinks, AgentProfile
from api.wire.responses.audit import AuditEntry
from api.wire.responses.bulk import BulkCounts, BulkRun
from api.wire.responses.groups import Group, GroupLinks
from api.wire.responses.schedules import Schedule
from api.wire.responses.tasks import Progress, TaskSummary
from workflows.definitions.group import GroupLimits
from workflows.schedule_contracts import Overlap
from workflows.states import AgentState, BulkAction, BulkState, GroupMode, Status, TaskType

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


TASK = TaskSummary(
    task_id=uuid4(),
    type=TaskType.PIPELINE,
    name="a-name-of-some-length-and-more-of-it",
    status=Status.COMPLETED,
    phase=None,
    prompt=None,
    priority=5,
    run=1,
    progress=Progress(done=100, total=100, percent=100),
    error=None,
    created_at=AGO,
    started_at=AGO,
    finished_at=AGO + timedelta(minutes=61),
    temporal_url=None,
)


def schedule(task: dict[str, JsonValue]) -> Schedule:
    return Schedule(
        id=uuid4(),
        name="every hour",
        cron=None,
        every="1h",
        time_zone="UTC",
        overlap=Overlap.SKIP,
        catch_up="1h",
        paused=False,
        note="",
        version=1,
        next_times=None,
        left_out=None,
        missed=None,
        runs=[],
        created_at=AGO,
        updated_at=AGO,
        task=task,
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
        (lambda: print_agents([AGENT]), "ID NAME STATE UNREAD TOKENS COST"),
        (lambda: print_groups([GROUP]), "ID NAME MODE MEMBERS STATE CREATED"),
        (
            lambda: print_runs([BULK]),
            "ID STATE ACTION COUNT LEFT REQUEUED COMPLETED FAILED SKIPPED",
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


def test_columns_are_left_out_in_their_order_before_little_is_left_of_the_name(
    printed: Callable[..., list[str]],
) -> None:
    def show() -> None:
        columns = ("ID", "NAME", "A", "B", "C")
        print_table(
            columns, [("x" * 8, "name" * 10, *("y" * 10,) * 3)], cut="NAME", spare=("C", "B", "A")
        )

    assert "name" * 10 in printed(show, 90)[1]
    # Gaps of 2 come first, then the name is cut to 24, then others go.
    assert printed(show, 89)[0].split() == ["ID", "NAME", "A", "B", "C"]
    assert "name" * 10 in printed(show, 86)[1]
    assert printed(show, 70)[0].split() == ["ID", "NAME", "A", "B", "C"]
    assert printed(show, 69)[0].split() == ["ID", "NAME", "A", "B"]
    assert "name" * 8 + "na…" in printed(show, 69)[1]
    assert printed(show, 50)[0].split() == ["ID", "NAME", "A"]
    assert printed(show, 45)[0].split() == ["ID", "NAME"]
    assert printed(show, 25)[1] == "x" * 8 + "  " + "name" * 3 + "na…"


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_list_of_tasks_keeps_a_name_of_some_length_on_any_terminal(
    printed: Callable[..., list[str]], columns: int
) -> None:
    head, row = printed(lambda: print_tasks([TASK]), columns)
    assert len(row) <= columns
    assert head.split()[:2] == ["ID", "STATUS"]
    assert "a-name-of-some-lengt" in row


def test_where_nothing_can_be_left_out_the_widest_columns_are_cut(
    printed: Callable[..., list[str]],
) -> None:
    _, row = printed(lambda: print_table(("ID", "A", "B"), [("x" * 36, "a" * 50, "b" * 4)]), 60)
    assert len(row) == 60
    assert row.startswith("x" * 36)
    assert row.endswith("bbbb")


def test_groups_and_agents_are_shown_in_the_same_way(printed: Callable[..., list[str]]) -> None:
    agent = printed(lambda: print_agent(AGENT), 200)
    group = printed(lambda: print_group(GROUP), 200)
    assert [line.split()[0] for line in agent[:3]] == ["Agent", "Name", "State"]
    assert [line.split()[0] for line in group[:3]] == ["Group", "Name", "State"]
    assert agent[-1].split()[0] == group[-1].split()[0] == "Created"


def test_a_schedule_shows_what_it_would_run(printed: Callable[..., list[str]]) -> None:
    steps: list[JsonValue] = [{"id": "clean", "skill": "csv-clean"}, {"id": "report"}]
    pipeline = printed(
        lambda: print_schedule(
            schedule({"pipeline": {"name": "sales", "steps": steps}, "inputs": {"data": "file:1"}})
        )
    )
    assert any(line.split() == ["Pipeline", "sales:", "clean,", "report"] for line in pipeline)
    assert any(line.split() == ["Input", "data", "file:1"] for line in pipeline)
    task: dict[str, JsonValue] = {
        "type": "agent",
        "prompt": "Look for news.\nAnd sum up.",
        "agent": {"model": "m"},
    }
    agent = " ".join(" ".join(printed(lambda: print_schedule(schedule(task)))).split())
    assert "Prompt Look for news. ..." in agent
    assert 'Agent {"model": "m"}' in agent


def test_an_entry_of_the_audit_log_has_its_details(printed: Callable[..., list[str]]) -> None:
    entry = AuditEntry(
        id=uuid4(),
        created_at=AGO,
        actor="local user",
        action="agent.terminated",
        target=str(uuid4()),
        note="done",
        details={"children": "terminate", "terminated": 2},
    )
    _, row = printed(lambda: print_entries([entry]))
    assert len(row) <= 80
    assert entry.target[:8] in row
    assert entry.target not in row
    assert "done; children=" in row
    _, row = printed(lambda: print_entries([entry]), columns=None)
    assert row.endswith("done; children=terminate; terminated=2")
    assert entry.target in row


def test_moments_that_are_still_to_come_are_written_in_one_way(
    printed: Callable[..., list[str]],
) -> None:
    moment = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)

    def text(columns: int | None) -> list[str]:
        found: list[str] = []
        printed(lambda: found.extend([at(moment), at(moment, ZoneInfo("Europe/Berlin"))]), columns)
        return found

    assert text(80) == ["2026-11-29 12:00:00 UTC", "2026-11-29 13:00:00 CET"]
    assert text(None) == ["2026-11-29T12:00:00+00:00"] * 2
