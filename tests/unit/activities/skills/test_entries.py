"""Which files of a skill run, wherever they are, and what a step may call them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.skills.catalogue import Catalogue
from activities.skills.entries import Entry, Language, find_entry, language_of
from activities.skills.metadata import load_skill
from workflows.errors.skills import ScriptNotNamed, ScriptUnsuitable

MakeSkill = Callable[..., Path]


@pytest.mark.parametrize(
    ("path", "first_line", "language"),
    [
        ("a.py", b"", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/env python3\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/python3.12 -u\r\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/env -S uv run --script\n", Language.PYTHON),
        ("bin/tidy", b"#!/bin/sh\n", Language.SH),
        ("bin/tidy", b"#! /usr/bin/env bash\n", Language.BASH),
        ("bin/tidy", b"#!/usr/bin/env -S A=b node --no-warnings\n", Language.JAVASCRIPT),
        ("bin/tidy", b"#!/usr/bin/env ruby\n", None),
        ("bin/tidy", b"#!\n", None),
        ("bin/tidy", b"\xef\xbb\xbf#!/usr/bin/env python3\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/env -u PYTHONPATH python3\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/env -S -i PATH=/bin bash -eu\n", Language.BASH),
        ("bin/tidy", b"#!/usr/bin/env -S poetry run python\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/env -S uv run --quiet --script\n", Language.PYTHON),
        ("bin/tidy", b"#!/usr/bin/perl -w\n", None),
        ("bin/tidy", b"#!/usr/bin/env -S deno run\n", None),
        ("Tidy.PY", b"", Language.PYTHON),
        ("TIDY.SH", b"#!/bin/bash\r\n", Language.BASH),
        ("tidy.pyw", b"", Language.PYTHON),
        ("tidy.sh", b"#!/usr/bin/env python3\n", Language.PYTHON),
        ("tidy.py", b"#!/bin/sh\n", Language.PYTHON),  # In both at once, as some begin.
        ("bin/tidy", b"\x7fELF\x02", None),
        ("bin/tidy", b"\xff\xfe\x00", None),
        ("a.txt", b"", None),
    ],
)
def test_a_file_runs_by_its_suffix_or_its_first_line(
    path: str, first_line: bytes, language: Language | None
) -> None:
    assert language_of(path, first_line) is language


@given(st.binary(max_size=256))
def test_any_first_line_gives_a_language_or_none(line: bytes) -> None:
    language_of("tool", b"#!" + line)


@pytest.mark.parametrize(
    ("script", "entry"),
    [
        ("tools/fix.py", Entry("tools/fix.py")),
        ("./tools/fix.py", Entry("tools/fix.py")),
        ("python tools/fix.py", Entry("tools/fix.py")),
        ("python3 -m tools.fix", Entry("tools/fix.py", "tools.fix")),
        ("-m tools.fix", Entry("tools/fix.py", "tools.fix")),
        ("tools.fix", Entry("tools/fix.py", "tools.fix")),
        ("-m app", Entry("app/__main__.py", "app")),
        ("-m pack.run", Entry("scripts/pack/run.py", "scripts.pack.run")),
        ("run", Entry("scripts/run")),
        ("tools\\fix.py", Entry("tools/fix.py")),
        ("python3 -u tools/fix.py", Entry("tools/fix.py")),
        ("python -X utf8 -m tools.fix", Entry("tools/fix.py", "tools.fix")),
        ("uv run tools/fix.py", Entry("tools/fix.py")),
        ("uv run --script tools/fix.py", Entry("tools/fix.py")),
        ("uv run python -m tools.fix", Entry("tools/fix.py", "tools.fix")),
        ("{baseDir}/tools/fix.py", Entry("tools/fix.py")),
        ("python ${CLAUDE_SKILL_ROOT}/tools/fix.py", Entry("tools/fix.py")),
        ("<skill-dir>/tools/fix.py", Entry("tools/fix.py")),
        ("app", Entry("app/__main__.py", "app")),
        ("python app/", Entry("app/__main__.py")),
        ("tools.none", None),
        ("-m tools/fix.py", None),
        ("-m os", None),
        ("", None),
    ],
)
def test_a_script_goes_by_its_path_or_as_a_module(script: str, entry: Entry | None) -> None:
    runnable = ("app/__main__.py", "scripts/pack/run.py", "scripts/run", "tools/fix.py")
    assert find_entry(script, runnable, (*runnable, "SKILL.md")) == entry


def test_scripts_elsewhere_are_listed_where_the_skill_names_them(make_skill: MakeSkill) -> None:
    head = (
        "---\nname: tidy\ndescription: Tidies.\n---\n"
        "Run `python tools/fix.py`, `{baseDir}/bin/tidy` or `python -m app.report`.\n"
    )
    files = {
        "tools/fix.py": "",
        "tools/prefix.py": "",
        "bin/tidy": "#!/bin/sh\n",
        "app/report.py": "",
        "scripts/run": "#!/usr/bin/env python3\n",
        "scripts/notes": "no script",
    }
    skill = load_skill(make_skill("tidy", files, head=head))
    assert skill.scripts == ("app/report.py", "bin/tidy", "scripts/run", "tools/fix.py")
    assert "tools/prefix.py" in skill.runnable


async def test_the_only_script_of_the_usual_folder_need_not_be_named(
    make_skill: MakeSkill,
) -> None:
    head = "---\nname: tidy\ndescription: Tidies.\n---\nSee tools/fix.py.\n"
    files = {"tools/fix.py": "", "scripts/run.py": ""}
    catalogue = Catalogue([make_skill("tidy", files, head=head).parent])
    assert (await catalogue.find_script("tidy", None))[1] == Entry("scripts/run.py")
    assert (await catalogue.find_script("tidy", "tools/fix.py"))[1] == Entry("tools/fix.py")


async def test_the_only_script_elsewhere_need_not_be_named(make_skill: MakeSkill) -> None:
    head = "---\nname: tidy\ndescription: Tidies.\n---\nSee fix.py.\n"
    catalogue = Catalogue([make_skill("tidy", {"fix.py": ""}, head=head).parent])
    assert (await catalogue.find_script("tidy", None))[1] == Entry("fix.py")


async def test_scripts_elsewhere_must_be_named_when_there_are_several(
    make_skill: MakeSkill,
) -> None:
    head = "---\nname: tidy\ndescription: Tidies.\n---\nSee a.py and b.py.\n"
    catalogue = Catalogue([make_skill("tidy", {"a.py": "", "b.py": ""}, head=head).parent])
    with pytest.raises(ScriptNotNamed, match=r"a\.py, b\.py"):
        await catalogue.find_script("tidy", None)


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("SKILL.md", None, "it is no script"),
        ("scripts/a.rb", "puts 1", "written in Ruby"),
        ("scripts/a.R", "print(1)", "written in R"),
        ("scripts/a.ts", "", "written in TypeScript"),
        ("scripts/a.ps1", "", "written in PowerShell"),
        ("bin/a", "#!/usr/bin/perl -w\nprint 1;\n", "another interpreter (#!/usr/bin/perl -w)"),
        ("bin/a", "\x7fELF", "a compiled program"),
    ],
)
async def test_a_file_that_is_there_is_never_reported_as_missing(
    path: str, content: str | None, reason: str, make_skill: MakeSkill
) -> None:
    files = {} if content is None else {path: content}
    catalogue = Catalogue([make_skill("tidy", files).parent])
    with pytest.raises(ScriptUnsuitable) as caught:
        await catalogue.find_script("tidy", path.removeprefix("scripts/"))
    assert f"has the file {path}" in str(caught.value)
    assert reason in str(caught.value)
