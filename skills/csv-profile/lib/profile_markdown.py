"""A profile as a table for people."""

import re

from column_summary import ColumnProfile, DateSummary, NumberSummary, Profile, TextSummary

BARS = "▁▂▃▄▅▆▇█"
SHOWN_CHARS = 60


def as_markdown(described: Profile) -> str:
    lines = [
        f"# Profile of {escape(described.file)}",
        "",
        f"{described.rows:,} rows, {len(described.columns):,} columns, "
        f"{described.missing_cells:,} missing cells.",
        "",
        *(f"- {escape(note)}" for note in described.notes),
        "",
        "| Column | Type | Missing | Distinct | Values |",
        "|:--|:--|--:|--:|:--|",
    ]
    for column in described.columns:
        more = "+" if column.distinct_is_at_least else ""
        lines.append(
            f"| {escape(column.name)} | {column.type} | {column.missing:,} "
            f"| {column.distinct:,}{more} | {in_short(column)} |"
        )
    return "\n".join(lines) + "\n"


def in_short(column: ColumnProfile) -> str:
    match column.summary:
        case NumberSummary(low, high, mean, _, quantiles, bins):
            spark = "".join(BARS[round(n / max(bins) * (len(BARS) - 1))] for n in bins)
            middle = f"median {figure(quantiles['p50'])}, mean {figure(mean)}"
            return f"{figure(low)} to {figure(high)}, {middle} {spark}"
        case DateSummary(first, last):
            return f"{first} to {last}"
        case TextSummary(top):
            shown = [f"{escape(value)} ({count:,})" for value, count in top[:3]]
            return ", ".join(shown) + (", …" if column.distinct > len(shown) else "")
    return ""


def figure(number: float | None) -> str:
    if number is None:
        return "unknown"
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.2f}".rstrip("0").rstrip(".") if 0.1 <= abs(number) < 1e15 else f"{number:g}"


def escape(text: str) -> str:
    """Text as plain Markdown on one short line."""
    line = " ".join(text.split())
    line = line if len(line) <= SHOWN_CHARS else f"{line[: SHOWN_CHARS - 1]}…"
    return re.sub(r"([\\`*\[\]|])", r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;")
