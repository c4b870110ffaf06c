"""``agentos backup`` and ``agentos restore``."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel

from api.cli import terminal
from api.cli.commands.options import Format, Output
from api.cli.commands.printing import print_json, print_line
from api.cli.exit_codes import ExitCode
from api.cli.terminal import safe_line
from deploy import logs
from deploy.backup.manifest import Manifest
from deploy.commands import DataDir

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Done(BaseModel):
    """What was written, or restored."""

    file: Path
    data_dir: Path
    size: int
    """Of the file, in bytes."""
    version: str
    revision: str
    made_at: str
    rows: int
    files: int
    unusable_files: list[str]
    """The first of them."""
    unusable_count: int


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    data_dir: DataDir = Path(".agentos"),
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Write the whole state of `agentos up` into one file, while it runs or when it is stopped.

    FILE holds all keys and secrets, so nobody else may read it: keep it as safe as the stack. Where
    no stack runs, its database and store are started for as long as it takes.
    """
    from deploy.backup.taking import back_up

    logs.configure("WARNING")
    manifest = _run(back_up(data_dir, file, replace=force, tell=_tell))
    done = _done(manifest, file, data_dir)
    if output is Format.JSON:
        print_json(done)
    else:
        print_line(
            f"Wrote {file}. `agentos restore {file} --data-dir NEW` makes a new folder of it."
        )


def restore(
    file: Annotated[Path, typer.Argument(help="What `agentos backup` wrote.", show_default=False)],
    data_dir: Annotated[
        Path, typer.Option(help="The folder to make: new, or empty.", show_default=False)
    ],
    output: Output = Format.TABLE,
) -> None:
    """Make a data folder from a backup; `agentos up` on it goes on with everything.

    FILE is checked whole before anything is written. Restore only what you trust: its tasks go on.
    """
    from deploy.backup.restoring import restore as restore_folder

    logs.configure("WARNING")
    manifest = _run(restore_folder(file, data_dir, tell=_tell))
    if output is Format.JSON:
        print_json(_done(manifest, file, data_dir))
    else:
        print_line(f"Restored. `agentos up --data-dir {data_dir}` goes on with it.")


def _done(manifest: Manifest, file: Path, data_dir: Path) -> Done:
    return Done(
        file=file.absolute(),
        data_dir=data_dir.absolute(),
        size=file.stat().st_size,
        version=manifest.version,
        revision=manifest.revision,
        made_at=manifest.made_at.isoformat(),
        rows=sum(table.rows for table in manifest.tables.values()),
        files=manifest.blobs.count,
        unusable_files=manifest.blobs.unusable,
        unusable_count=manifest.blobs.unusable_count,
    )


def _tell(line: str) -> None:
    terminal.stderr().print(safe_line(line), soft_wrap=True)


def _run(work: Coroutine[Any, Any, Manifest]) -> Manifest:
    """Cancelled by a signal: then nothing of it is left."""
    manifest = asyncio.run(_stoppable(work))
    if manifest is None:
        _tell("Stopped. Nothing was written.")
        raise typer.Exit(ExitCode.INTERRUPTED)
    return manifest


async def _stoppable(work: Coroutine[Any, Any, Manifest]) -> Manifest | None:
    working = asyncio.create_task(work)
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    await asyncio.wait([working])
    return None if working.cancelled() else working.result()
