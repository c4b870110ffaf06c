"""What `agentos up` holds in memory and takes of the processors while nothing happens.

Pages that other stacks on this machine use as well, as those of libraries, count for a part only.
"""

import asyncio
from collections.abc import Mapping, Sequence

from rich.table import Table

from deploy.local.state import RunningPart, running_parts
from tests.benchmarks.judgement import Verdict
from tests.benchmarks.processes import proportional_mb, tree, tree_processor_seconds
from tests.benchmarks.report import console
from tests.benchmarks.start import new_folder, up

SETTLE_SECONDS = 5.0
WATCH_SECONDS = 10.0
GOAL = "900 MB and 2 % of a processor"


async def stack() -> Verdict:
    """Each part with all processes below it, with none of the benchmarks' own beside. No bound."""
    with new_folder() as folder:
        async with up(folder / "data") as supervisor:
            await asyncio.sleep(SETTLE_SECONDS)
            parts = with_rest(tree(supervisor), trees(running_parts(folder / "data")))
            before = _processor_seconds(parts)
            await asyncio.sleep(WATCH_SECONDS)
            after = _processor_seconds(parts)
            _show(parts, {name: after[name] - before[name] for name in parts})
    return Verdict.KEPT


def trees(parts: Mapping[str, RunningPart]) -> dict[str, list[int]]:
    """The processes of each part. Some parts are another port of the same process."""
    names: dict[int, str] = {}
    for name, part in parts.items():
        names.setdefault(part.pid, name)
    return {name: tree(pid) for pid, name in names.items()}


def with_rest(whole: Sequence[int], parts: Mapping[str, Sequence[int]]) -> dict[str, Sequence[int]]:
    """Beside the parts, ``up`` itself with whatever is in no part. Each begins with the one that
    its others are below, whose number may be the greatest: they begin anew some day."""
    known: set[int] = set().union(*parts.values())
    return {"up": [pid for pid in whole if pid not in known], **parts}


def _processor_seconds(parts: Mapping[str, Sequence[int]]) -> dict[str, float]:
    whole = {name: tree_processor_seconds(pids[0]) for name, pids in parts.items()}
    # What `up` started has an account of its own.
    rest = sum(seconds for name, seconds in whole.items() if name != "up")
    return whole | {"up": whole["up"] - rest}


def _show(parts: Mapping[str, Sequence[int]], worked: Mapping[str, float]) -> None:
    table = Table(title="A stack that does nothing", title_justify="left", title_style="bold")
    for column in ("", "processes", "memory, PSS (MB)", "% of a processor"):
        table.add_column(column, justify="left" if not column else "right")
    held = {name: sum(map(proportional_mb, pids)) for name, pids in parts.items()}
    percent = {name: 100 * seconds / WATCH_SECONDS for name, seconds in worked.items()}
    for name, pids in parts.items():
        table.add_row(name, str(len(pids)), f"{held[name]:.0f}", f"{percent[name]:.1f}")
    count = sum(map(len, parts.values()))
    total = (str(count), f"{sum(held.values()):.0f}", f"{sum(percent.values()):.1f}")
    table.add_row(f"all (goal {GOAL})", *total, style="bold")
    console.print(table)
