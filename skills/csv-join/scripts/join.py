# /// script
# requires-python = ">=3.11"
# dependencies = ["charset-normalizer>=3.4,<4"]
# ///
"""Join CSV files on equal keys, like SQL: the first is streamed, the others are held in memory.

Keys are compared as text, without the spaces around them, and with accented letters written in one
way (NFC). As in SQL, a missing key matches nothing.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True  # a skill's folder is content: running it must not change it
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from csv_file import (  # noqa: E402
    SPACES,
    BadInput,
    CsvFile,
    add_csv_arguments,
    composed,
    open_csv,
    unique_names,
)
from csv_writer import write_csv  # noqa: E402

HOWS = ("inner", "left", "right", "outer")
EXAMPLES = 5
# Keys that repeat on both sides multiply: two files of 10,000 rows can make 100 million.
MAX_ROWS = 10_000_000

Row = list[str]
Key = tuple[str, ...]


@dataclass(frozen=True)
class On:
    """The key columns: their names on the left side, and on the right side."""

    left: Row
    right: Row


@dataclass(frozen=True)
class Table:
    names: Row
    rows: Iterator[Row]


@dataclass
class Report:
    """How the rows of one right file met those on its left."""

    file: str
    on: list[str]
    right_rows: int = 0
    left_rows_matched: int = 0
    left_rows_unmatched: int = 0
    right_rows_unmatched: int = 0
    left_rows_without_key: int = 0
    right_rows_without_key: int = 0
    many_to_many_keys: int = 0
    many_to_many_examples: list[Key] = field(default_factory=list)
    left_unmatched_examples: list[Key] = field(default_factory=list)
    right_unmatched_examples: list[Key] = field(default_factory=list)
    renamed_columns: dict[str, str] = field(default_factory=dict)


class Join:
    """One step of the join: a streamed table on the left, one file in memory on the right."""

    def __init__(self, source: CsvFile, on: On, how: str, suffix: str, *, fold_case: bool) -> None:
        right = read_table(source)
        self.on = on
        self.how = how
        self.suffix = suffix
        self.fold_case = fold_case
        self.report = Report(
            source.path.name, [f"{a}={b}" for a, b in zip(on.left, on.right, strict=True)]
        )
        self.right_keys = find_columns(right.names, on.right, source.path.name)
        self.extra_columns = [i for i in range(len(right.names)) if i not in self.right_keys]
        self.extra_names = [right.names[i] for i in self.extra_columns]
        self.index: dict[Key, list[Row]] = {}
        self.without_key: list[Row] = []
        for row in right.rows:
            self.report.right_rows += 1
            key = self._key(row, self.right_keys)
            self.index.setdefault(key, []).append(row) if key else self.without_key.append(row)
        self.report.right_rows_without_key = len(self.without_key)

    def run(self, left: Table) -> Table:
        """Return the joined table; the counts of the report are whole when its rows are read."""
        left_keys = find_columns(left.names, self.on.left, "the left side")
        wanted = [
            f"{name}{self.suffix}" if name in left.names else name for name in self.extra_names
        ]
        names = unique_names(left.names + wanted)
        renamed = zip(self.extra_names, names[len(left.names) :], strict=True)
        self.report.renamed_columns = {a: b for a, b in renamed if a != b}
        return Table(names, self._rows(left, left_keys))

    def _rows(self, left: Table, left_keys: list[int]) -> Iterator[Row]:
        hits: Counter[Key] = Counter()
        nothing = [""] * len(self.extra_columns)
        for row in left.rows:
            key = self._key(row, left_keys)
            matches = self.index.get(key, []) if key else []
            self._count_left(key, row, left_keys, matched=bool(matches))
            if key and matches:
                hits[key] += 1
            for match in matches:
                yield row + [match[i] for i in self.extra_columns]
            if not matches and self.how in ("left", "outer"):
                yield row + nothing
        self._count_right(hits)
        if self.how in ("right", "outer"):
            alone = [row for key, rows in self.index.items() if key not in hits for row in rows]
            for row in alone + self.without_key:
                blank = [""] * len(left.names)
                for place, column in zip(left_keys, self.right_keys, strict=True):
                    blank[place] = row[column]
                yield blank + [row[i] for i in self.extra_columns]

    def _key(self, row: Row, columns: list[int]) -> Key | None:
        key = tuple(composed(row[column].strip(SPACES)) for column in columns)
        if not all(key):
            return None
        return tuple(composed(part.casefold()) for part in key) if self.fold_case else key

    def _count_left(self, key: Key | None, row: Row, columns: list[int], *, matched: bool) -> None:
        self.report.left_rows_matched += matched
        self.report.left_rows_unmatched += not matched
        self.report.left_rows_without_key += key is None
        examples = self.report.left_unmatched_examples
        shown = tuple(row[column] for column in columns)
        if not matched and len(examples) < EXAMPLES and shown not in examples:
            examples.append(shown)

    def _count_right(self, hits: Counter[Key]) -> None:
        unmatched = [key for key in self.index if key not in hits]
        repeated = [key for key, times in hits.items() if times > 1 and len(self.index[key]) > 1]
        self.report.right_rows_unmatched = len(self.without_key) + sum(
            len(self.index[key]) for key in unmatched
        )
        self.report.right_unmatched_examples = unmatched[:EXAMPLES]
        self.report.many_to_many_keys = len(repeated)
        self.report.many_to_many_examples = repeated[:EXAMPLES]


def read_table(source: CsvFile) -> Table:
    """Short rows are filled; a long row is refused, for it may be shifted."""
    names, rows = source.table()

    def even() -> Iterator[Row]:
        for number, row in enumerate(rows, start=1):
            if any(row[len(names) :]):
                raise BadInput(
                    f"{source.path.name}, row {number} under the header: has {len(row)} cells, "
                    f"the header has {len(names)}. Fix it, or clean the file first."
                )
            yield row[: len(names)] + [""] * (len(names) - len(row))

    return Table(names, even())


def find_columns(names: Row, wanted: Row, where: str) -> list[int]:
    for name in wanted:
        if name not in names:
            raise BadInput(
                f"{where}: has no column {name!r}. Its columns: {', '.join(names)}. "
                "Name the key with --on; when it differs, --on left_name=right_name."
            )
    return [names.index(name) for name in wanted]


def parse_on(text: str) -> On:
    """``a,b=c`` -> column a of both sides, and column b of the left with c of the right."""
    pairs = [part.partition("=") for part in text.split(",")]
    on = On(
        [composed(left.strip(SPACES)) for left, _, _ in pairs],
        [composed((right or left).strip(SPACES)) for left, _, right in pairs],
    )
    if not all(on.left + on.right):
        raise argparse.ArgumentTypeError(f"{text!r}: write key, key1,key2 or left_key=right_key")
    return on


def up_to(max_rows: int, rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > max_rows:
            raise BadInput(
                f"the join makes more than {max_rows} rows: the keys repeat on both sides. "
                "Add a column to --on, remove duplicates first, or raise --max-rows."
            )
        yield row


def join(arguments: argparse.Namespace) -> dict[str, object]:
    """Join all files into the output, left to right, and return how they met."""
    left, *rights = [
        open_csv(path, arguments.encoding, arguments.delimiter) for path in arguments.files
    ]
    keys = arguments.on * len(rights) if len(arguments.on) == 1 else arguments.on
    if len(keys) != len(rights):
        raise BadInput(
            f"--on is given {len(keys)} times for {len(rights)} files on the right. "
            "Give it once for all of them, or once for each."
        )
    if any(arguments.output.exists() and arguments.output.samefile(p) for p in arguments.files):
        raise BadInput(f"{arguments.output}: is one of the inputs. Name another file with -o.")
    table = read_table(left)
    joins = []
    for source, on in zip(rights, keys, strict=True):
        suffix = f"_{source.path.stem}" if arguments.suffix is None else arguments.suffix
        step = Join(source, on, arguments.how, suffix, fold_case=arguments.ignore_case)
        table = step.run(table)
        joins.append(step.report)
    rows = write_csv(arguments.output, table.names, up_to(arguments.max_rows, table.rows))
    return {
        "output": str(arguments.output),
        "how": arguments.how,
        "rows": rows,
        "columns": table.names,
        "joins": [asdict(report) for report in joins],
        "notes": [f"{file.path.name}: {note}" for file in (left, *rights) for note in file.notes],
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Join two or more CSV files, left to right, and print how they met as JSON.",
        epilog="Exit codes: 0 done, 2 usage or bad input.",
    )
    add = parser.add_argument
    add("files", type=Path, nargs="+", metavar="FILE", help="the left file, then the right ones")
    add(
        "--on",
        type=parse_on,
        action="append",
        required=True,
        metavar="KEYS",
        help="key, key1,key2 or left_key=right_key; once for all, or once for each right file",
    )
    add("--how", choices=HOWS, default="inner", help="default: inner")
    add("-o", "--output", type=Path, default=Path("joined.csv"), help="default: joined.csv")
    add("--suffix", help="for a right column whose name is taken (default: _ and the file's name)")
    add("--ignore-case", action="store_true", help="take Ab and aB for the same key")
    add("--max-rows", type=int, default=MAX_ROWS, metavar="N", help="default: %(default)s")
    add_csv_arguments(parser)
    arguments = parser.parse_args()
    if len(arguments.files) < 2:
        parser.error("give the left file and at least one other")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    try:
        summary = join(arguments)
    except (BadInput, OSError) as error:
        print(f"join.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
