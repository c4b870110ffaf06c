# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "polars>=2.1,<3"]
# ///
"""Describe every column of a CSV file: type, missing, distinct, range, spread, commonest values.

The file is streamed, so its size does not matter; twice where numbers or dates are written in a way
that takes all of their column to judge. Where polars is installed, it reads large files.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from column_reading import Wish, add_reading_arguments  # noqa: E402
from column_summary import Profile  # noqa: E402
from csv_file import MISSING, BadInput, CsvFile, add_csv_arguments, open_csv  # noqa: E402
from profile_markdown import as_markdown  # noqa: E402
from profile_notes import notes  # noqa: E402
from profile_table import Table  # noqa: E402


def profile(source: CsvFile, missing: frozenset[str], top: int, wish: Wish) -> Profile:
    """Describe the file."""
    table = Table(source, missing, wish)
    table.read()
    readings = table.readings()
    table.read_again()
    told = [*source.notes, *(reading.note for reading in readings if reading.note)]
    columns = table.columns
    return Profile(
        source.path.name,
        source.encoding,
        source.delimiter,
        rows=table.rows,
        ragged_rows=table.ragged,
        missing_cells=sum(column.missing for column in columns),
        notes=told + notes(columns, table.rows, table.ragged),
        columns=[column.describe(top) for column in columns],
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Describe every column of a CSV file. Writes PREFIX.json and PREFIX.md, and "
        "prints a short JSON summary.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file to describe")
    add("-o", "--output", default="profile", metavar="PREFIX", help="default: profile")
    add("--na", default=",".join(MISSING), help="cells that mean missing (default: %(default)s)")
    add("--top", type=int, default=10, metavar="N", help="commonest values to keep (default: 10)")
    add_reading_arguments(parser, "auto")
    add_csv_arguments(parser)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        wish = Wish(arguments.decimal, arguments.dates)
        described = profile(source, frozenset(arguments.na.split(",")), arguments.top, wish)
        files = [f"{arguments.output}.json", f"{arguments.output}.md"]
        whole = json.dumps(asdict(described), indent=2, ensure_ascii=False, allow_nan=False)
        Path(files[0]).write_text(whole + "\n", encoding="utf-8")
        Path(files[1]).write_text(as_markdown(described), encoding="utf-8")
    except (BadInput, OSError) as error:
        print(f"profile.py: {error}", file=sys.stderr)
        return 2
    summary = {
        "rows": described.rows,
        "missing_cells": described.missing_cells,
        "types": {column.name: column.type for column in described.columns},
        "notes": described.notes,
        "files": files,
    }
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
