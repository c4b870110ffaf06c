"""Skills as others wrote them: what is loaded, what is mended, and what is refused."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.skills import files as skill_files
from activities.skills.frontmatter import FRONTMATTER_MAX_BYTES, parse_frontmatter
from activities.skills.metadata import Skill, load_skill
from tests.growth import is_about_linear
from workflows.errors.skills import SkillRefused

MakeSkill = Callable[..., Path]

# Pieces of YAML that break parsers, joined at random.
PIECES = [
    *("---\n", "name: a\n", "description: b\n", "metadata:\n  a: b\n", "description: a: b\n"),
    *('"\\U99999999"', '"\\uD800"', '"\\0"', "&a ", "*a ", "!!python/object:os.system ", "<<: "),
    *("{", "[", "}", "]", "? ", "- ", ": ", "|\n", ">\n", "\t", "\x00", "\u2028", '"', "'", "\n"),
    *("%YAML 9." + "9" * 5000 + "\n", "[" * 3000, "{a: " * 3000, "\ufeff", "\x85", "~", "#", "\r"),
]


def loaded(head: str | bytes, make_skill: MakeSkill) -> Skill:
    return load_skill(make_skill("tidy", head=head))


class TestWhatTheFormatAllows:
    def test_every_field_is_read(self, make_skill: MakeSkill) -> None:
        head = (
            "---\nname: tidy\ndescription: >\n  Tidies\n  things.\nlicense: MIT\n"
            "compatibility: Needs git\nmetadata:\n  author: Ann\n  version: 1.0\n"
            "allowed-tools: Bash(git add:*) Read\n---\n# Tidy\n"
        )
        folder = make_skill("tidy", {"scripts/run.py": "", "references/a.md": ""}, head=head)
        skill = load_skill(folder)
        assert (skill.name, skill.description) == ("tidy", "Tidies things.")
        assert (skill.license, skill.compatibility) == ("MIT", "Needs git")
        assert skill.metadata == {"author": "Ann", "version": "1.0"}
        assert skill.allowed_tools == ("Bash(git add:*)", "Read")
        assert skill.scripts == ("scripts/run.py",)
        assert skill.files == ("SKILL.md", "references/a.md", "scripts/run.py")
        assert skill.warnings == ()

    def test_scripts_are_the_files_that_can_be_run(self, make_skill: MakeSkill) -> None:
        names = ("a.py", "b.sh", "c.bash", "d.js", "e.mjs", "f.cjs", "deep/g.py")
        others = ("__init__.py", "notes.md", "data.json", "lib.so")
        files = {f"scripts/{name}": "" for name in (*names, *others)} | {"assets/h.py": ""}
        skill = load_skill(make_skill("tidy", files))
        assert skill.scripts == tuple(sorted(f"scripts/{name}" for name in names))

    @pytest.mark.parametrize(
        ("declared", "lifetime"),
        [
            ("agentos-cache: 2h", timedelta(hours=2)),
            ("agentos-cache: 30d", timedelta(days=30)),
            ("agentos-cache: 'false'", None),
            ("cache: 2h", None),
        ],
    )
    def test_a_skill_says_how_long_its_results_are_kept(
        self, make_skill: MakeSkill, declared: str, lifetime: timedelta | None
    ) -> None:
        head = f"---\nname: tidy\ndescription: Tidies.\nmetadata: {{{declared}}}\n---\n"
        skill = loaded(head, make_skill)
        assert (skill.lifetime, skill.warnings) == (lifetime, ())

    @pytest.mark.parametrize("declared", ["true", "soon", "31d", "0s"])
    def test_what_is_no_such_time_is_told_and_nothing_is_kept(
        self, make_skill: MakeSkill, declared: str
    ) -> None:
        head = (
            f"---\nname: tidy\ndescription: Tidies.\nmetadata:\n  agentos-cache: {declared}\n---\n"
        )
        skill = loaded(head, make_skill)
        assert skill.lifetime is None
        [warning] = skill.warnings
        assert warning.startswith("SKILL.md:4: agentos-cache: ")

    def test_windows_line_ends_are_no_deviation(self, make_skill: MakeSkill) -> None:
        skill = loaded("---\r\nname: tidy\r\ndescription: Tidies.\r\n---\r\n", make_skill)
        assert (skill.description, skill.warnings) == ("Tidies.", ())


class TestWhatIsMended:
    @pytest.mark.parametrize(
        ("head", "description", "warning"),
        [
            (
                "---\nname: tidy\ndescription: Use when: it is dirty\n---\n",
                "Use when: it is dirty",
                "SKILL.md:3: description is not valid YAML",
            ),
            (
                "---\nname: tidy\ndescription: Use when: dirty\n  or: dusty\n---\n",
                "Use when: dirty or: dusty",
                "SKILL.md:3: description is not valid YAML",
            ),
            (
                '---\nname: tidy\ndescription: "Tidy" things\n---\n',
                '"Tidy" things',
                "SKILL.md:3: description is not valid YAML",
            ),
            (
                "---\nname: tidy\nallowed-tools: [Read\ndescription: Tidies.\n---\n",
                "Tidies.",
                "SKILL.md:3: allowed-tools is not valid YAML",
            ),
            (
                b"\xef\xbb\xbf---\nname: tidy\ndescription: Tidies.\n---\n",
                "Tidies.",
                "SKILL.md:1: starts with a byte order mark",
            ),
            (
                b"---\nname: tidy\ndescription: Caf\xe9\n---\n",
                "Café",
                "SKILL.md:3: is not UTF-8",
            ),
            (
                "\n\n---\nname: tidy\ndescription: Tidies.\n---\n",
                "Tidies.",
                "SKILL.md:1: has empty lines",
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\n\n# Tidy: how\n",
                "Tidies.",
                "SKILL.md: has no second ---",
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\nversion: 2\n---\n",
                "Tidies.",
                "SKILL.md:4: the field version is unknown",
            ),
            (
                "---\nname: tidy\ndescription: One.\ndescription: Two.\n---\n",
                "Two.",
                "SKILL.md:4: description is given twice",
            ),
            (
                "---\nname: tidy\ndescription: [Tidies, cleans]\n---\n",
                "Tidies, cleans",
                "SKILL.md:3: description is a list",
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\nmetadata: {a: {b: c}}\n---\n",
                "Tidies.",
                "SKILL.md:4: nested values of metadata",
            ),
            (
                f"---\nname: tidy\ndescription: {'x' * 1025}\n---\n",
                "x" * 1024,
                "SKILL.md:3: description was cut to 1024 characters",
            ),
            (
                "---\nname: tidy\ndescription:\tTidies.\t\n---\n",
                "Tidies.",
                "SKILL.md:3: description is not valid YAML",
            ),
            (
                "---\nname: tidy\ndescription: |\n  Tidies.\n\n  Twice.\n---\n",
                "Tidies.\n\nTwice.",
                None,
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\n...\n# Tidy\n\nText: more.\n",
                "Tidies.",
                "SKILL.md: has no second ---",
            ),
            (
                "---\nname: tidy\ndescription: !!python/object:os.system Tidies.\n---\n",
                "Tidies.",
                None,
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\n"
                "allowed-tools:\n- Bash(git:*)\n- Read\n---\n",
                "Tidies.",
                "SKILL.md:4: allowed-tools is a list",
            ),
            (
                "---\nname: tidy\ndescription: Tidies.\nlicense: ~\n---\n",
                "Tidies.",
                None,
            ),
            (
                "---\r\nname: tidy\r\ndescription: Caf\xe9\r\n---\r\n".encode("utf-16"),
                "Caf\xe9",
                "SKILL.md:1: is UTF-16",
            ),
            (
                '---\nname: tidy\ndescription: "Ti\\e[31mdy\\0\\uD800"\n---\n',
                "Ti[31mdy",
                None,
            ),
        ],
    )
    def test_a_deviation_is_mended_and_told(
        self, head: str | bytes, description: str, warning: str | None, make_skill: MakeSkill
    ) -> None:
        skill = loaded(head, make_skill)
        assert skill.description == description
        assert [w for w in skill.warnings if warning and w.startswith(warning)] or warning is None
        assert len(skill.warnings) == (0 if warning is None else 1)

    @pytest.mark.parametrize(
        ("declared", "name"),
        [
            ("PDF Tools", "pdf-tools"),
            ("../../etc/passwd", "etc-passwd"),
            ("..", "folder-name"),
            ("/", "folder-name"),
            ("a--b-", "a-b"),
            ("x" * 70, "x" * 64),
            ("\U00020000" * 64, "\U00020000" * 50),
        ],
    )
    def test_a_name_is_made_safe_to_be_a_folder(
        self, declared: str, name: str, make_skill: MakeSkill
    ) -> None:
        head = f'---\nname: "{declared}"\ndescription: Tidies.\n---\n'
        skill = load_skill(make_skill("folder-name", head=head))
        assert skill.name == name
        assert any(f"goes by {name}" in warning for warning in skill.warnings)

    def test_a_missing_name_is_the_folders(self, make_skill: MakeSkill) -> None:
        skill = loaded("---\ndescription: Tidies.\n---\n", make_skill)
        assert (skill.name, skill.warnings) == (
            "tidy",
            ("SKILL.md: has no name; the folder's is used",),
        )

    def test_a_name_other_than_the_folders_is_kept(self, make_skill: MakeSkill) -> None:
        skill = loaded("---\nname: neat\ndescription: Tidies.\n---\n", make_skill)
        assert skill.name == "neat"
        assert skill.warnings == ("SKILL.md:2: the name neat is not the folder's",)

    @pytest.mark.parametrize("name", ["Skill.md", "SKILL.MD"])
    def test_a_skill_md_in_other_letters_is_found_and_told(
        self, name: str, make_skill: MakeSkill
    ) -> None:
        folder = make_skill("tidy")
        (folder / "SKILL.md").rename(folder / name)
        [warning] = load_skill(folder).warnings
        assert warning == f"{name}: should be called SKILL.md"

    def test_a_null_is_no_description(self, make_skill: MakeSkill) -> None:
        with pytest.raises(SkillRefused, match="no description"):
            load_skill(make_skill("tidy", head="---\nname: tidy\ndescription: null\n---\n"))

    def test_a_lower_case_skill_md_is_found(self, make_skill: MakeSkill) -> None:
        folder = make_skill("tidy")
        (folder / "SKILL.md").rename(folder / "skill.md")
        assert load_skill(folder).name == "tidy"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "head",
        [
            "",
            "# Tidy\n",
            "---\nname: tidy\n---\n",
            "---\nname: tidy\ndescription:\n---\n",
            "---\nname: tidy\ndescription: {a: b}\n---\n",
            "---\n" + "# " + "x" * FRONTMATTER_MAX_BYTES + "\ndescription: late\n---\n",
        ],
    )
    def test_without_a_description_there_is_no_skill(
        self, head: str, make_skill: MakeSkill
    ) -> None:
        with pytest.raises(SkillRefused, match="no description"):
            loaded(head, make_skill)

    def test_a_folder_without_skill_md_is_no_skill(self, tmp_path: Path) -> None:
        with pytest.raises(SkillRefused, match=r"no SKILL\.md"):
            load_skill(tmp_path)

    def test_a_link_out_of_the_folder_is_left_out(
        self, make_skill: MakeSkill, tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_text("s3cret")
        folder = make_skill("tidy", {"scripts/run.py": ""})
        (folder / "scripts/leak.py").symlink_to(secret)
        (folder / "away").symlink_to(tmp_path)
        (folder / "scripts/same.py").symlink_to("run.py")
        skill = load_skill(folder)
        assert skill.files == ("SKILL.md", "scripts/run.py", "scripts/same.py")
        assert (
            "scripts/leak.py: left out: it is a link that leads out of the folder of skills"
            in skill.warnings
        )
        assert (
            "away: left out: it is a link that leads out of the folder of skills" in skill.warnings
        )

    def test_a_skill_md_that_links_out_is_not_read(
        self, make_skill: MakeSkill, tmp_path: Path
    ) -> None:
        other = make_skill("other")
        folder = tmp_path / "tidy"
        folder.mkdir()
        (folder / "SKILL.md").symlink_to(other / "SKILL.md")
        with pytest.raises(SkillRefused, match=r"its SKILL\.md is a link that leads out"):
            load_skill(folder)

    def test_skill_files_that_are_not_regular_are_left_out(self, make_skill: MakeSkill) -> None:
        folder = make_skill("tidy")
        os.mkfifo(folder / "pipe")
        (folder / "loop").symlink_to("loop")
        (folder / "line\nbreak").write_text("")
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("")
        skill = load_skill(folder)
        assert skill.files == ("SKILL.md",)
        assert len(skill.warnings) == 4

    def test_a_fifo_in_the_place_of_a_listed_file_is_not_waited_for(
        self, make_skill: MakeSkill
    ) -> None:
        folder = make_skill("tidy", {"a": ""})
        listing = skill_files.list_files(folder)
        (folder / "a").unlink()
        os.mkfifo(folder / "a")
        with pytest.raises(OSError, match="not a regular file"):
            skill_files.digest_of(folder, listing)

    def test_too_many_files_are_refused(self, make_skill: MakeSkill) -> None:
        folder = make_skill("tidy", {f"assets/{n}": "" for n in range(skill_files.FILES_MAX)})
        with pytest.raises(SkillRefused, match="more than 1000 files"):
            load_skill(folder)

    def test_too_many_folders_are_refused(self, make_skill: MakeSkill) -> None:
        folder = make_skill("tidy")
        for n in range(skill_files.FOLDERS_MAX):
            (folder / str(n)).mkdir()
        with pytest.raises(SkillRefused, match="more than 1000 folders"):
            load_skill(folder)

    def test_too_many_bytes_are_refused_without_reading_them(self, make_skill: MakeSkill) -> None:
        folder = make_skill("tidy", {"huge": ""})
        os.truncate(folder / "huge", skill_files.TOTAL_MAX_BYTES + 1)  # sparse
        with pytest.raises(SkillRefused, match="64 MiB"):
            load_skill(folder)


class TestDigest:
    def test_the_same_files_give_the_same_digest_anywhere(
        self, make_skill: MakeSkill, tmp_path: Path
    ) -> None:
        files = {"scripts/b.py": "b", "scripts/a.py": "a"}
        one = load_skill(make_skill("tidy", files, within=tmp_path / "one"))
        two = load_skill(make_skill("tidy", files, within=tmp_path / "two"))
        assert one.digest == two.digest
        assert len(one.digest) == 64

    @pytest.mark.parametrize("change", ["content", "name", "mode"])
    def test_any_change_of_a_skill_changes_its_digest(
        self, change: str, make_skill: MakeSkill
    ) -> None:
        folder = make_skill("tidy", {"scripts/a.py": "a"})
        script = folder / "scripts/a.py"
        before = load_skill(folder).digest
        if change == "content":
            script.write_text("b")
        elif change == "name":
            script.rename(script.with_name("b.py"))
        else:
            script.chmod(0o755)
        assert load_skill(folder).digest != before

    def test_files_that_tools_leave_behind_do_not_change_the_digest(
        self, make_skill: MakeSkill
    ) -> None:
        folder = make_skill("tidy", {"scripts/a.py": "a"})
        before = load_skill(folder).digest
        (folder / "scripts/__pycache__").mkdir()
        (folder / "scripts/__pycache__/a.pyc").write_text("")
        assert load_skill(folder).digest == before


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    parse_frontmatter(content)


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_broken_yaml_is_read_without_an_error(pieces: list[str]) -> None:
    head = parse_frontmatter(("---\n" + "".join(pieces) + "\n---\n").encode())
    for value in (*head.fields, *head.fields.values(), *head.warnings):
        str(value).encode()  # no half of a surrogate pair
        assert "\0" not in str(value)


@pytest.mark.parametrize("piece", ["[", "{", "a: [\n", "a: " + "[" * 1000 + "\n", "a: 'b\n", "- "])
def test_no_frontmatter_keeps_the_parser_busy(piece: str) -> None:
    def parse(size_bytes: int) -> None:
        parse_frontmatter(("---\n" + piece * (size_bytes // len(piece)) + "\n---\n").encode())

    assert is_about_linear(parse, FRONTMATTER_MAX_BYTES)


def test_aliases_are_not_expanded() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
    )
    head = parse_frontmatter(f"---\ndescription: d\nmetadata: *x\n{bomb}---\n".encode())
    assert head.fields["description"] == "d"
    assert len(str(head.fields)) < 1000
