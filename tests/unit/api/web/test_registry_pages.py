"""What pages of usage, skills and the audit log make of the answers of the API."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from api.web.routes.audit import place_of
from api.web.routes.skills import address_of as skill_address
from api.web.routes.tools import address_of as tool_address
from api.web.routes.usage import UNNAMED, columns_of, short_count
from api.web.skill_texts import body_of
from api.wire.responses.audit import AuditEntry
from api.wire.responses.usage import DayUsage, OfModel


def entry(action: str, target: str) -> AuditEntry:
    now = datetime.now(UTC)
    return AuditEntry(
        id=uuid4(), created_at=now, actor="x", action=action, target=target, note="", details={}
    )


@pytest.mark.parametrize(
    ("action", "target", "place"),
    [
        ("task.cancelled", "0c9b", "/tasks/0c9b"),
        ("task.deleted", "0c9b", None),
        ("mcp_server.removed", "mcp.x", None),
        ("tool.disabled", "mcp.x.a/b?c#d", "/tools/mcp.x.a%2Fb%3Fc%23d"),
        ("dead_letter.requeued", "1", "/dead-letters/1"),
        ("key.revoked", "1", "/settings"),
        ("breaker.opened", "mcp:x", "/tools/breakers"),
        ("cache.cleared", "all", None),
        ("new_kind.done", "1", None),
    ],
)
def test_an_entry_leads_to_what_it_is_about(action: str, target: str, place: str | None) -> None:
    assert place_of(entry(action, target)) == place


@pytest.mark.parametrize("name", ["//evil", "../settings", 'a"b', "a%2fb", "é"])
def test_addresses_of_hostile_names_stay_below_their_page(name: str) -> None:
    for address, root in ((tool_address(name), "/tools/"), (skill_address(name), "/skills/")):
        rest = address.removeprefix(root)
        assert address.startswith(root)
        assert not set(rest) & set("/\"'<>?#")


def used(day: date, **models: int) -> DayUsage:
    found = [
        OfModel(
            model=name if name != "rest" else None,
            tokens=tokens,
            prompt_tokens=None,
            completion_tokens=None,
            cost_usd=tokens / 1_000,
        )
        for name, tokens in models.items()
    ]
    return DayUsage(day=day, tokens=sum(models.values()), cost_usd=1, models=found)


def test_each_day_of_a_period_has_a_column() -> None:
    first, last = date(2026, 2, 27), date(2026, 3, 2)
    columns = columns_of([used(date(2026, 3, 1), a=5, rest=2)], first, last, "tokens")
    assert [column.label for column in columns] == ["27 Feb", "28 Feb", "1 Mar", "2 Mar"]
    assert [dict(column.parts) for column in columns] == [{}, {}, {"a": 5, UNNAMED: 2}, {}]


def test_a_year_is_drawn_by_month() -> None:
    first, last = date(2025, 12, 1), date(2026, 11, 30)
    days = [used(date(2026, 3, 1), a=5), used(date(2026, 3, 31), a=7)]
    columns = columns_of(days, first, last, "cost")
    assert [column.label for column in columns][::6] == ["Dec 2025", "Jun 2026"]
    assert len(columns) == 12
    assert columns[3].parts["a"] == pytest.approx(0.012)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (950, "950"), (1_000, "1k"), (1_234, "1.23k"), (2_500_000, "2.5M"), (3e9, "3G")],
)
def test_counts_on_an_axis_are_short(count: float, text: str) -> None:
    assert short_count(count) == text


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("---\nname: x\n---\nHello", "Hello"),
        ("---\nname: x\nHello", "---\nname: x\nHello"),
        ("Hello\n---\nx\n---", "Hello\n---\nx\n---"),
        ("", ""),
    ],
)
def test_the_head_of_a_skill_is_not_its_text(text: str, body: str) -> None:
    assert body_of(text) == body
