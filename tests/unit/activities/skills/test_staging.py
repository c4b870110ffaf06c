"""Copies of skills: whole, readable by all, and never changed."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from activities.skills.metadata import load_skill
from activities.skills.staging import KEEP_SECONDS, Stage
from workflows import policies
from workflows.definitions.pipeline import MAX_TIMEOUT
from workflows.errors.skills import SkillRefused

MakeSkill = Callable[..., Path]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


async def test_a_copy_holds_the_files_and_is_readable_by_all(
    make_skill: MakeSkill, work: Path
) -> None:
    before = os.umask(0o077)
    try:
        folder = make_skill("tidy", {"scripts/run.sh": "echo", "references/a.md": "a"})
        (folder / "scripts/run.sh").chmod(0o700)
        (folder / "references/b.md").symlink_to("a.md")
        skill = load_skill(folder)
        staged = await Stage(work).place(skill)
    finally:
        os.umask(before)
    assert staged == work / "skills" / f"tidy-{skill.digest[:16]}"
    assert load_skill(staged).digest == skill.digest
    assert (staged / "references/b.md").read_text() == "a"
    modes = {path.name: path.lstat().st_mode & 0o777 for path in staged.rglob("*")}
    assert modes == {
        **{"SKILL.md": 0o644, "a.md": 0o644, "b.md": 0o644, "run.sh": 0o755},
        **{"references": 0o755, "scripts": 0o755},
    }
    assert (work / "skills").stat().st_mode & 0o777 == 0o755


async def test_a_skill_edited_while_it_runs_does_not_change(
    make_skill: MakeSkill, work: Path
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "one"})
    first = await Stage(work).place(load_skill(folder))
    (folder / "scripts/a.py").write_text("two")
    second = await Stage(work).place(load_skill(folder))
    assert (first / "scripts/a.py").read_text() == "one"
    assert (second / "scripts/a.py").read_text() == "two"


async def test_a_skill_edited_since_it_was_loaded_runs_under_its_true_digest(
    make_skill: MakeSkill, work: Path
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "one"})
    stale = load_skill(folder)
    (folder / "scripts/a.py").write_text("two")
    staged = await Stage(work).place(stale)
    assert (staged / "scripts/a.py").read_text() == "two"
    assert staged.name == f"tidy-{load_skill(folder).digest[:16]}"


async def test_many_workers_place_the_same_skill_at_once(make_skill: MakeSkill, work: Path) -> None:
    skill = load_skill(make_skill("tidy", {f"assets/{n}": "x" for n in range(50)}))
    placed = await asyncio.gather(*(Stage(work).place(skill) for _ in range(8)))
    assert len(set(placed)) == 1
    assert [entry.name for entry in (work / "skills").iterdir()] == [placed[0].name]


async def test_a_copy_that_is_there_is_used_without_a_look_at_the_skill(
    make_skill: MakeSkill, work: Path
) -> None:
    folder = make_skill("tidy")
    skill = load_skill(folder)
    stage = Stage(work)
    copy = await stage.place(skill)
    shutil.rmtree(folder)
    assert await stage.place(skill) == copy


async def test_a_skill_that_has_gone_is_refused(make_skill: MakeSkill, work: Path) -> None:
    folder = make_skill("tidy")
    skill = load_skill(folder)
    (folder / "SKILL.md").unlink()
    folder.rmdir()
    with pytest.raises(SkillRefused, match="could not be copied"):
        await Stage(work).place(skill)


async def test_copies_that_nobody_has_used_for_days_go(make_skill: MakeSkill, work: Path) -> None:
    stage = Stage(work)
    old, used = [load_skill(make_skill(name)) for name in ("old", "used")]
    long_ago = time.time() - KEEP_SECONDS - 1
    for skill in (old, used):
        os.utime(await stage.place(skill), (long_ago, long_ago))
    await stage.place(used)
    await stage.place(load_skill(make_skill("new")))
    names = {entry.name.partition("-")[0] for entry in (work / "skills").iterdir()}
    assert names == {"used", "new"}


def test_a_copy_is_kept_for_longer_than_any_attempt_may_take() -> None:
    assert policies.step(MAX_TIMEOUT.total_seconds(), 0)["start_to_close_timeout"] < timedelta(
        seconds=KEEP_SECONDS
    )
