# /// script
# requires-python = ">=3.11"
# dependencies = ["beautifulsoup4>=4.14,<5", "charset-normalizer>=3.4,<4",
#     "pypdf[crypto]>=7,<8", "python-docx>=1.2,<2"]
# ///
"""Take the text out of a PDF, Word document or HTML page."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from document import BadInput, Document, as_markdown, as_text  # noqa: E402
from plain import kind_of, read_plain  # noqa: E402

EXTENSIONS = {"text": ".txt", "markdown": ".md", "json": ".json"}


def read(path: Path, pages: Sequence[range], *, links: bool) -> Document:
    """Each reader is imported when it is needed: they take half a second."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file. Check the path.")
    match kind_of(path):
        case "pdf":
            from pdf import read_pdf  # noqa: PLC0415

            return read_pdf(path, pages)
        case "docx":
            from word import read_word  # noqa: PLC0415

            return read_word(path)
        case "html":
            from web import read_web  # noqa: PLC0415

            return read_web(path, links=links)
    return read_plain(path)


def write(document: Document, source: Path, form: str) -> str:
    if form == "markdown":
        return as_markdown(document)
    if form == "text":
        return as_text(document)
    whole = {
        "file": source.name,
        "kind": document.kind,
        "title": document.title,
        "pages": [{"number": page.number, "text": page.text()} for page in document.pages],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def extract(arguments: argparse.Namespace) -> dict[str, object]:
    """Write the text and return what was found."""
    source: Path = arguments.input
    form = arguments.format or form_of(arguments.output)
    output: Path = arguments.output or Path(f"text{EXTENSIONS[form]}")
    document = read(source, arguments.pages, links=form == "markdown")
    if output.exists() and output.samefile(source):
        raise BadInput(f"{output}: is the input itself. Name another file with -o.")
    output.write_text(write(document, source, form), encoding="utf-8")
    texts = [page.text() for page in document.pages]
    return {
        "input": source.name,
        "kind": document.kind,
        "title": document.title,
        "pages": len(document.pages) if document.kind == "pdf" else None,
        "pages_without_text": [p.number for p in document.pages if p.number and not p.blocks],
        "characters": sum(map(len, texts)),
        "words": sum(len(text.split()) for text in texts),
        "notes": document.notes,
        "output": str(output),
    }


def form_of(output: Path | None) -> str:
    forms = {extension: form for form, extension in EXTENSIONS.items()}
    return forms.get(output.suffix.lower(), "text") if output else "text"


def parse_pages(text: str) -> list[range]:
    """``1-3,7`` -> the pages 1 to 3, and 7."""
    parts = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise argparse.ArgumentTypeError(f"{text!r}: write pages like 1-3,7")
        parts.append(range(int(match[1]), int(match[2] or match[1]) + 1))
    return parts


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Take the text out of a PDF, DOCX, HTML or text file, write it to a file, and "
        "print what was found as JSON.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the file; its type is detected from its content")
    add("-o", "--output", type=Path, help="default: text.txt, text.md or text.json")
    add("--format", choices=tuple(EXTENSIONS), help="default: by the name of the output, else text")
    add("--pages", type=parse_pages, default=[], metavar="1-3,7", help="of a PDF (default: all)")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        summary = extract(arguments)
    except ModuleNotFoundError as missing:
        print(f"extract.py: {missing.name} is missing. Run: uv run {sys.argv[0]}", file=sys.stderr)
        return 2
    except (BadInput, OSError) as error:
        print(f"extract.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
