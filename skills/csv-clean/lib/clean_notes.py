"""What a careful reader would notice of a table that was cleaned."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clean_pass import Pass

TOTALS = frozenset({
    "total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "totale", "totaal",
    "suma", "suma total", "somme", "total general", "razem", "итого", "всего", "合計", "总计",
})  # fmt: skip


def table_notes(table: "Pass", names: list[str]) -> list[str]:
    """By what the pass has seen of the rows; ``names`` are those of all columns."""
    return [*rows_above(table), *double_delimiter(table), *odd_rows(table), *formulas(table, names)]


def rows_above(table: "Pass") -> list[str]:
    counts = table.counts
    if not counts.long_rows or 2 * counts.long_rows <= counts.rows_in:
        return []
    skip = counts.ragged_lines[0] - 1
    return [
        f"{counts.long_rows} of {counts.rows_in} rows have more cells than the header "
        f"({', '.join(table.header)}). If the header is in line {skip + 1}, pass "
        f"--skip-lines {skip}; if a cell has the delimiter in it, quote it."
    ]


def double_delimiter(table: "Pass") -> list[str]:
    between = range(1, len(table.header), 2)
    sign = table.source.delimiter
    is_double = len(table.header) > 2 and len(table.header) % 2 == 1
    if not is_double or any(table.header[i] or table.seen[i].present for i in between):
        return []
    return [
        f"Every second column is empty: cells seem to be divided by {sign * 2}. "
        "Pass --drop-empty to leave the empty ones out."
    ]


def odd_rows(table: "Pass") -> list[str]:
    notes = []
    if times := table.repeated_headers:
        notes.append(
            f"{times} {'rows repeat' if times > 1 else 'row repeats'} the header, as in files that "
            "were put together. They stay: remove them before calculating."
        )
    first = next((cell for cell in table.last_row if cell), "")
    if first.rstrip(": ").casefold() in TOTALS:
        notes.append(
            f"The last row looks like a total ({', '.join(filter(None, table.last_row))}). "
            "It stays: remove it before calculating."
        )
    return notes


def formulas(table: "Pass", names: list[str]) -> list[str]:
    return [
        f"{name} has {seen.formulas} values that a spreadsheet would run as formulas, such as "
        f"{seen.formula_example}. They stay as written."
        for name, seen in zip(names, table.seen, strict=False)
        if seen.formulas
    ]
