"""Looking skills up, and noticing that they came, changed or went."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.skills.catalogue import SCAN_INTERVAL_SECONDS, Catalogue
from activities.skills.files import TEXT_MAX_BYTES
from tests.pressure import allowed
from workflows.errors.skills import (
    ScriptNotFound,
    ScriptNotNamed,
    SkillFileNotFound,
    SkillFileUnreadable,
    SkillNotFound,
    SkillRefused,
)

MakeSkill = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "skills"


async def seen(catalogue: Catalogue, condition: Callable[[set[str]], bool]) -> float:
    """Seconds until the names in the catalogue are as wished."""
    began = time.monotonic()
    while not condition(set(await catalogue.skills())):
        assert time.monotonic() - began < allowed(5)
        await asyncio.sleep(0.02)
    return time.monotonic() - began


class TestComingAndGoing:
    async def test_skills_are_listed_by_name(self, make_skill: MakeSkill, folder: Path) -> None:
        for name in ("beta", "alpha"):
            make_skill(name)
        (folder / "notes").mkdir()
        make_skill(".hidden")
        assert list(await Catalogue([folder]).skills()) == ["alpha", "beta"]

    async def test_a_folder_that_is_not_there_is_empty(self, tmp_path: Path) -> None:
        assert await Catalogue([tmp_path / "none"]).skills() == {}

    async def test_a_skill_dropped_in_is_found_within_a_second(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        catalogue = Catalogue([folder])
        assert await catalogue.skills() == {}
        make_skill("late")
        assert await seen(catalogue, lambda names: names == {"late"}) < allowed(
            SCAN_INTERVAL_SECONDS + 0.5
        )

    async def test_a_change_deep_in_a_skill_is_noticed_and_a_removal_too(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        skill = make_skill("tidy", {"scripts/deep/a.py": "a"})
        make_skill("other")
        catalogue = Catalogue([folder])
        before = await catalogue.skills()
        (skill / "scripts/deep/a.py").write_text("b")
        shutil.rmtree(folder / "other")
        await seen(catalogue, lambda names: names == {"tidy"})
        assert (await catalogue.find("tidy")).digest != before["tidy"].digest

    async def test_a_skill_that_did_not_change_is_not_read_again(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("tidy")
        catalogue = Catalogue([folder])
        before = await catalogue.find("tidy")
        make_skill("late")
        await seen(catalogue, lambda names: "late" in names)
        assert await catalogue.find("tidy") is before

    async def test_many_who_ask_at_once_cause_one_scan(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("tidy")
        catalogue = Catalogue([folder])
        answers = await asyncio.gather(*(catalogue.skills() for _ in range(50)))
        assert all(answer is answers[0] for answer in answers)

    async def test_the_earlier_folder_wins_and_says_so(
        self, make_skill: MakeSkill, tmp_path: Path
    ) -> None:
        first = make_skill("tidy", {"a": ""}, within=tmp_path / "first")
        second = make_skill("tidy", {"b": ""}, within=tmp_path / "second")
        skill = await Catalogue([first.parent, second.parent]).find("tidy")
        assert skill.folder == first
        assert skill.warnings == (f"{second}: left out: the name tidy is taken",)


class TestFinding:
    async def test_a_near_miss_is_suggested(self, make_skill: MakeSkill, folder: Path) -> None:
        make_skill("csv-clean")
        with pytest.raises(SkillNotFound, match="Did you mean csv-clean"):
            await Catalogue([folder]).find("csv-claen")

    async def test_an_unknown_skill_without_a_near_match_lists_all_names(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("tidy")
        with pytest.raises(SkillNotFound, match=r"Skills: tidy\.") as caught:
            await Catalogue([folder]).find("q" * 100_000)
        assert len(str(caught.value)) < 300

    async def test_a_refused_skill_says_why(self, make_skill: MakeSkill, folder: Path) -> None:
        make_skill("tidy", head="---\nname: tidy\n---\n")
        catalogue = Catalogue([folder])
        assert set(await catalogue.refused()) == {"tidy"}
        with pytest.raises(SkillRefused, match="no description"):
            await catalogue.find("tidy")


class TestFindingScripts:
    @pytest.mark.parametrize(
        "script",
        [None, "run.py", "scripts/run.py", "./run.py", "/skills/one/scripts/run.py"],
    )
    async def test_the_only_script_goes_by_many_names(
        self, script: str | None, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("one", {"scripts/run.py": ""})
        skill, entry = await Catalogue([folder]).find_script("one", script)
        assert (skill.name, entry.path) == ("one", "scripts/run.py")

    async def test_one_of_several_scripts_must_be_named(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("two", {"scripts/a.py": "", "scripts/b.sh": ""})
        catalogue = Catalogue([folder])
        with pytest.raises(ScriptNotNamed, match=r"scripts/a\.py, scripts/b\.sh"):
            await catalogue.find_script("two", None)
        assert (await catalogue.find_script("two", "b.sh"))[1].path == "scripts/b.sh"

    @pytest.mark.parametrize("script", ["c.py", "../two/SKILL.md", "", "/etc/passwd"])
    async def test_an_unknown_script_is_not_found(
        self, script: str, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("two", {"scripts/a.py": "", "scripts/b.sh": ""})
        with pytest.raises(ScriptNotFound, match=r"It has: scripts/a\.py, scripts/b\.sh"):
            await Catalogue([folder]).find_script("two", script)

    async def test_a_skill_may_have_no_scripts(self, make_skill: MakeSkill, folder: Path) -> None:
        make_skill("text")
        with pytest.raises(ScriptNotFound, match="It has no scripts"):
            await Catalogue([folder]).find_script("text", None)


class TestReading:
    @pytest.mark.parametrize("path", ["references/a.md", "/skills/tidy/references/a.md"])
    async def test_a_file_is_read_by_its_path(
        self, path: str, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("tidy", {"references/a.md": "Grüße"})
        assert await Catalogue([folder]).read("tidy", path) == "Grüße"

    @pytest.mark.parametrize(
        "path", ["../other/SKILL.md", "references/../../other/SKILL.md", "/etc/passwd", "link", ""]
    )
    async def test_paths_that_are_not_files_of_the_skill_are_not_read(
        self, path: str, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("other")
        (make_skill("tidy") / "link").symlink_to("/etc/passwd")
        with pytest.raises(SkillFileNotFound):
            await Catalogue([folder]).read("tidy", path)

    async def test_a_link_made_since_the_scan_is_not_followed(
        self, make_skill: MakeSkill, folder: Path
    ) -> None:
        skill = make_skill("tidy", {"a.md": "a"})
        catalogue = Catalogue([folder])
        await catalogue.skills()
        (skill / "a.md").unlink()
        (skill / "a.md").symlink_to("/etc/passwd")
        with pytest.raises(SkillFileNotFound):
            await catalogue.read("tidy", "a.md")

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"x" * (TEXT_MAX_BYTES + 1), "over 1048576 bytes"), (b"\x89PNG\0", "not text")],
    )
    async def test_a_large_or_binary_file_is_not_given(
        self, content: bytes, reason: str, make_skill: MakeSkill, folder: Path
    ) -> None:
        make_skill("tidy", {"a": content})
        with pytest.raises(SkillFileUnreadable, match=reason):
            await Catalogue([folder]).read("tidy", "a")
