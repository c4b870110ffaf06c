import asyncio
import os
from pathlib import Path

import pytest

from activities.attempts.scratch import Scratch
from activities.sandbox.folders import make_open_folder
from tests.folders import nest
from tests.live import until


async def test_a_workplace_is_open_to_the_sandbox_and_gone_afterwards(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    async with scratch.workplace() as place:
        (place.output / "file").write_text("x")
        assert place.output.stat().st_mode & 0o005 == 0o005
        assert not place.code.exists()
        make_open_folder(place.code)
        (place.code / "main.py").write_text("x")

    async def is_gone() -> bool:
        return not place.output.exists() and not place.code.exists()

    await until(is_gone)
    scratch.close()


async def test_workplaces_that_end_while_others_are_removed_go_as_well(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    places: list[Path] = []

    async def use() -> None:
        async with scratch.workplace() as place:
            (place.output / "file").write_text("x")
            places.append(place.output)

    async def are_gone() -> bool:
        return not any(place.exists() for place in places)

    for _ in range(3):
        await asyncio.gather(*(use() for _ in range(5)))
    await until(are_gone)
    assert len(places) == 15
    scratch.close()


async def test_a_workplace_too_deep_for_common_tools_goes_with_those_beside_it(
    tmp_path: Path,
) -> None:
    scratch = Scratch(tmp_path)
    places: list[Path] = []

    async def use(depth: int) -> None:
        async with scratch.workplace() as place:
            nest(place.output, depth)
            places.append(place.output)

    async def are_gone() -> bool:
        return not any(place.exists() for place in places)

    await asyncio.gather(use(1), use(1_500), use(1))
    await until(are_gone)
    assert len(places) == 3
    scratch.close()


async def test_a_workplace_is_open_to_the_sandbox_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        scratch = Scratch(tmp_path)
        async with scratch.workplace() as place:
            make_open_folder(place.code)
            folders = (tmp_path / "runs", place.code.parent, place.code, place.output)
            assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o755}
        scratch.close()
    finally:
        os.umask(before)


async def test_no_workplace_is_where_another_was(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    places: set[Path] = set()
    for _ in range(3):
        async with scratch.workplace() as place:
            assert list(place.output.iterdir()) == []
            places |= {place.code, place.output}
            place.output.rmdir()  # As if it was removed at once.
    assert len(places) == 6
    scratch.close()


async def test_what_was_never_made_is_removed_as_well(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    async with scratch.workplace() as place:
        place.output.rmdir()
    async with scratch.workplace() as other:
        pass

    async def is_gone() -> bool:
        return not other.output.exists()

    await until(is_gone)
    scratch.close()


async def test_scratch_of_a_killed_worker_is_removed_and_of_a_living_one_kept(
    tmp_path: Path,
) -> None:
    living = Scratch(tmp_path)
    dead = tmp_path / "runs" / "dead"
    (dead / "run").mkdir(parents=True)
    (dead / "lock").touch()
    async with living.workplace() as place:
        Scratch(tmp_path).close()
        assert place.output.exists()
    assert not dead.exists()
    living.close()


def test_folders_too_deep_for_common_tools_are_removed_with_those_of_a_killed_worker(
    tmp_path: Path,
) -> None:
    run = tmp_path / "runs" / "dead" / "run"
    run.mkdir(parents=True)
    (run.parent / "lock").touch()
    nest(run, 1_500)
    Scratch(tmp_path).close()
    assert not run.parent.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_without_rights_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        Scratch(tmp_path)
