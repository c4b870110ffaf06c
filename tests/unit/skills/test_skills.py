"""The built-in skills as a whole: valid, self-contained, and unchanged by running."""

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from skills_ref import validate

from activities.skills.dependencies import parse_inline_metadata
from activities.skills.metadata import load_skill
from activities.skills.requirements import check_covers, parse_lock, parse_requirement
from tests.unit.skills.runs import SCRIPTS, SKILLS, run

every_skill = pytest.mark.parametrize("skill", sorted(SCRIPTS))


def test_there_is_a_test_for_every_skill() -> None:
    folders = {path.parent.name for path in SKILLS.glob("*/SKILL.md")}
    assert folders == set(SCRIPTS)


@every_skill
def test_a_skill_follows_the_format(skill: str) -> None:
    assert validate(SKILLS / skill) == []


@every_skill
def test_a_skill_loads_without_a_warning_and_has_one_script(skill: str) -> None:
    loaded = load_skill(SKILLS / skill)
    assert loaded.warnings == ()
    assert loaded.scripts == (f"scripts/{SCRIPTS[skill]}",)


@every_skill
def test_the_description_names_every_option_of_the_script(skill: str, tmp_path: Path) -> None:
    told = run(skill, "--help", cwd=tmp_path)
    assert told.code == 0
    options = set(re.findall(r"^  (?:-\w, |-\w \S+, )?(--[a-z-]+)", told.stdout, re.MULTILINE))
    described = (SKILLS / skill / "SKILL.md").read_text()
    unnamed = {o for o in options if o not in described} - {"--help", "--output", "--strip"}
    assert unnamed == set()


@every_skill
def test_an_unknown_option_is_a_usage_error(skill: str, tmp_path: Path) -> None:
    assert run(skill, "x", "--no-such-option", cwd=tmp_path).code == 2


DATA = SKILLS.parent / "deploy" / "demo" / "penguins_raw.csv"
DETERMINISTIC = {
    "csv-clean": [DATA],
    "csv-profile": [DATA],
    "csv-join": [DATA, DATA, "--on", "Individual ID"],
    "report": [DATA, f"Again={DATA}", "--title", "Penguins"],
    "text-extract": [SKILLS / "report" / "SKILL.md"],
}


# Of charts, for which a library must be installed, their own tests show it.
@pytest.mark.parametrize("skill", DETERMINISTIC)
def test_what_a_skill_gives_follows_from_what_it_is_given_alone(skill: str, tmp_path: Path) -> None:
    given = []
    for seed in ("1", "2"):  # of the order of sets, which differs from run to run
        folder = tmp_path / seed
        folder.mkdir()
        done = run(skill, *DETERMINISTIC[skill], cwd=folder, PYTHONHASHSEED=seed)
        assert done.code == 0, done.stderr
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        given.append((done.stdout, files))
        time.sleep(1.1)  # as a file might have the time of day
    assert given[0] == given[1]


@every_skill
def test_results_of_a_skill_are_kept_for_an_hour(skill: str) -> None:
    assert load_skill(SKILLS / skill).lifetime == timedelta(hours=1)


SHARED = (
    "bad_input",
    "calendar_names",
    "column_looks",
    "column_reading",
    "csv_delimiter",
    "csv_file",
    "csv_parts",
    "csv_writer",
    "file_kinds",
    "plain_values",
    "text_encoding",
    "written_dates",
    "written_forms",
    "written_numbers",
)


def test_shared_modules_are_the_same_in_every_skill() -> None:
    """A skill stands alone, so it carries its own copy; a copy must not drift."""
    for name in SHARED:
        copies = [path.read_text() for path in SKILLS.glob(f"*/lib/{name}.py")]
        assert len(copies) > 1, name
        assert len(set(copies)) == 1, name


@every_skill
def test_a_lock_holds_what_the_script_asks_for_and_no_address(skill: str) -> None:
    lock = (SKILLS / skill / "requirements.lock").read_text()
    inline = parse_inline_metadata((SKILLS / skill / "scripts" / SCRIPTS[skill]).read_text(), skill)
    assert inline is not None
    wanted = [parse_requirement(text, skill) for text in inline.dependencies]
    check_covers(parse_lock(lock, skill), wanted, skill)
    assert "://" not in lock
    assert all("<" in text for text in wanted), "an upper bound"
