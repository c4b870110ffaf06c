"""Tries whether jobs can run here, without a folder to work in: nothing is written anywhere."""

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path

from activities.sandbox.base import Job, Limits
from activities.sandbox.cgroups import Cgroup, Cgroups, open_cgroups
from activities.sandbox.host import Host, host_for_trial
from activities.sandbox.kernel_memory import OPEN_FILES
from activities.sandbox.launch import Launched, launch
from activities.sandbox.processes import Process
from activities.sandbox.profile import bounded, bounds, trial_arguments
from activities.sandbox.seccomp import program
from activities.sandbox.slots import TRIAL_UID
from activities.sandbox.starting import group
from activities.sandbox.unavailable import explain, not_given, not_started
from activities.sandbox.uninterrupted import uninterrupted
from activities.sandbox.warden import Warden

_READY = b"ready\n"


async def try_sandbox(
    python: Path | None,
    warden: Warden,
    cgroups: Callable[[], Cgroups | None] = open_cgroups,
) -> str:
    """Run one command as the command of a job is run. Tells how the limit on memory is enforced.

    Raises:
        SandboxUnavailable: it cannot be run; says how to fix it.
        SandboxKilled, TemporaryFailure: it was not run this time.
    """
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(contextlib.closing(host_for_trial(python)))
        opened = cgroups()
        if opened is not None:
            stack.enter_context(contextlib.closing(opened))
        # Held to its end: as long as it runs, the group is not empty.
        cgroup = stack.enter_context(group(opened, Limits()))
        said, status = await _said(_launch(host, warden, cgroup))
        if said != _READY:
            raise explain(said.decode(errors="replace"), status)
        return told_enforcement(opened)


def told_enforcement(cgroups: Cgroups | None) -> str:
    """How the limit on memory is enforced, for people."""
    if cgroups is not None:
        return f"memory: cgroup v{cgroups.version}, which counts all that a script holds"
    return (
        "memory: watched, ten times a second; of the kernel's, sockets and pipes (at most "
        f"{OPEN_FILES} open files a process) and page tables are counted. No cgroup can be had"
    )


def _launch(host: Host, warden: Warden, cgroup: Cgroup | None) -> Launched:
    job = Job(("/bin/sh", "-c", "echo ready"), output=Path(os.devnull))
    own_user = os.geteuid() == 0
    try:
        warden.watch()
        return launch(
            host.bwrap,
            [*host.system(None), *trial_arguments()],
            bounded(job.command, bounds(job, own_user=own_user, is_watched=cgroup is None)),
            mark=warden.mark,
            files=host.files(None),
            seccomp=program(is_watched=cgroup is None),
            uid=TRIAL_UID if own_user else None,
            view=host.view,
            cgroup=None if cgroup is None else cgroup.joining,
        )
    except OSError as error:
        if own_user and error.errno in {errno.EINVAL, errno.EPERM}:
            raise not_given(error) from error
        raise not_started(host.bwrap, error) from error


async def _said(launched: Launched) -> tuple[bytes, int]:
    """All that it prints, its complaints last, and how it ended."""
    process = Process(launched)
    try:
        printed = await asyncio.gather(
            *(_read(process, descriptor) for descriptor in (process.stdout, process.stderr))
        )
        await process.wait()
    finally:
        await uninterrupted(process.end())
    return b"".join(printed), process.status


async def _read(process: Process, descriptor: int) -> bytes:
    printed = b""
    while piece := await process.read(descriptor):
        printed += piece
    return printed
