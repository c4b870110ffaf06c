# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "polars>=2.1,<3"]
# ///
"""Clean a CSV file: one header row, one width, one encoding, one way to say "missing".

The file is streamed, twice if need be, so its size does not matter; ``--dedupe`` alone needs
memory, about 120 bytes for each distinct row. Where polars is installed, it reads large files.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clean_notes import table_notes  # noqa: E402
from clean_options import Options  # noqa: E402
from clean_pass import Pass  # noqa: E402
from clean_plan import Plan  # noqa: E402
from column_reading import add_reading_arguments  # noqa: E402
from csv_file import MISSING, BadInput, CsvFile, add_csv_arguments, open_csv  # noqa: E402
from csv_writer import write_csv  # noqa: E402


def clean(source: CsvFile, output: Path, options: Options) -> dict[str, object]:
    """Write the cleaned table to ``output`` and return what was changed."""
    if output.exists() and output.samefile(source.path):
        raise BadInput(f"{output}: is the input itself. Name another file with -o.")
    table = Pass(source, options)
    if options.rewrites:
        table.survey()
        plan = Plan.of(table.header, table.seen, options)
        table = Pass(source, options, table)
    else:
        # Most files need no second reading: no column is dropped, no row is longer than the header.
        plan = Plan.of(table.read_header(), [], options)
    rows_out = write_csv(output, plan.kept_names, table.written_rows(plan))
    needed = Plan.of(table.header, table.seen, options)
    if (needed.names, needed.kept) != (plan.names, plan.kept):
        output.unlink()  # nobody may take it for the result if the next reading fails
        plan, table = needed, Pass(source, options, table)
        rows_out = write_csv(output, plan.kept_names, table.written_rows(plan))
    return {
        "input": source.path.name,
        "output": str(output),
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "columns": plan.kept_names,
        "renamed_columns": plan.renamed,
        "dropped_empty_columns": plan.dropped_names,
        "rows_out": rows_out,
        **asdict(table.counts),
        "notes": [*source.notes, *needed.notes, *table_notes(table, needed.names)],
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Clean a CSV file and print what was changed as one JSON object.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file to clean")
    add("-o", "--output", type=Path, default=Path("clean.csv"), help="default: clean.csv")
    add("--drop-empty", action="store_true", help="drop rows and columns without any value")
    add("--dedupe", action="store_true", help="drop rows equal to an earlier row")
    add("--normalise-headers", action="store_true", help="column names as snake_case")
    add("--strip", action=argparse.BooleanOptionalAction, default=True, help="trim every cell")
    add("--na", default=",".join(MISSING), help="cells that mean missing (default: %(default)s)")
    add("--missing-as", default="", help="what to write for missing cells (default: nothing)")
    add(
        "--ragged",
        choices=("keep", "drop", "fail"),
        default="keep",
        help="rows of another width than the header: keep (fill short ones, add columns for long "
        "ones), drop, or fail (default: keep)",
    )
    add("--skip-lines", type=int, default=0, metavar="N", help="lines above the header to ignore")
    add_reading_arguments(parser, "keep")
    add_csv_arguments(parser)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    options = Options(
        strip=arguments.strip,
        missing=frozenset({*arguments.na.split(","), arguments.missing_as}),
        missing_as=arguments.missing_as,
        drop_empty=arguments.drop_empty,
        dedupe=arguments.dedupe,
        normalise_headers=arguments.normalise_headers,
        ragged=arguments.ragged,
        skip_lines=arguments.skip_lines,
        decimal=arguments.decimal,
        dates=arguments.dates,
    )
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        summary = clean(source, arguments.output, options)
    except (BadInput, OSError) as error:
        print(f"clean.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
