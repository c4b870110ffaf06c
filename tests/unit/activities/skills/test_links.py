"""Links among skills: followed within the folder of skills, refused by name where they lead out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from activities.skills.catalogue import Catalogue
from activities.skills.metadata import load_skill
from activities.skills.staging import Stage
from activities.skills.validation import validate
from workflows.errors.skills import ScriptUnsuitable, SkillRefused

MakeSkill = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "skills"


async def test_a_folder_that_is_a_link_within_the_folder_of_skills_is_a_skill(
    make_skill: MakeSkill, root: Path
) -> None:
    make_skill("tidy", {"scripts/a.py": ""}, within=root / ".shared")
    (root / "tidy").symlink_to(".shared/tidy")
    catalogue = Catalogue([root])
    assert (await catalogue.find("tidy")).scripts == ("scripts/a.py",)
    assert await catalogue.refused() == {}
    assert await validate(root / "tidy") == []


async def test_files_and_folders_that_are_links_within_the_folder_of_skills_are_followed(
    make_skill: MakeSkill, root: Path, tmp_path: Path
) -> None:
    shared = make_skill("tidy", {"scripts/a.py": "print(1)"}, within=root / ".shared")
    (root / "tidy").mkdir()
    (root / "tidy/SKILL.md").symlink_to(shared / "SKILL.md")
    (root / "tidy/scripts").symlink_to("../.shared/tidy/scripts")
    skill = await Catalogue([root]).find("tidy")
    assert skill.files == ("SKILL.md", "scripts/a.py")
    assert await Catalogue([root]).read("tidy", "scripts/a.py") == "print(1)"
    staged = await Stage(tmp_path / "work").place(skill)
    assert (staged / "scripts/a.py").read_text() == "print(1)"
    assert not (staged / "scripts").is_symlink()
    assert load_skill(staged).digest == skill.digest
    assert await validate(root / "tidy") == []


async def test_a_folder_of_skills_may_be_a_link_itself(
    make_skill: MakeSkill, root: Path, tmp_path: Path
) -> None:
    make_skill("tidy")
    (tmp_path / "alias").symlink_to(root)
    assert list(await Catalogue([tmp_path / "alias"]).skills()) == ["tidy"]


async def test_a_folder_that_is_a_link_leading_out_is_refused_by_name(
    make_skill: MakeSkill, root: Path, tmp_path: Path
) -> None:
    make_skill("other")
    outside = make_skill("tidy", within=tmp_path / "elsewhere")
    (root / "tidy").symlink_to(outside)
    catalogue = Catalogue([root])
    assert "link that leads out" in str((await catalogue.refused())["tidy"])
    with pytest.raises(
        SkillRefused, match="Skill tidy cannot be used: it is a link that leads out"
    ):
        await catalogue.find("tidy")
    [problem] = await validate(root / "tidy")
    assert "tidy is a link that leads out" in problem


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("{outside}/SKILL.md", "its SKILL.md is a link that leads out"),
        ("/etc/hostname", "its SKILL.md is a link that leads out"),
        ("nothing.md", "its SKILL.md is a link to nothing"),
        ("SKILL.md", "its SKILL.md is a link to nothing"),
    ],
)
async def test_a_skill_md_that_is_a_link_leading_out_or_to_nothing_is_refused_by_name(
    target: str, reason: str, make_skill: MakeSkill, root: Path, tmp_path: Path
) -> None:
    outside = make_skill("tidy", within=tmp_path / "elsewhere")
    (root / "tidy").mkdir(parents=True)
    (root / "tidy/SKILL.md").symlink_to(target.format(outside=outside))
    assert reason in str((await Catalogue([root]).refused())["tidy"])
    [problem] = await validate(root / "tidy")
    assert reason in problem


async def test_a_refused_link_is_looked_at_again(
    make_skill: MakeSkill, root: Path, tmp_path: Path
) -> None:
    outside = make_skill("tidy", within=tmp_path / "elsewhere")
    root.mkdir()
    (root / "tidy").symlink_to(outside)
    catalogue = Catalogue([root])
    assert "tidy" in await catalogue.refused()
    (root / "tidy").unlink()
    make_skill("tidy")
    catalogue._scanned_at -= 10
    assert list(await catalogue.skills()) == ["tidy"]
    assert await catalogue.refused() == {}


async def test_a_link_to_a_folder_that_is_no_skill_is_nobodys_business(
    root: Path, tmp_path: Path
) -> None:
    root.mkdir()
    (root / "packages").symlink_to(tmp_path)
    assert await Catalogue([root]).refused() == {}


async def test_a_script_that_is_left_out_is_not_reported_as_missing(
    make_skill: MakeSkill, root: Path
) -> None:
    folder = make_skill("tidy", {"scripts/b.py": ""})
    (folder / "scripts/a.py").symlink_to("/etc/hostname")
    catalogue = Catalogue([root])
    with pytest.raises(
        ScriptUnsuitable, match=r"file scripts/a\.py.*: it is a link that leads out"
    ):
        await catalogue.find_script("tidy", "a.py")


async def test_links_that_go_round_in_circles_are_left_out(
    make_skill: MakeSkill, root: Path
) -> None:
    folder = make_skill("tidy", {"a/b.md": ""})
    (folder / "a/up").symlink_to("..")
    (folder / "a/all").symlink_to("../..")
    (folder / "a/self").symlink_to("self")
    skill = await Catalogue([root]).find("tidy")
    assert [path for path in skill.files if "all/" not in path] == ["SKILL.md", "a/b.md"]
    assert "a/up: left out: it is a link to a folder around it" in skill.warnings
    assert any(warning.startswith("a/self: left out:") for warning in skill.warnings)
