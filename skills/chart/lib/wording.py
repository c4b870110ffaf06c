"""What a chart says: its title, the names on its axes, and the note under it."""

import re

from choice import Choice

# The last word of a column's name, where it is a unit.
UNITS = {unit: unit for unit in ("mm", "cm", "km", "mg", "g", "kg", "ms", "ml")}
UNITS |= {"usd": "USD", "eur": "EUR", "gbp": "GBP", "pct": "%", "percent": "%"}
AGGREGATED = {"count": "number of", "sum": "total", "mean": "mean", "median": "median"}


def axis_name(column: str) -> str:
    """``body_mass_g`` -> ``Body mass (g)``; a name that is not snake case stays as it is."""
    words, unit = split(column)
    return capitalised(f"{words} ({unit})" if unit else words)


def value_name(choice: Choice, *, aggregated: bool) -> str:
    """The name of the axis that the values are on."""
    if choice.kind == "hist" or (choice.aggregate == "count" and choice.y is None):
        return "Rows"
    name = axis_name(choice.y or "")
    if not aggregated:
        return name
    return capitalised(f"{AGGREGATED[choice.aggregate or 'mean']} {uncapitalised(name, choice.y)}")


def title(choice: Choice, *, aggregated: bool) -> str:
    x = split(choice.x)[0] if choice.x else ""
    y = split(choice.y)[0] if choice.y else "rows"
    grouped = f" by {split(choice.group)[0]}" if choice.group and choice.group != choice.x else ""
    if choice.kind == "scatter":
        return capitalised(f"{y} against {x}{grouped and f',{grouped}'}")
    if choice.kind == "hist":
        return f"Distribution of {x}{grouped}"
    prefix = f"{AGGREGATED[choice.aggregate or 'mean']} " if aggregated else ""
    by = f" by {x}" if x else ""
    return capitalised(f"{prefix}{y}{by}{grouped.replace(' by ', ' and ') if by else grouped}")


def note(rows: int, drawn: int, categories: int, shown: int) -> str:
    parts = [f"{drawn:,} rows"]
    if drawn < rows:
        parts = [f"{drawn:,} of {rows:,} rows", "the others lack a value"]
    if shown < categories:
        parts.append(f"the {shown} greatest of {categories:,} categories")
    return "; ".join(parts)


def split(column: str) -> tuple[str, str]:
    """The words of a column's name, and its unit."""
    if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", column):
        return column, ""
    words = column.split("_")
    unit = UNITS.get(words[-1], "") if len(words) > 1 else ""
    return " ".join(words[:-1] if unit else words), unit


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def uncapitalised(text: str, column: str | None) -> str:
    return text[:1].lower() + text[1:] if column and column[:1].islower() else text
