"""An output folder is given to a job and taken back without harm to anything else."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from activities.sandbox.folders import MAX_DEPTH, hand_over, take_back, walk
from tests.folders import nest
from tests.integration.sandboxes import Bench

JOB_UID = 60_600

pytestmark = pytest.mark.timeout(20)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


def owner(path: Path) -> int:
    return path.lstat().st_uid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@as_root
def test_every_entry_of_a_job_folder_changes_its_owner(folder: Path) -> None:
    (folder / "d").mkdir()
    paths = [folder, folder / "d", folder / "d" / "file", folder / "fifo", folder / "link"]
    paths[2].touch()
    os.mkfifo(paths[3])
    paths[4].symlink_to("nowhere")
    hand_over(folder, JOB_UID)
    assert {owner(path) for path in paths} == {JOB_UID}
    assert take_back(folder) == 0
    assert {owner(path) for path in paths} == {0}


@as_root
def test_the_target_of_a_link_keeps_its_owner(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    os.chown(outside / "file", 12345, 12345)
    (folder / "file").symlink_to(outside / "file")
    (folder / "folder").symlink_to(outside)
    hand_over(folder, JOB_UID)
    assert owner(folder / "file") == owner(folder / "folder") == JOB_UID
    assert (owner(outside), owner(outside / "file")) == (0, 12345)
    take_back(folder)
    assert owner(folder / "file") == owner(folder / "folder") == 0
    assert (owner(outside), owner(outside / "file")) == (0, 12345)


@as_root
def test_a_file_with_another_name_elsewhere_is_not_given_away(folder: Path, tmp_path: Path) -> None:
    cached = tmp_path / "cached"
    cached.touch()
    (folder / "link").hardlink_to(cached)
    hand_over(folder, JOB_UID)
    assert owner(cached) == 0


def test_the_folder_is_closed_to_others(folder: Path) -> None:
    folder.chmod(0o777)
    hand_over(folder, None)
    assert mode(folder) == 0o700


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o6777, 0o1777])
def test_special_bits_are_taken_off(folder: Path, bits: int) -> None:
    (folder / "file").touch()
    (folder / "file").chmod(bits)
    (folder / "d").mkdir()
    (folder / "d").chmod(bits)
    take_back(folder)
    assert mode(folder / "file") == mode(folder / "d") == bits & 0o777


def test_folders_that_a_job_closed_can_be_read_afterwards(folder: Path) -> None:
    (folder / "d" / "e").mkdir(parents=True)
    (folder / "d" / "e" / "file").write_text("x")
    for path in (folder / "d" / "e" / "file", folder / "d" / "e", folder / "d", folder):
        path.chmod(0)
    take_back(folder)
    assert (folder / "d" / "e" / "file").read_text() == "x"
    assert mode(folder / "d" / "e" / "file") == 0o600


def test_the_target_of_a_link_keeps_its_mode(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch()
    outside.chmod(0o4755)
    (folder / "link").symlink_to(outside)
    take_back(folder)
    assert mode(outside) == 0o4755


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 2, 3 * MAX_DEPTH + 5, 1500])
def test_folders_too_deep_to_be_removed_are_cut_off(folder: Path, depth: int) -> None:
    (folder / "kept").touch()
    nest(folder, depth)
    removed = take_back(folder)
    assert (removed > 0) == (depth > MAX_DEPTH)
    assert max(entry.depth for entry in walk(folder)) <= MAX_DEPTH
    assert (folder / "kept").exists()
    shutil.rmtree(folder)


def test_no_folder_is_entered_through_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "secret").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    assert [entry.path for entry in walk(folder)] == ["link"]


def test_a_folder_that_vanishes_meanwhile_is_passed_over(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    seen = []
    for entry in walk(folder):
        seen.append(entry.path)
        shutil.rmtree(folder / "a", ignore_errors=True)
        shutil.rmtree(folder / "b", ignore_errors=True)
    assert len(seen) == 1


def test_insisting_opens_up_folders_but_nothing_behind_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (folder / "link").symlink_to(outside)
    (folder / "d").mkdir()
    (folder / "d" / "file").touch()
    (folder / "d").chmod(0o300)
    folder.chmod(0)
    assert {entry.path for entry in walk(folder, insist=True)} == {"link", "d", "d/file"}
    assert mode(outside) == 0o500


async def test_files_that_a_job_has_closed_are_ours_when_it_has_ended(bench: Bench) -> None:
    script = "mkdir -p a/b; echo deep > a/b/c; echo flat > d; chmod 000 a/b/c a/b a d ."
    assert (await bench.shell(script)).ok
    assert (bench.output / "a/b/c").read_text() == "deep\n"
    assert (bench.output / "d").read_text() == "flat\n"
