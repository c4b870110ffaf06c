# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "markdown-it-py>=4.2,<5"]
# ///
"""Make one report of many files: report.md, and report.html that needs no other file."""

import argparse
import base64
import hashlib
import html
import json
import re
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
SKILL = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SKILL / "lib"))

from csv_file import BadInput  # noqa: E402
from sections import Section, escape, make_section  # noqa: E402

PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>{subtitle}
</header>
{contents}
<main>
{sections}
</main>
<footer>
<h2>Made from</h2>
{sources}
</footer>
</body>
</html>
"""


def as_html(title: str, subtitle: str, language: str, sections: list[Section]) -> str:
    style = (SKILL / "assets" / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    entries = "\n".join(
        f'<li><a href="#section-{number}">{html.escape(section.title)}</a></li>'
        for number, section in enumerate(sections, start=1)
    )
    shown = "\n".join(
        f'<section id="section-{number}">\n<h2>{html.escape(section.title)}</h2>\n'
        f"{section.html}\n</section>"
        for number, section in enumerate(sections, start=1)
    )
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in source)}</tr>"
        for source in sources(sections)
    )
    return PAGE.format(
        language=html.escape(language),
        # Whatever the files hold: no script runs, nothing is loaded, only this style applies.
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
        title=html.escape(title),
        subtitle=f"\n<p>{html.escape(subtitle)}</p>" if subtitle else "",
        style=style,
        contents=f"<nav><ol>\n{entries}\n</ol></nav>" if len(sections) > 2 else "",
        sections=shown,
        sources=f"<table>{rows}</table>",
    )


def as_markdown(title: str, subtitle: str, sections: list[Section], pictures: list[str]) -> str:
    names = iter(pictures)
    parts = [f"# {escape(title)}"]
    if subtitle:
        parts.append(escape(subtitle))
    for section in sections:
        body = section.markdown.strip("\n")
        if section.picture:
            body = f"![{escape(section.title)}]({next(names)})"
        parts += [f"## {escape(section.title)}", body]
    listed = (f"- {escape(name)}, {size}, SHA-256 `{sha}`" for name, size, sha in sources(sections))
    return "\n\n".join([*parts, "## Made from", "\n".join(listed)]) + "\n"


def sources(sections: list[Section]) -> list[tuple[str, str, str]]:
    return [
        (
            section.source.name,
            f"{section.source.stat().st_size:,} bytes",
            hashlib.sha256(section.source.read_bytes()).hexdigest(),
        )
        for section in sections
    ]


def copy_pictures(prefix: Path, sections: list[Section]) -> list[Path]:
    """Put the pictures beside the report, under names of its own."""
    copies: list[Path] = []
    for section in sections:
        if section.picture:
            stem = re.sub(r"[^A-Za-z0-9]+", "-", section.source.stem).strip("-") or "picture"
            copy = prefix.with_name(f"{prefix.name}-{stem}.{section.picture}")
            number = 2
            while copy in copies:
                copy = prefix.with_name(f"{prefix.name}-{stem}-{number}.{section.picture}")
                number += 1
            copies.append(copy)
            if not (copy.exists() and copy.samefile(section.source)):
                shutil.copyfile(section.source, copy)
    return copies


def split_name(text: str) -> tuple[str | None, Path]:
    """``Title=file.csv`` -> its parts. Both may hold more ``=``: what exists decides."""
    parts = text.split("=")
    for number in range(len(parts)):
        path = Path("=".join(parts[number:]))
        if path.is_file():
            return "=".join(parts[:number]).strip() or None, path
    return None, Path(parts[-1])


def report(arguments: argparse.Namespace) -> dict[str, object]:
    """Write both reports and return what is in them."""
    prefix: Path = arguments.output
    named = [split_name(text) for text in arguments.files]
    outputs = [prefix.with_name(f"{prefix.name}.{suffix}") for suffix in ("md", "html")]
    for output in outputs:
        if any(output.exists() and path.exists() and output.samefile(path) for _, path in named):
            raise BadInput(f"{output}: is one of the inputs. Name the report otherwise with -o.")
    sections = [make_section(path, name, arguments.rows) for name, path in named]
    pictures = copy_pictures(prefix, sections)
    title, subtitle = arguments.title, arguments.subtitle
    page = as_html(title, subtitle, arguments.language, sections)
    text = as_markdown(title, subtitle, sections, [picture.name for picture in pictures])
    outputs[0].write_text(text, encoding="utf-8")
    outputs[1].write_text(page, encoding="utf-8")
    return {
        "title": title,
        "sections": [
            {"title": section.title, "kind": section.kind, "file": section.source.name}
            for section in sections
        ],
        "files": [str(path) for path in (*outputs, *pictures)],
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Make one report of many files: PREFIX.md with its pictures beside it, and "
        "PREFIX.html that needs no other file. Takes Markdown, CSV, JSON, pictures and text.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="[TITLE=]FILE", help="a section each, in this order")
    add("--title", default="Report", help="default: Report")
    add("--subtitle", default="", help="a line under the title")
    add("--rows", type=int, default=20, metavar="N", help="rows shown of a table (default: 20)")
    add("--language", default="en", help="of the text, for the HTML (default: en)")
    add("-o", "--output", type=Path, default=Path("report"), metavar="PREFIX", help="e.g. report")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        summary = report(arguments)
    except ModuleNotFoundError as missing:
        print(f"report.py: {missing.name} is missing. Run: uv run {sys.argv[0]}", file=sys.stderr)
        return 2
    except (BadInput, OSError) as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
