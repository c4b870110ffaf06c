"""Starts a sandbox on this machine, in a control group if there are some, or says why it cannot."""

import contextlib
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from resource import RLIMIT_NOFILE

from activities.sandbox.base import Limits
from activities.sandbox.cgroups import Cgroup, Cgroups
from activities.sandbox.host import Host
from activities.sandbox.launch import Launched, launch
from activities.sandbox.profile import Bounds, bounded
from activities.sandbox.seccomp import program
from activities.sandbox.unavailable import not_started
from activities.sandbox.warden import Warden
from workflows.errors import BadInput, TemporaryFailure

# The machine is out of something that other work gives back.
_PASSING_ERRORS = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
# It puts aside a descriptor as number 10, and opens the way to the group.
_FEWEST_OPEN = 32


@contextlib.contextmanager
def group(cgroups: Cgroups | None, limits: Limits) -> Iterator[Cgroup | None]:
    if cgroups is None:
        yield None
        return
    with contextlib.ExitStack() as stack:
        try:
            cgroup = stack.enter_context(cgroups.group(limits))
        except OSError as error:  # It has been taken from us, or the machine is out of something.
            reason = f"no control group can be had ({error.strerror})"
            raise TemporaryFailure(service="The sandbox", reason=reason) from error
        yield cgroup


def start_bwrap(
    host: Host,
    options: Sequence[str],
    command: Sequence[str],
    uid: int | None,
    warden: Warden,
    *,
    etc: Path | None,
    cgroup: Cgroup | None,
    bounds: Bounds | None = None,
    inherited_end: int | None = None,
) -> Launched:
    """Run a command in a sandbox, within ``bounds`` if there are some.

    What joins a group may have them from its start, which saves a program; but not where processes
    are counted for our own user, who has others, nor where the shell that joins it could open too
    few files.
    """
    is_open_enough = bounds is not None and bounds[RLIMIT_NOFILE][0] >= _FEWEST_OPEN
    early = bounds if cgroup is not None and uid is not None and is_open_enough else None
    if bounds is not None and early is None:
        command = bounded(command, bounds)
    try:
        warden.watch()
        return launch(
            host.bwrap,
            [*host.system(etc), *options],
            command,
            mark=warden.mark,
            files=host.files(etc),
            seccomp=program(is_watched=cgroup is None),
            uid=uid,
            view=host.view,
            cgroup=None if cgroup is None else cgroup.joining,
            bounds=early,
            inherited_end=inherited_end,
        )
    except OSError as error:
        if error.errno in _PASSING_ERRORS:
            raise TemporaryFailure(service="The sandbox", reason=str(error)) from error
        if error.errno == errno.E2BIG:
            raise BadInput(reason="The command and its arguments are too long") from error
        raise not_started(host.bwrap, error) from error
