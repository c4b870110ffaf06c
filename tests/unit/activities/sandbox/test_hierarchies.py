"""Where groups may be made is read from /proc, as a process in version 1, 2 or neither sees it."""

import os
from pathlib import Path

import pytest

from activities.sandbox.base import Limits
from activities.sandbox.cgroups import Cgroup, Cgroups, open_cgroups
from activities.sandbox.hierarchies import find_hierarchies
from activities.units import MEBIBYTE


def process(folder: Path, *, mounts: str, groups: str) -> Path:
    """What is of interest in a /proc/PID."""
    proc = folder / "proc"
    proc.mkdir()
    (proc / "mountinfo").write_text(f"24 1 0:22 / /sys rw - sysfs sysfs rw\n{mounts}")
    (proc / "cgroup").write_text(groups)
    return proc


def second_version(folder: Path, *, controllers: str = "cpu memory pids") -> Path:
    """A hierarchy of version 2 with a group ``/unit``, that is ours."""
    for group in (folder, folder / "unit"):
        group.mkdir(exist_ok=True)
        (group / "cgroup.controllers").write_text(f"{controllers}\n")
        (group / "cgroup.subtree_control").write_text(f"{controllers}\n")
    return folder


@pytest.mark.parametrize(
    ("root", "inside"), [("/", "unit"), ("/unit", ".")], ids=["host", "container"]
)
def test_our_own_group_comes_before_the_top(tmp_path: Path, root: str, inside: str) -> None:
    top = second_version(tmp_path / "top")
    mounts = f"30 24 0:27 {root} {top} rw - cgroup2 cgroup2 rw\n"
    found = list(find_hierarchies(process(tmp_path, mounts=mounts, groups="0::/unit\n")))
    assert [(place.parent, place.version) for place in found][:1] == [(top / inside, 2)]
    assert found[-1].parent == top


def test_a_hierarchy_without_memory_is_passed_over(tmp_path: Path) -> None:
    top = second_version(tmp_path / "top", controllers="hugetlb")
    first = tmp_path / "first"
    (first / "unit").mkdir(parents=True)
    for group in (first, first / "unit"):
        (group / "memory.limit_in_bytes").touch()
    mounts = (
        f"30 24 0:27 / {top} rw - cgroup2 cgroup2 rw\n"
        f"31 24 0:28 / {tmp_path} rw - cgroup cgroup rw,cpu\n"
        f"32 24 0:29 / {first} rw - cgroup cgroup rw,memory\n"
    )
    proc = process(tmp_path, mounts=mounts, groups="4:memory:/unit\n3:cpu:/unit\n0::/unit\n")
    found = [(place.parent, place.version) for place in find_hierarchies(proc)]
    assert found == [(first / "unit", 1), (first, 1)]


def test_no_groups_are_opened_where_nothing_may_be_written(tmp_path: Path) -> None:
    mounts = f"30 24 0:27 / {tmp_path / 'nowhere'} rw - cgroup2 cgroup2 rw\n"
    proc = process(tmp_path, mounts=mounts, groups="0::/\n")
    assert open_cgroups(proc) is None


def test_a_group_that_takes_no_bound_is_none(tmp_path: Path) -> None:
    """In a plain folder the kernel makes no files: nothing would hold a job."""
    top = second_version(tmp_path / "top")
    mounts = f"30 24 0:27 / {top} rw - cgroup2 cgroup2 rw\n"
    assert open_cgroups(process(tmp_path, mounts=mounts, groups="0::/unit\n")) is None


def test_a_group_whose_bounds_are_refused_is_used_again(tmp_path: Path) -> None:
    top = second_version(tmp_path / "top")
    mounts = f"30 24 0:27 / {top} rw - cgroup2 cgroup2 rw\n"
    [place, *_] = find_hierarchies(process(tmp_path, mounts=mounts, groups="0::/unit\n"))
    made = tmp_path / "made"
    made.mkdir()
    opened = Cgroups(place, made, os.open(made, os.O_RDONLY))
    for _ in range(3):
        with pytest.raises(FileNotFoundError), opened.group(Limits()):
            pass
    assert len(list(made.iterdir())) == 1
    opened.close()
    assert not made.exists()


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """A group of version 2, in which the kernel's files stand as it makes them."""
    group = tmp_path / "group"
    group.mkdir()
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cgroup.procs"):
        (group / name).touch()
    (group / "memory.events").write_text("low 0\noom 0\noom_kill 3\n")
    (group / "memory.stat").write_text("anon 0\ninactive_file 500\nslab_reclaimable 100\n")
    (group / "memory.current").write_text("1000\n")
    return group


def test_the_second_version_bounds_memory_swap_and_processes(groups: Path) -> None:
    group = Cgroup(groups, 2)
    group.bound(Limits(memory_bytes=100 * MEBIBYTE, processes=10))
    assert int((groups / "memory.max").read_text()) == 164 * MEBIBYTE
    assert (groups / "memory.swap.max").read_text() == "0"
    assert (groups / "memory.oom.group").read_text() == "1"
    assert 10 < int((groups / "pids.max").read_text()) < 32


def test_what_the_kernel_could_take_back_does_not_count(groups: Path) -> None:
    group = Cgroup(groups, 2)
    group.bound(Limits())
    assert not group.is_over(400)
    assert group.is_over(399)
    assert not group.has_killed()
    (groups / "memory.events").write_text("oom_kill 4\n")
    assert group.has_killed()
    assert group.is_over(400)
