"""Large files, which polars reads: the same results as row by row, in less time and memory."""

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.skills.conftest import MakeEnvironment
from tests.unit.skills.runs import SCRIPTS, SKILLS

MISSING = {"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null"}
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b"
# Runs a script on many files in one process, with parts so small that a few rows have several.
DRIVER = """
import contextlib, io, json, runpy, sys
sys.dont_write_bytecode = True
skill, script, parts, *files = sys.argv[1:]
sys.path.insert(0, f"{skill}/lib")
import csv_parts
csv_parts.FAST_BYTES, csv_parts.PART_BYTES, csv_parts.DOUBTFUL_BYTES = json.loads(parts)
for file in files:
    out, err = io.StringIO(), io.StringIO()
    sys.argv = [script, *json.loads(file)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(f"{skill}/scripts/{script}", run_name="__main__")
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""
# A failure names its file; to shrink forty would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
TINY_PARTS, NO_PARTS = [0, 80, 10], [1 << 40, 1, 1]


@pytest.fixture(scope="session")
def csv_python(make_environment: MakeEnvironment) -> Path:
    return make_environment("csv-clean")


def run_many(
    python: Path, skill: str, parts: list[int], calls: Sequence[Sequence[str]], folder: Path
) -> list[Any]:
    command = [str(python), "-c", DRIVER, str(SKILLS / skill), SCRIPTS[skill], json.dumps(parts)]
    done = subprocess.run(
        [*command, *map(json.dumps, calls)], cwd=folder, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


cells = st.one_of(
    st.sampled_from(["", "1", "2.5", "007", "NA", "x", "a,b", "say \"hi\"", "two\nlines", "é",
                     "1,5", "31.01.2024", "2024-02-30", " padded ", "\u00a0y\u200b", "\ufeff",
                     "yes", "1234567890123456789", "1e3", "2024-01-31", "2024-01-31 12:00", "'",
                     "5\" disk"]),
    st.sampled_from(["1.234,50 €", "-5,0 €", "€ 7", "(1,5)", "5,0-", "1 234", "12 ‰", "3 %",
                     "+49 301 234 567", "31.01.24", "31.01.2024 9:05", "1/31/2024 2:05 PM",
                     "01.02.2024", "30.02.2024", "31.01.2024 10:05 +01:00", "31 Jan 2024", "=A1",
                     "2024-01-31T10:05:00Z", "2024-01-31 10:05+01:00", "item 1234", "-", "1e400"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
)  # fmt: skip
odd_lines = st.sampled_from(
    ["", "1", "1,2,3,4,5,6", 'a"b,c,d', '"a"b,c,d', '"open,1,2', "\r", ",,", '""', "\ufeffa,b,c",
     '"a\r\nb",c,d', 'x","y', '"x""",z,"""', " ,,"]
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of three columns with mostly sound rows."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerow(["a", "b", "c"])
    # Of a few values each, for a column of one kind is read in another way than one of many.
    columns = [draw(st.lists(cells, min_size=1, max_size=4)) for _ in range(3)]
    for _ in range(draw(st.integers(0, 12))):
        if draw(st.integers(0, 7)):
            writer.writerow([draw(st.sampled_from(column)) for column in columns])
        else:
            text.write(draw(odd_lines) + end)
    content = text.getvalue()
    return (content.removesuffix(end) if draw(st.booleans()) else content).encode()


def expected_rows(content: bytes) -> list[list[str]] | None:
    """What csv-clean makes of it, thought anew; None if the file is broken."""
    try:
        rows = [r for r in csv.reader(io.StringIO(content.decode(), newline=""), strict=True) if r]
    except csv.Error:
        return None
    table = []
    for row in rows[1:]:
        tidy = [cell.strip(SPACES).replace("\r\n", "\n").replace("\r", "\n") for cell in row]
        tidy = ["" if cell in MISSING else cell for cell in tidy]
        while len(tidy) > len(rows[0]) and not tidy[-1]:
            tidy.pop()
        table.append(tidy)
    width = max(map(len, [rows[0], *table]))
    return [row + [""] * (width - len(row)) for row in table]


@settings(max_examples=3, deadline=None, phases=PHASES)
@given(contents=st.lists(files(), min_size=40, max_size=40), more=st.sampled_from([
    (), ("--dedupe", "--drop-empty"), ("--no-strip",), ("--decimal", "auto", "--dates", "auto"),
    ("--missing-as", "a,b"), ("--ragged", "drop"),
]))  # fmt: skip
def test_clean_makes_the_same_of_a_file_in_parts_as_row_by_row(
    tmp_path_factory: pytest.TempPathFactory,
    csv_python: Path,
    contents: list[bytes],
    more: tuple[str, ...],
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    for number, content in enumerate(contents):
        (folder / f"{number}.csv").write_bytes(content)
    numbers = range(len(contents))
    options = ("--delimiter", ",", "--encoding", "utf-8", *more)
    runs = {}
    for parts, name in ((TINY_PARTS, "fast"), (NO_PARTS, "slow")):
        (folder / name).mkdir()
        calls = [(f"../{n}.csv", "-o", f"{n}.out", *options) for n in numbers]
        runs[name] = run_many(csv_python, "csv-clean", parts, calls, folder / name)
    for number in numbers:
        fast, slow = runs["fast"][number], runs["slow"][number]
        assert fast[0::2] == slow[0::2], contents[number]
        assert fast[1].splitlines() == slow[1].splitlines(), contents[number]
        made = [folder / name / f"{number}.out" for name in runs]
        assert [path.exists() for path in made] == [fast[0] == 0] * 2
        if fast[0] == 0:
            assert made[0].read_bytes() == made[1].read_bytes(), contents[number]
            if not more:
                rows = list(csv.reader(io.StringIO(made[0].read_text(), newline=""), strict=True))
                assert rows[1:] == expected_rows(contents[number])
        else:
            assert expected_rows(contents[number]) is None


@settings(max_examples=2, deadline=None, phases=PHASES)
@given(contents=st.lists(files(), min_size=40, max_size=40))
def test_the_profile_of_a_file_in_parts_is_that_of_its_rows(
    tmp_path_factory: pytest.TempPathFactory, csv_python: Path, contents: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    for number, content in enumerate(contents):
        (folder / f"{number}.csv").write_bytes(content)
    numbers = range(len(contents))
    runs = {}
    for parts, name in ((TINY_PARTS, "fast"), (NO_PARTS, "slow")):
        (folder / name).mkdir()
        calls = [
            (f"../{n}.csv", "-o", f"{n}", "--delimiter", ",", "--encoding", "utf-8")
            for n in numbers
        ]
        runs[name] = run_many(csv_python, "csv-profile", parts, calls, folder / name)
    for number in numbers:
        assert runs["fast"][number] == runs["slow"][number], contents[number]
        if runs["fast"][number][0] == 0:
            fast, slow = (
                json.loads((folder / name / f"{number}.json").read_text()) for name in runs
            )
            assert rounded(fast) == rounded(slow), contents[number]


def rounded(value: Any) -> Any:
    """Sums of floats differ in their last digits by the order of the numbers."""
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in sorted(value.items())}
    return [rounded(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Cost:
    processor_seconds: float
    peak_kib: int


def cost(python: Path, skill: str, source: Path, output: str) -> Cost:
    command = [str(python), "-B", str(SKILLS / skill / "scripts" / SCRIPTS[skill])]
    with subprocess.Popen(
        [*command, str(source), "-o", output], cwd=source.parent, stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss)


def write_rows(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("id,name,city,price,day,moment,amount,flag\n")
        for n in range(count):
            m, day = n % 500, f"2024-01-{n % 28 + 1:02d}"
            file.write(
                f'{n},"Smith, {m}",city{m},{m}.25,{day},{day} 10:{m % 60:02d}:00,{n}.5,yes\n'
            )


@pytest.mark.parametrize(("skill", "output"), [("csv-clean", "out.csv"), ("csv-profile", "out")])
def test_a_large_file_takes_a_fraction_of_the_work_and_memory_that_does_not_grow_with_it(
    tmp_path: Path, csv_python: Path, skill: str, output: str
) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    write_rows(small, 70_000)
    write_rows(large, 210_000)
    fast, faster = (cost(csv_python, skill, path, output) for path in (small, large))
    slow = cost(Path(sys.executable), skill, small, output)  # it has no polars
    assert fast.processor_seconds < slow.processor_seconds / 1.2
    assert faster.peak_kib < fast.peak_kib * 1.6


def test_a_few_odd_rows_do_not_make_a_large_file_be_read_row_by_row(
    tmp_path: Path, csv_python: Path
) -> None:
    odd = tmp_path / "odd.csv"
    write_rows(odd, 80_000)
    lines = odd.read_text().splitlines()
    lines[20_000:20_000] = ["short,row"]
    lines[60_000:60_000] = ["", 'stray " quote,1,2,3,4,5,6,7']
    odd.write_text("\n".join(lines) + "\n")
    fast = cost(csv_python, "csv-clean", odd, "o.csv")
    slow = cost(Path(sys.executable), "csv-clean", odd, "o.csv")  # row by row: it has no polars
    assert fast.processor_seconds < slow.processor_seconds / 1.5
