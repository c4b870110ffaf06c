# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4", "matplotlib>=3.10,<3.12"]
# ///
"""Draw one chart of a CSV file as PNG and SVG."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from choice import AGGREGATES, KINDS, Choice, choose  # noqa: E402
from column_reading import Wish, add_reading_arguments  # noqa: E402
from csv_file import BadInput, add_csv_arguments, open_csv  # noqa: E402
from series import read_records  # noqa: E402
from table import read_table  # noqa: E402


def bounded(kind: type, low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value: float = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text}: give a number from {low} to {high}")
        return value

    parse.__name__ = kind.__name__  # argparse names the type in its message
    return parse


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Draw one chart of a CSV file as PREFIX.png and PREFIX.svg, and print what was "
        "drawn as JSON. What you do not name is chosen by the look of the data.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("input", type=Path, metavar="INPUT", help="the CSV file")
    add("--kind", choices=KINDS, help="kind of chart")
    add("--x", metavar="COLUMN", help="categories (bar, box), positions (line, scatter), or values")
    add("--y", metavar="COLUMN", help="values")
    add("--group", metavar="COLUMN", help="one colour for each value of this column")
    add("--aggregate", choices=AGGREGATES, help="of bar and line: how to make one value of many")
    add("--title", help="default: made from the column names")
    add("-o", "--output", type=prefix, default=Path("chart"), metavar="PREFIX", help="e.g. chart")
    add("--top", type=bounded(int, 1, 60), default=30, help="bars or boxes at most (default: 30)")
    add("--order", choices=("value", "name", "file"), default="value", help="of bars and boxes")
    add("--bins", type=bounded(int, 1, 500), help="of a histogram")
    add("--width", type=bounded(float, 2, 40), default=8.0, help="inches (default: 8)")
    add("--height", type=bounded(float, 2, 40), help="inches (default: 5, more for many bars)")
    add("--dpi", type=bounded(int, 50, 600), default=160, help="of the PNG (default: 160)")
    add_reading_arguments(parser, "auto")
    add_csv_arguments(parser)
    return parser.parse_args()


def prefix(text: str) -> Path:
    """``chart.png`` is taken for ``chart``."""
    path = Path(text)
    return path.with_suffix("") if path.suffix.lower() in (".png", ".svg") else path


def main() -> int:
    arguments = parse_arguments()
    asked = Choice(arguments.kind, arguments.x, arguments.y, arguments.group, arguments.aggregate)
    try:
        source = open_csv(arguments.input, arguments.encoding, arguments.delimiter)
        table = read_table(source, Wish(arguments.decimal, arguments.dates))
        choice = choose(table, asked)
        records = read_records(table, choice)
        # Last, for it takes a second, and what is refused above needs no matplotlib.
        from chart_kinds import draw  # noqa: PLC0415

        summary = draw(table, records, choice, arguments)
    except ModuleNotFoundError as missing:
        print(f"chart.py: {missing.name} is missing. Run: uv run {sys.argv[0]}", file=sys.stderr)
        return 2
    except (BadInput, OSError) as error:
        print(f"chart.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
