"""``agentos doctor`` as a whole: it finds what is wrong, and leaves the machine as it was."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.e2b_server import E2BServer
from tests.folders import PROJECT
from tests.integration.sandboxes import open_folder

Found = dict[str, dict[str, object]]

# All that is mounted from a disk, but not /proc and the like.
_READ_ONLY = """
mount --make-rprivate /
for place in $(awk '$3 !~ /^(proc|sysfs|cgroup.*|devtmpfs|devpts|mqueue)$/ {print $2}' /proc/mounts)
do mount -o remount,bind,ro $place || exit 9; done
exec "$@"
"""


async def test_e2b_is_tried_and_wrong_settings_are_findings_beside_all_others() -> None:
    with open_folder() as folder:
        make_places(folder)
        async with E2BServer(folder) as server:
            own = {
                "AGENTOS_SANDBOX": "e2b",
                "AGENTOS_E2B_TEMPLATE": "data-science",
                "E2B_API_KEY": server.api_key,
                "E2B_API_URL": server.url,
                "E2B_SANDBOX_URL": server.url,
                "AGENTOS_POOL_SIZE": "many",
                "AGENTOS_POOLSIZE": "3",
            }
            found = await run(folder, **own)
            assert server.machines == {}
    assert found["sandbox"]["ok"], found["sandbox"]
    assert "e2b ran a command; template: data-science" in str(found["sandbox"]["detail"])
    assert found["AGENTOS_POOL_SIZE"]["detail"] == "it must be a whole number"
    assert "AGENTOS_POOL_SIZE" in str(found["AGENTOS_POOLSIZE"]["remedy"])


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything in a folder, and when it was changed."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in (folder, *folder.rglob("*"))
    }


async def run(folder: Path, *before: str, **own: str) -> Found:
    """In a process of its own, with home, working folder and temporary folder in ``folder``."""
    places = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "home/cache"}
    inherited = {name: value for name, value in os.environ.items() if name[:8] != "AGENTOS_"}
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-P", "-m", "deploy.cli", "doctor", "-o", "json"),
        *("--data-dir", str(folder / "data")),
        cwd=folder / "here",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=inherited
        | {name: str(folder / place) for name, place in places.items()}
        | {"PYTHONPATH": str(PROJECT)}
        | own,
    )
    printed, complaint = await process.communicate()
    assert printed, complaint.decode()
    return {item["name"]: item for item in json.loads(printed)["items"]}


def make_places(folder: Path) -> None:
    for place in ("home/cache", "tmp", "data", "here"):
        (folder / place).mkdir(parents=True)


async def test_the_doctor_writes_nothing() -> None:
    with open_folder() as folder:
        make_places(folder)
        before, code = snapshot(folder), snapshot(PROJECT / "deploy")
        found = await run(folder)
        assert snapshot(folder) == before
        assert snapshot(PROJECT / "deploy") == code
    assert [name for name, item in found.items() if not item["ok"]] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
async def test_the_doctor_works_on_a_read_only_disk() -> None:
    alone = ("unshare", "--mount", "/bin/sh", "-c", _READ_ONLY, "sh")
    possible = await asyncio.to_thread(
        subprocess.run, [*alone, "true"], stderr=subprocess.PIPE, text=True
    )
    if possible.returncode != 0:
        pytest.skip(f"no read-only disk can be had: {possible.stderr.strip()}")
    with open_folder() as folder:
        make_places(folder)
        found = await run(folder, *alone)
    assert {name for name, item in found.items() if not item["ok"]} == {"data folder"}
    assert "is not writable" in str(found["data folder"]["detail"])
