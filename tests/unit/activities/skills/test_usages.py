"""What those who write steps are told of the scripts of skills."""

from pathlib import Path

import pytest

from activities.skills.catalogue import Catalogue
from activities.skills.usages import usages
from deploy.settings import BUILT_IN_SKILLS

RUN = "```\nuv run scripts/a.py IN [-o out]\n```\n"


async def lines_of(folder: Path, text: str, *scripts: str) -> list[str]:
    skill = folder / "tidy"
    (skill / "scripts").mkdir(parents=True)
    for name in scripts or ("a.py",):
        (skill / "scripts" / name).write_text("print(1)")
    (skill / "SKILL.md").write_text(f"---\nname: tidy\ndescription: Tidies up.\n---\n{text}")
    catalogue = Catalogue([folder])
    return list(await usages(catalogue, await catalogue.skills()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{RUN}Writes `out.json` (all) and `out.md`, and prints.", "  # writes out.json, out.md"),
        (f"{RUN}It writes a copy.\n\n## Output\n\n`out.csv`, and so on.", "  # writes out.csv"),
        (f"{RUN}Writes `a.txt`. It reads `b.txt`.", "  # writes a.txt"),
        (f"{RUN}Writes nothing. Reads `b.txt`.", ""),
        (f"{RUN}It overwrites `b.txt`.", ""),
        (RUN, ""),
        (
            RUN + "Writes " + ", ".join(f"`{name}.txt`" for name in "abcdef") + ".",
            "  # writes a.txt, b.txt, c.txt, d.txt",
        ),
    ],
)
async def test_a_script_is_told_with_its_command_and_the_files_that_it_writes(
    text: str, told: str, tmp_path: Path
) -> None:
    assert await lines_of(tmp_path, text) == [f"tidy: scripts/a.py IN [-o out]{told}"]


async def test_of_several_scripts_nobody_guesses_which_writes_what(tmp_path: Path) -> None:
    told = await lines_of(tmp_path, f"{RUN}Writes `out.md`.", "a.py", "b.py")
    assert told == ["tidy: scripts/a.py IN [-o out]", "tidy: scripts/b.py"]


async def test_the_skills_that_come_with_it_say_what_they_write() -> None:
    catalogue = Catalogue([Path(BUILT_IN_SKILLS)])
    told = await usages(catalogue, await catalogue.skills())
    written = {line.partition(":")[0]: line.partition("# writes ")[2] for line in told}
    assert written == {
        "chart": "chart.png, chart.svg",
        "csv-clean": "clean.csv",
        "csv-join": "joined.csv",
        "csv-profile": "profile.json, profile.md",
        "report": "report.html, report.md, report-NAME.png",
        "text-extract": "",
    }
