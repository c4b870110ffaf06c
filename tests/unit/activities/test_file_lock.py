"""Locks between processes, which hold between open files of one process as well."""

import os
import stat
import threading
from pathlib import Path

from activities.file_lock import blocking_file_lock, is_at, try_lock, try_lock_open


def test_a_lock_is_held_by_one_until_its_descriptor_is_closed(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "lock")
    assert held is not None
    assert try_lock(tmp_path / "lock") is None
    assert try_lock(tmp_path / "lock", shared=True) is None
    os.close(held)
    again = try_lock(tmp_path / "lock")
    assert again is not None
    os.close(again)


def test_sharers_do_not_hinder_each_other(tmp_path: Path) -> None:
    sharers = [try_lock(tmp_path / "lock", shared=True) for _ in range(2)]
    assert try_lock(tmp_path / "lock") is None
    for sharer in sharers:
        assert sharer is not None
        os.close(sharer)


def test_a_file_that_is_gone_is_not_locked(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as file:
        (tmp_path / "lock").unlink()
        assert not try_lock_open(file.fileno())


def test_an_open_file_that_was_renamed_or_replaced_is_not_there_any_more(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as file:
        assert is_at(file.fileno(), path)
        path.rename(tmp_path / "other")
        assert not is_at(file.fileno(), path)
        path.touch()
        assert not is_at(file.fileno(), path)


def test_a_lock_that_blocks_waits_for_its_holder(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "lock")
    assert held is not None
    has_lock = threading.Event()

    def wait() -> None:
        with blocking_file_lock(tmp_path / "lock"):
            has_lock.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not has_lock.wait(0.1)
    os.close(held)
    waiting.join(10)
    assert has_lock.is_set()


def test_no_other_user_may_open_a_lock(tmp_path: Path) -> None:
    held = try_lock(tmp_path / "lock")
    assert held is not None
    os.close(held)
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
