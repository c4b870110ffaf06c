"""The author's check: strict, and without an accident whatever the file."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.skills.validation import validate

MakeSkill = Callable[..., Path]

# Pieces of YAML that break parsers, joined at random.
PIECES = st.sampled_from(
    [
        *("name: a\n", "description: b\n", '"\\U99999999"', "\x00", "? - \n", "&a ", "*a "),
        *(
            "%YAML 9.9\n",
            "%YAML 9." + "9" * 5000,
            "{",
            "[",
            "]",
            ": ",
            "- ",
            "\t",
            "'",
            '"',
            "!!x ",
        ),
        "<<: ",
    ]
)


async def test_a_good_skill_has_no_problem(make_skill: MakeSkill) -> None:
    assert await validate(make_skill("tidy", {"scripts/a.py": "import os\n"})) == []


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (
            b"\xef\xbb\xbf---\nname: tidy\ndescription: d\n---\n",
            "SKILL.md:1: starts with a byte order mark",
        ),
        (b"---\nname: tidy\ndescription: caf\xe9\n---\n", "SKILL.md:3: is not UTF-8"),
        (b"---\nname: tidy\ndescription: a: b\n---\n", "SKILL.md:3: description is not valid YAML"),
        (
            b"---\nname: tidy\ndescription: d\nversion: 1\n---\n",
            "SKILL.md:4: the field version is unknown",
        ),
        (
            b"---\nname: Tidy\ndescription: d\n---\n",
            "SKILL.md:2: the name is not 1-64 lowercase letters",
        ),
        (
            b"---\nname: other\ndescription: d\n---\n",
            "SKILL.md:2: the name other is not the folder's",
        ),
        (b"---\nname: tidy\n---\n", "its SKILL.md has no description"),
        (
            b'---\nname: tidy\n"\\U99999999": d\n---\n',
            "its SKILL.md has no description",
        ),
    ],
)
async def test_each_deviation_from_the_skill_format_is_a_problem(
    head: bytes, problem: str, make_skill: MakeSkill
) -> None:
    found = await validate(make_skill("tidy", head=head))
    assert any(problem in line for line in found)


async def test_a_skill_that_would_fail_when_run_is_a_problem(
    make_skill: MakeSkill, tmp_path: Path
) -> None:
    folder = make_skill("tidy", {"scripts/a.py": "", "requirements.txt": "-r x\n"})
    (folder / "away").symlink_to(tmp_path)
    found = await validate(folder)
    assert len(found) == 2
    assert "away: left out" in found[0]
    assert "options are not taken" in found[1]


async def test_no_skill_is_a_problem(tmp_path: Path) -> None:
    assert "has no SKILL.md" in (await validate(tmp_path))[0]
    assert "No such file" in (await validate(tmp_path / "none"))[0]


async def test_a_fifo_or_a_link_is_not_read_as_skill_md(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "SKILL.md")
    assert "has no SKILL.md" in (await validate(tmp_path))[0]
    (tmp_path / "SKILL.md").unlink()
    (tmp_path / "SKILL.md").symlink_to("/etc/passwd")
    [problem] = await validate(tmp_path)
    assert "its SKILL.md is a link that leads out of the folder of skills" in problem


@given(st.lists(PIECES, max_size=10).map("".join))
def test_any_frontmatter_gives_problems_not_errors(block: str) -> None:
    with TemporaryDirectory() as folder:
        Path(folder, "SKILL.md").write_text(f"---\n{block}\n---\n")
        asyncio.run(validate(Path(folder)))
