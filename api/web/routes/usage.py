"""Usage: tokens and dollars by day and model, as a plot and as a table."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query, Request, Response

from api.http.dependencies import ServicesDep, TeamDep
from api.http.routes.usage import get_usage
from api.web.drawing.plot import Column, plot
from api.web.filters import money
from api.web.page import pages, render
from api.wire.responses.usage import DayUsage, TeamUsage

router = pages()

# So many days; what is longer than a hundred is drawn by month.
PERIODS = (7, 30, 90, 365)
_BY_MONTH = 100
# What the API does not tell apart.
UNNAMED = "not told apart"

What = Literal["tokens", "cost"]
Days = Annotated[int, Query(ge=1, le=366)]


async def _usage(services: ServicesDep, team_id: TeamDep, days: Days = 30) -> TeamUsage:
    return await get_usage(services, team_id, days)


@router.get("/usage")
async def usage_page(
    request: Request,
    usage: Annotated[TeamUsage, Depends(_usage)],
    days: Days = 30,
    what: What = "tokens",
) -> Response:
    """Show the last so many days, today the last."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
    shown = [day for day in usage.days if first <= day.day <= today]
    columns = columns_of(shown, first, today, what)
    say = short_count if what == "tokens" else money
    title = "Tokens" if what == "tokens" else "Cost"
    return render(
        request,
        "usage/usage.html",
        usage=usage,
        tokens=sum(day.tokens for day in shown),
        cost_usd=sum(day.cost_usd for day in shown),
        models=_by_model(shown),
        picture=plot(columns, title=title, of="model", say=say) if shown else "",
        days=days,
        periods=PERIODS,
        what=what,
    )


def columns_of(used: Sequence[DayUsage], first: date, last: date, what: What) -> Sequence[Column]:
    """A column for each day, or month, of the period: also for those without any use."""
    parts: dict[str, dict[str, float]] = {}
    is_long = (last - first).days > _BY_MONTH
    for offset in range((last - first).days + 1):
        parts.setdefault(_label(first + timedelta(days=offset), by_month=is_long), {})
    for day in used:
        column = parts[_label(day.day, by_month=is_long)]
        for each in day.models:
            name = each.model or UNNAMED
            value = each.tokens if what == "tokens" else each.cost_usd
            column[name] = column.get(name, 0) + value
    return [Column(label, values) for label, values in parts.items()]


def _label(day: date, *, by_month: bool) -> str:
    return f"{day:%b %Y}" if by_month else f"{day.day} {day:%b}"


def _by_model(used: Sequence[DayUsage]) -> Sequence[tuple[str, int, float]]:
    """Of the whole period, the largest first."""
    sums: dict[str, tuple[int, float]] = {}
    for day in used:
        for each in day.models:
            tokens, cost_usd = sums.get(each.model or UNNAMED, (0, 0.0))
            sums[each.model or UNNAMED] = (tokens + each.tokens, cost_usd + each.cost_usd)
    return sorted(((name, *both) for name, both in sums.items()), key=lambda row: -row[1])


def short_count(count: float) -> str:
    """``950``, ``1.2k``, ``3M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.0f}"
