"""What a job needs, into an E2B sandbox: streamed, and following no link here."""

import asyncio
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import structlog
from e2b import AsyncSandbox

from activities.sandbox.base import INPUT_FOLDER, OUTPUT_FOLDER, SKILLS_FOLDER, Job
from activities.sandbox.e2b_command import ROOT, run_as_root
from activities.sandbox.e2b_output import Listing, in_parallel, list_output
from workflows.errors import BadInput

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Upload:
    source: Path
    target: str
    user: str | None


async def upload(sandbox: AsyncSandbox, job: Job) -> Listing:
    """Put a job's inputs, skills and earlier output in their places; what output then holds.

    Inputs and skills belong to root, so that the job cannot change them; the output folder belongs
    to the template's ordinary user.

    Raises:
        BadInput: a file's name is not UTF-8.
    """
    await sandbox.files.make_dir(INPUT_FOLDER, user=ROOT)
    await sandbox.files.make_dir(SKILLS_FOLDER, user=ROOT)
    await sandbox.files.make_dir(OUTPUT_FOLDER)
    uploads = await asyncio.to_thread(lambda: list(_uploads(job)))

    async def send(item: _Upload) -> None:
        with open_regular(item.source) as file:
            await sandbox.files.write(item.target, file, user=item.user)

    await in_parallel(send, uploads)
    if job.skills:
        # Uploads lose the permission to execute, and a skill may run its scripts by name.
        await run_as_root(sandbox, f"chmod -R a+rx {SKILLS_FOLDER}")
    if any(item.user is None for item in uploads):
        return await list_output(sandbox, job.limits)
    return {}


def _uploads(job: Job) -> Iterator[_Upload]:
    for name, source in job.inputs.items():
        yield _Upload(source, f"{INPUT_FOLDER}/{name}", ROOT)
    for name, folder in job.skills.items():
        for path in _regular_files(folder):
            yield _Upload(folder / path, f"{SKILLS_FOLDER}/{name}/{path}", ROOT)
    for path in _regular_files(job.output):
        yield _Upload(job.output / path, f"{OUTPUT_FOLDER}/{path}", None)


def _regular_files(folder: Path) -> Iterator[PurePosixPath]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                log.warning("sandbox.upload_skipped", sandbox="e2b", name=ascii(name))
                continue
            relative = PurePosixPath(path.relative_to(folder))
            try:
                str(relative).encode()
            except UnicodeEncodeError as error:
                reason = f"The name of the file {str(relative)!a} is not UTF-8. Rename it"
                raise BadInput(reason=reason) from error
            yield relative


def open_regular(path: Path) -> IO[bytes]:
    # An earlier job may have left links in the output folder, and a link may lead anywhere.
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
