#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""Count the lines, words and characters of a text."""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

WORD = re.compile(r"[^\W\d_]{2,}")


def main() -> int:
    options = arguments()
    try:
        text = read(options.file)
    except (OSError, UnicodeDecodeError) as error:
        print(f"{options.file or 'stdin'} cannot be read: {error}", file=sys.stderr)
        return 2
    counts = count(text, options.top)
    if options.output is not None:
        options.output.write_text(table(counts), encoding="utf-8")
    print(json.dumps(counts, ensure_ascii=False))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="a text in UTF-8; default: stdin")
    parser.add_argument("-o", "--output", type=Path, help="write a table in Markdown here")
    parser.add_argument("--top", type=int, default=5, help="how many words to list")
    return parser.parse_args()


def read(file: Path | None) -> str:
    content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    return content.decode("utf-8-sig")


def count(text: str, top: int) -> dict[str, object]:
    words = WORD.findall(text.casefold())
    return {
        "lines": len(text.splitlines()),
        "words": len(text.split()),
        "characters": len(text),
        "common": [[word, times] for word, times in Counter(words).most_common(top)],
    }


def table(counts: dict[str, object]) -> str:
    rows = "".join(f"| {name} | {value} |\n" for name, value in counts.items() if name != "common")
    return f"| what | how many |\n|---|---|\n{rows}"


if __name__ == "__main__":
    sys.exit(main())
