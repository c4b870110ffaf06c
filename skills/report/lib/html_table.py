"""Tables in HTML."""


def table(
    header: list[str], rows: list[list[str]], right: list[bool], css_class: str = "table"
) -> str:
    """An HTML table of cells that are HTML; ``right`` says which columns are numbers."""

    def row(cells: list[str], tag: str) -> str:
        cells = cells + [""] * (len(header) - len(cells))
        classes = [' class="number"' if number else "" for number in right]
        classes += [""] * (len(header) - len(right))
        shown = (f"<{tag}{c}>{cell}</{tag}>" for cell, c in zip(cells, classes, strict=True))
        return f"<tr>{''.join(shown)}</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    return (
        f'<div class="{css_class}"><table><thead>{row(header, "th")}</thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )
