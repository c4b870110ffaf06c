"""Start bwrap: what it inherits, and the user that it runs as."""

import contextlib
import os
import resource
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from activities.sandbox.profile import Bounds, encode
from activities.sandbox.view_opening import View

NSENTER = Path("/usr/bin/nsenter")
_SHELL = "/bin/sh"
# Runs the words behind it with no variable at all.
_NO_VARIABLES = ("/usr/bin/env", "-i")


@dataclass(frozen=True, slots=True)
class Launched:
    """A started bwrap and the read ends of its three pipes; the owner closes them."""

    process: "subprocess.Popen[bytes]"
    stdout: int
    stderr: int
    status: int


def launch(
    bwrap: Path,
    options: Sequence[str],
    command: Sequence[str],
    *,
    mark: str,
    files: Mapping[str, bytes],
    seccomp: bytes,
    uid: int | None,
    view: View | None = None,
    cgroup: Path | None = None,
    bounds: Bounds | None = None,
    inherited_end: int | None = None,
) -> Launched:
    """Run ``command`` in bwrap, as user ``uid`` unless that is None, in ``view`` if there is one,
    and with ``inherited_end`` open if there is one. ``cgroup`` is what a process writes to in order
    to join a control group; one that joins can be given ``bounds`` before it does anything.

    ``mark`` is an argument without effect, by which this bwrap can be found. ``files`` are written
    into the sandbox before ``options`` are worked through. To be called in the thread that lives
    longest: the kernel kills bwrap when the thread that started it ends.

    Raises:
        BadInput: an option holds a NUL.
        OSError: a program is missing, or the machine is out of processes or descriptors.
    """
    assert bounds is None or cgroup is not None
    with contextlib.ExitStack() as ends, contextlib.ExitStack() as kept:
        stdin, word = (subprocess.DEVNULL, None) if bounds is None else _held_back(ends)
        stdout, stdout_end = _pipe(kept, ends)
        stderr, stderr_end = _pipe(kept, ends)
        status, status_end = _pipe(kept, ends)
        inherited = {path: _readable(data, ends) for path, data in files.items()}
        filter_end = _readable(seccomp, ends)
        given = ["--json-status-fd", str(status_end), "--seccomp", str(filter_end)]
        arguments = _readable(encode([*given, *_written(inherited), *options]), ends)
        more = () if inherited_end is None else (inherited_end,)
        if uid is not None:
            _hand_over(uid, stdout_end, stderr_end)
        process = subprocess.Popen(
            [
                *_within(cgroup, is_held_back=word is not None),
                *_as_user(uid, view, bwrap.parent),
                *(f"./{bwrap.name}", "--unsetenv", mark),
                *("--args", str(arguments), "--", *command),
            ],
            stdin=stdin,
            stdout=stdout_end,
            stderr=stderr_end,
            pass_fds=(status_end, filter_end, arguments, *inherited.values(), *more),
            # Process 1 of the sandbox is bwrap itself: a job can read its environment, so it has
            # none, and its arguments, so they hold no path of the host, not even its own.
            env={},
            cwd=bwrap.parent,
            umask=0o022,
            start_new_session=True,
        )
        if bounds is not None and word is not None:
            _bound(process, bounds, word)
        kept.pop_all()
    return Launched(process, stdout, stderr, status)


def _written(files: Mapping[str, int]) -> list[str]:
    """The options that write what descriptors hold into the sandbox."""
    arguments: list[str] = []
    for path, descriptor in files.items():
        arguments += ["--perms", "0644", "--file", str(descriptor), path]
    return arguments


def _hand_over(uid: int, *pipes: int) -> None:
    """Opening /dev/stdout opens the pipe anew, which only its owner may do."""
    for pipe in pipes:
        os.fchown(pipe, uid, uid)


def _held_back(ends: contextlib.ExitStack) -> tuple[int, int]:
    """What a program reads that is to wait, and where the word is given that lets it go on."""
    waiting, word = os.pipe()
    ends.callback(os.close, waiting)
    ends.callback(os.close, word)
    return waiting, word


def _bound(process: "subprocess.Popen[bytes]", bounds: Bounds, word: int) -> None:
    """Bound a program that is held back, and let it go on. It is still of our own user, so that it
    takes no privilege; it hands its bounds down, which nothing inside may raise."""
    try:
        for bound, both in bounds.items():
            resource.prlimit(process.pid, bound, both)
    except BaseException:  # Nothing runs without them.
        process.kill()
        process.wait()
        raise
    with contextlib.suppress(BrokenPipeError):  # It was killed: its end is told as any other.
        os.write(word, b"\n")


def _within(cgroup: Path | None, *, is_held_back: bool) -> list[str]:
    """Join a group before anything else: what comes later belongs to it from its start. One that is
    held back ends if nobody gives the word."""
    if cgroup is None:
        return []
    held, let_go = ("read -r word && ", " <>/dev/null") if is_held_back else ("", "")
    # The shell would hand down variables of its own, with paths of the host.
    words = "" if _hands_down_nothing() else f"{shlex.join(_NO_VARIABLES)} "
    join = f'{held}echo 0 >"$1" && shift && unset PWD && exec {words}"$@"{let_go}'
    return [_SHELL, "-c", join, "sh", str(cgroup)]


@cache
def _hands_down_nothing() -> bool:
    """Whether the shell of this machine can be told to hand down no variable, as that of Debian
    can: to start ``env`` for it takes each sandbox almost a millisecond."""
    told = subprocess.run(
        [_SHELL, "-c", f"unset PWD && exec {_NO_VARIABLES[0]}"],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return told.returncode == 0 and not told.stdout


def _as_user(uid: int | None, view: View | None, folder: Path) -> list[str]:
    """Become another user by a program of its own, in ``folder``, without any further group.

    ``Popen(user=...)`` would do, but makes Python fork instead of vfork: 6 ms more for a worker of
    300 MB. ``setpriv`` starts more slowly.
    """
    if uid is None:
        return []
    # They are opened where this process holds them: what it hands down, the job would have, too.
    held = f"/proc/{os.getpid()}/fd"
    namespaces = {} if view is None else view.namespaces
    entered = [f"--{kind}={held}/{number}" for kind, number in namespaces.items()]
    # Only who has entered another namespace has left the folder.
    returned = [f"--wd={folder}"] if entered else []
    return [str(NSENTER), *entered, *returned, f"--setuid={uid}", f"--setgid={uid}", "--"]


def _pipe(kept: contextlib.ExitStack, ends: contextlib.ExitStack) -> tuple[int, int]:
    read, write = os.pipe()
    kept.callback(os.close, read)
    ends.callback(os.close, write)
    os.set_blocking(read, False)
    return read, write


def _readable(data: bytes, ends: contextlib.ExitStack) -> int:
    descriptor = os.memfd_create("sandbox")
    ends.callback(os.close, descriptor)
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
