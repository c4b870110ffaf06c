"""One section of a report for each file, in HTML and in Markdown, by what the file holds."""

import base64
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from csv_file import BadInput, open_csv
from html_table import table
from kinds import parse_json, picture_type, read_text, text_kind
from written_numbers import read_number

MAX_PICTURE_BYTES = 20 * 1024 * 1024
MAX_TEXT_LINES = 400
MAX_COLUMNS_SHOWN = 40
MAX_CELL_CHARS = 160
PICTURE_EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
}


@dataclass(frozen=True)
class Section:
    """``picture`` is the extension of a picture that goes beside the Markdown report."""

    title: str
    kind: str
    source: Path
    html: str
    markdown: str
    picture: str | None = None


def make_section(path: Path, title: str | None, rows: int) -> Section:
    """Raises BadInput for a file that cannot be shown, and says what to do."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file. Check the path.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path}: is empty, so there is nothing to report.")
    with path.open("rb") as file:
        head = file.read(4096)
    name = title or readable(path)
    if kind := picture_type(head):
        return picture_section(path, name, kind)
    match text_kind(path):
        case "csv":
            return csv_section(path, name, rows)
        case "json":
            return json_section(path, name, rows)
        case "markdown":
            return markdown_section(path, title)
    return text_section(path, name)


def readable(path: Path) -> str:
    words = re.sub(r"[-_.]+", " ", path.stem).strip() or path.name
    return words[:1].upper() + words[1:]


def picture_section(path: Path, title: str, kind: str) -> Section:
    if path.stat().st_size > MAX_PICTURE_BYTES:
        raise BadInput(
            f"{path}: is a picture over {MAX_PICTURE_BYTES // 1024**2} MiB. Make it smaller."
        )
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    # In an <img> an SVG can neither run scripts nor load anything.
    shown = f'<p><img alt="{html.escape(title)}" src="data:{kind};base64,{data}"></p>'
    return Section(title, "picture", path, shown, "", PICTURE_EXTENSIONS[kind])


def markdown_section(path: Path, title: str | None) -> Section:
    # Here, for it needs a package, which other kinds of files do without.
    import markdown  # noqa: PLC0415

    text, cut = read_text(path)
    heading, rest = markdown.take_title(text)
    name = title or heading or readable(path)
    shown = markdown.to_html(rest, demote=1) + note_html(cut)
    return Section(name, "markdown", path, shown, markdown.neutralise(rest, 1) + note_text(cut))


def csv_section(path: Path, title: str, rows: int) -> Section:
    source = open_csv(path)
    header, all_rows = source.table()
    shown: list[list[str]] = []
    count = 0
    for row in all_rows:
        count += 1
        if count <= rows:
            shown.append([brief(cell) for cell in row[: len(header)][:MAX_COLUMNS_SHOWN]])
    columns = [brief(name) for name in header[:MAX_COLUMNS_SHOWN]]
    caption = f"{count:,} rows, {len(header):,} columns."
    if count > len(shown) or len(header) > len(columns):
        caption = f"The first {len(shown)} of {caption}"
    caption = " ".join((caption, *source.notes))
    return table_section(path, title, "table", caption=caption, columns=columns, rows=shown)


def table_section(
    path: Path, title: str, kind: str, *, caption: str, columns: list[str], rows: list[list[str]]
) -> Section:
    right = [
        all(read_number(row[i]) for row in rows if len(row) > i and row[i])
        and any(len(row) > i and row[i] for row in rows)
        for i in range(len(columns))
    ]
    escaped = [[html.escape(cell) for cell in row] for row in rows]
    names = [html.escape(name) for name in columns]
    shown = table(names, escaped, right, css_class="table data")
    lines = [
        caption,
        "",
        table_line(columns),
        "|" + "|".join("--:" if number else ":--" for number in right) + "|",
        *(table_line(row + [""] * (len(columns) - len(row))) for row in rows),
    ]
    caption_html = f"<p>{html.escape(caption)}</p>\n" if caption else ""
    return Section(title, kind, path, caption_html + shown, "\n".join(lines).lstrip())


def json_section(path: Path, title: str, rows: int) -> Section:
    """A table where the JSON is one, else the JSON itself."""
    text, cut = read_text(path)
    parsed = None if cut else parse_json(text)
    if isinstance(parsed, dict) and all(is_scalar(value) for value in parsed.values()):
        pairs = [[brief(str(key)), brief(scalar(value))] for key, value in parsed.items()]
        return table_section(path, title, "json", caption="", columns=["Name", "Value"], rows=pairs)
    if isinstance(parsed, list) and parsed and all(is_record(item) for item in parsed):
        names = list(dict.fromkeys(str(key) for item in parsed for key in item))
        records = [
            [brief(scalar(item.get(name))) for name in names[:MAX_COLUMNS_SHOWN]]
            for item in parsed[:rows]
        ]
        count = f"{len(parsed):,} records."
        caption = count if len(parsed) <= rows else f"The first {rows} of {count}"
        return table_section(
            path, title, "json", caption=caption, columns=names[:MAX_COLUMNS_SHOWN], rows=records
        )
    if parsed is not None:
        text = json.dumps(parsed, indent=2, ensure_ascii=False)
    return code_section(path, title, "json", text, cut=cut)


def is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def is_record(item: object) -> bool:
    return isinstance(item, dict) and all(is_scalar(value) for value in item.values())


def scalar(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def text_section(path: Path, title: str) -> Section:
    text, cut = read_text(path)
    return code_section(path, title, "text", text, cut=cut)


def code_section(path: Path, title: str, kind: str, text: str, *, cut: bool) -> Section:
    lines = text.splitlines()
    cut = cut or len(lines) > MAX_TEXT_LINES
    shown = "\n".join(lines[:MAX_TEXT_LINES])
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return Section(
        title,
        kind,
        path,
        f"<pre>{html.escape(shown)}</pre>" + note_html(cut),
        f"{fence}\n{shown}\n{fence}" + note_text(cut),
    )


def note_html(cut: bool) -> str:
    return '\n<p class="note">The rest is left out.</p>' if cut else ""


def note_text(cut: bool) -> str:
    return "\n\n*The rest is left out.*" if cut else ""


def brief(cell: str) -> str:
    line = " ".join(cell.split())
    return line if len(line) <= MAX_CELL_CHARS else f"{line[: MAX_CELL_CHARS - 1]}…"


def table_line(cells: list[str]) -> str:
    return f"| {' | '.join(escape(cell) for cell in cells)} |"


def escape(text: str) -> str:
    """Text as plain Markdown on one line."""
    line = re.sub(r"([\\`*\[\]|])", r"\\\1", " ".join(text.split()))
    return line.replace("&", "&amp;").replace("<", "&lt;")
