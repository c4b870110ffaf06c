"""What a job's processes use, as the watchdog sees it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from activities.sandbox.memory import held_bytes
from activities.sandbox.tree import (
    Member,
    ProcessTable,
    have_more_open,
    inside,
    mounted_usage,
    open_files,
    read_member,
)

NAMESPACE = (
    *("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("sh", "-c"),
)
# Of the two children, one has ended, and nobody has waited for it.
NAMESPACE_SCRIPT = "sleep 0.2 & echo ready; exec sleep 60"


def test_a_folder_of_the_host_is_never_counted_as_the_jobs() -> None:
    """As in the moment before bwrap has changed its root: this process stands for it."""
    assert os.statvfs("/tmp").f_blocks > 0
    assert mounted_usage(os.getpid(), "/tmp") == (0, 0)


def test_processes_of_the_host_are_never_counted_as_the_jobs() -> None:
    """As in that moment."""
    assert inside(os.getpid()) is None


def test_a_process_that_has_ended_shows_nothing_of_its_sandbox() -> None:
    """The host's table is asked then: an empty list would pass for a job that uses nothing."""
    with subprocess.Popen(["true"]) as ended:
        pass
    assert inside(ended.pid) is None


def test_a_sandbox_lists_all_that_the_host_finds_below_its_first_process() -> None:
    with _namespace() as root:
        found, host = inside(root), ProcessTable().descendants(root)
        assert found is not None
        assert sorted(each.state for each in found) == ["S", "Z"]
        assert sorted(_account(each) for each in found) == sorted(map(_account, host))
        assert {each.pid for each in found}.isdisjoint({each.pid for each in host})
        assert open_files(found) == open_files(host)
        assert have_more_open(found, 0)


def _account(member: Member) -> tuple[object, ...]:
    used = (member.threads, member.cpu_seconds, member.resident_bytes, member.virtual_bytes)
    return (member.state, *used)


@contextmanager
def _namespace() -> Iterator[int]:
    with namespace(NAMESPACE_SCRIPT) as root:
        _until_settled(root)
        yield root


@contextmanager
def namespace(script: str) -> Iterator[int]:
    """The pid, on the host, of process 1 in a pid namespace with a /proc of its own. The script it
    runs says when it is ready."""
    with subprocess.Popen([*NAMESPACE, script], stdout=subprocess.PIPE) as outer:
        try:
            assert outer.stdout is not None
            assert outer.stdout.readline() == b"ready\n"
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
            yield int(children.read_text())
        finally:
            outer.kill()


def _until_settled(root: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if sorted(each.state for each in ProcessTable().descendants(root)) == ["S", "Z"]:
            return
        time.sleep(0.01)


HEADLESS = """
import ctypes, os, threading, time
held = b"x" * (50 << 20)
pipe = os.pipe()
def work():
    time.sleep(0.1)
    print("ready", flush=True)
    time.sleep(60)
threading.Thread(target=work).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_whose_first_thread_has_ended_shows_what_it_holds() -> None:
    with subprocess.Popen([sys.executable, "-c", HEADLESS], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            member = read_member(process.pid)
            assert (member.pid, member.is_headless, member.is_still) == (process.pid, True, False)
            assert member.resident_bytes > 50 << 20
            assert held_bytes(lambda: [member], 10) > 50 << 20
            assert open_files([member]).pipes == 2
        finally:
            process.kill()


def test_too_many_processes_are_given_up_before_one_is_read() -> None:
    with _namespace() as root, _opened() as opened:
        assert inside(root, most=1) is None
        assert [path for path in opened if path.endswith("/stat")] == []
        assert len(inside(root, most=2) or ()) == 2
        assert len([path for path in opened if path.endswith("/stat")]) == 2


def test_descriptors_are_counted_without_a_look_at_them() -> None:
    member = read_member(os.getpid())
    before = len([*Path("/proc/self/fd").iterdir()])
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(open(os.devnull))
        assert have_more_open([member], before + 50)
        assert not have_more_open([member], before + 150)


@contextmanager
def _opened() -> Iterator[list[str]]:
    """The files that this process opens meanwhile."""
    paths: list[str] | None = []

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if paths is not None and event == "open":
            paths.append(str(arguments[0]))

    sys.addaudithook(hear)  # It stays for good, and hears nothing later.
    heard = paths
    yield heard
    paths = None
