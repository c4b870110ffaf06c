"""How peers are installed and spoken to, without any of them."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.benchmarks.peers.installing import NotInstalledError, Peer, installed
from tests.benchmarks.peers.process import end, start
from tests.benchmarks.peers.table import AT_ONCE, OURS, PLAIN, Side, middle_ratio, show
from tests.benchmarks.report import console
from tests.unit.benchmarks.test_beside import check_beside


def test_ratios_are_those_of_the_rounds_and_not_of_the_medians() -> None:
    assert middle_ratio([1.0, 9.0, 4.0], [2.0, 3.0, 1.0]) == 3.0


async def test_a_side_is_timed_alone_in_milliseconds_and_at_once_by_its_pace() -> None:
    async def seconds(at_once: int) -> float:
        return 0.5 if at_once == 1 else 4.0

    side = Side(seconds)
    await side.warm_up()
    await side.run_alone()
    await side.run_many()
    assert (side.alone_ms, side.rates) == ([500.0], [AT_ONCE / 4.0])


async def test_each_side_is_shown_with_what_agentos_takes_of_it() -> None:
    async def never(at_once: int) -> float:
        raise NotImplementedError

    ours, theirs = Side(never, [300.0], [5.0]), Side(never, [100.0], [20.0])
    with console.capture() as printed:
        show({OURS: ours, PLAIN: theirs, "another": theirs})
    words = " ".join(printed.get().replace("│", " ").split())
    assert "another 100 [100 - 100] 3.00x 20.0 [20.0 - 20.0] 0.25x" in words


async def test_a_peer_has_a_session_of_its_own_and_ends_when_there_is_no_more_to_read(
    tmp_path: Path,
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nread -r line\n")
    python.chmod(0o755)
    process = await start(python, "nobody", [], tmp_path)
    assert os.getsid(process.pid) == process.pid
    async with asyncio.timeout(10):
        await end(process)
    assert process.returncode is not None


async def test_a_server_of_a_peer_has_a_session_of_its_own_and_ends_with_the_peer() -> None:
    await check_beside(
        "from tests.benchmarks.peers.serving import start_server\n"
        "print(start_server('/bin/sleep', '60').pid, flush=True)\n"
        "time.sleep(60)\n"
    )


async def test_a_peer_that_no_index_has_is_told_of_and_nothing_is_kept_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    peer = Peer("Nobody", "", "nobody", ("agentos-no-such-peer",))
    with pytest.raises(NotInstalledError, match="agentos-no-such-peer"):
        await installed(peer, tmp_path / "peers")
    assert (tmp_path / "CACHEDIR.TAG").is_file()
    assert not (tmp_path / "home").exists()


async def test_a_peer_that_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    peer = Peer("Somebody", "", "somebody", ("somebody",))
    python = tmp_path / "somebody" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / "somebody" / "installed.json").write_text(json.dumps(peer.requirements))
    assert await installed(peer, tmp_path) == python


async def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "peers").write_text("no folder")
    with pytest.raises(NotInstalledError):
        await installed(Peer("Nobody", "", "nobody", ()), tmp_path / "peers")
