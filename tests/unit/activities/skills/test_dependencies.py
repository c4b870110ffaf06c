"""What a script declares: PEP 723, requirements.txt and locks, all written by strangers."""

import contextlib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.skills.dependencies import (
    Dependencies,
    find_dependencies,
    find_shared_dependencies,
    parse_inline_metadata,
)
from activities.skills.requirements import decode, parse_lock, parse_requirement, render_lock
from workflows.errors.skills import DependencyRefused

MakeSkill = Callable[..., Path]
Files = Mapping[str, str] | Mapping[str, bytes]

HASH = "sha256:" + "a" * 64
OTHER_HASH = "sha256:" + "b" * 64

# The pattern and the reading of it that PEP 723 gives as its reference.
REFERENCE = re.compile(
    r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", re.ASCII
)

# Lines that begin, end or fill a block, joined at random.
LINES = st.sampled_from(
    [
        *("# /// script", "# /// x", "# ///", "#  ///", "# # /// script", "#", "#x", ""),
        *("# dependencies = ['a']", "# [tool.x]", "# a = '''", "# '''", "import os"),
    ]
)


def block(*lines: str) -> str:
    return "\n".join(("# /// script", *(f"# {line}" for line in lines), "# ///", ""))


async def read(make_skill: MakeSkill, files: Files, script: str) -> Dependencies:
    return find_dependencies("tidy", make_skill("tidy", files), f"scripts/{script}")


class TestInlineMetadata:
    def test_a_block_is_read(self) -> None:
        source = "#!/usr/bin/env python\n" + block(
            "requires-python = '>=3.11'", "dependencies = [", "  'a<2',", "]", "[tool.uv]", "x = 1"
        )
        inline = parse_inline_metadata(source + "import a\n", "x.py")
        assert inline is not None
        assert (inline.requires_python, inline.dependencies) == (">=3.11", ["a<2"])

    @pytest.mark.parametrize(
        "source",
        [
            "",
            "import a\n",
            "# /// script\n# dependencies = ['a']\n",
            "# /// script\n# dependencies = ['a']\n\n# ///\n",
            "    # /// script\n    # dependencies = ['a']\n    # ///\n",
            "# /// other\n# dependencies = ['a']\n# ///\n",
        ],
    )
    def test_a_comment_that_is_not_inline_metadata_is_ignored(self, source: str) -> None:
        assert parse_inline_metadata(source, "x.py") is None

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            (block("dependencies = ["), "not TOML"),
            (block("dependencies = 'a'"), "dependencies of its '# /// script' block is wrong"),
            (block("dependencies = [1]"), r"dependencies\.0 of its"),
            (block("requires-python = 3"), "requires-python of its"),
            (block("a = " + "[" * 5000), "not TOML"),
            (block("x = 1" + "0" * 5000), "not TOML"),
            (
                block("dependencies = []") + "\n" + block("dependencies = []"),
                "two '# /// script' blocks",
            ),
            (block("x = '" + "y" * 70_000 + "'"), "over 65536 characters"),
        ],
    )
    def test_a_broken_block_is_refused(self, source: str, reason: str) -> None:
        with pytest.raises(DependencyRefused, match=reason):
            parse_inline_metadata(source, "x.py")

    @given(st.text(max_size=300))
    def test_any_text_is_read_or_refused(self, source: str) -> None:
        for text in (source, block(*source.splitlines())):
            with contextlib.suppress(DependencyRefused):
                parse_inline_metadata(text, "x.py")

    @settings(max_examples=300)
    @given(st.lists(LINES, max_size=12))
    def test_blocks_are_those_of_the_reference(self, lines: list[str]) -> None:
        source = "\n".join(lines) + "\n"
        blocks = [match for match in REFERENCE.finditer(source) if match["type"] == "script"]
        expected: object = None
        try:
            if len(blocks) == 1:
                content = "".join(
                    line[2:] if line.startswith("# ") else line[1:]
                    for line in blocks[0]["content"].splitlines(keepends=True)
                )
                expected = tomllib.loads(content).get("dependencies", [])
        except tomllib.TOMLDecodeError:
            expected = DependencyRefused
        if len(blocks) > 1:
            expected = DependencyRefused
        try:
            inline = parse_inline_metadata(source, "x.py")
        except DependencyRefused:
            assert expected is DependencyRefused
        else:
            assert (None if inline is None else inline.dependencies) == expected


class TestRequirements:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("pandas", "pandas"),
            (" pandas >= 2 , < 3 ", "pandas<3,>=2"),
            ("pandas\t>=2", "pandas>=2"),
            ("uvicorn[standard]==0.30.*", "uvicorn[standard]==0.30.*"),
            ("tomli; python_version < '3.11'", 'tomli; python_version < "3.11"'),
        ],
    )
    def test_a_requirement_is_written_anew(self, text: str, written: str) -> None:
        assert parse_requirement(text, "x.py") == written

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("a @ https://example.com/a-1-py3-none-any.whl", "package index only"),
            ("a @ file:///tmp/a-1-py3-none-any.whl", "package index only"),
            ("a @ git+https://example.com/a.git", "package index only"),
            ("git+https://example.com/a.git#egg=a", "not a package name"),
            ("https://example.com/a-1-py3-none-any.whl", "not a package name"),
            ("./a-1-py3-none-any.whl", "not a package name"),
            ("..", "not a package name"),
            ("-e .", "not a package name"),
            ("--index-url=https://example.com", "not a package name"),
            ("a --hash=sha256:00", "not a package name"),
            ("a\n--index-url=https://example.com", "not a package name"),
            ("a; platform_machine != '\n--index-url=https://x.test\n'", "not a package name"),
            ("a; platform_machine != '${UV_INDEX_TOKEN}'", "no requirement needs"),
            ("a; platform_machine != 'x \\'", "not a package name"),
            ("a" * 501, "over 500 characters"),
            ("a; " + "(" * 490, "not a package name"),
            ("", "not a package name"),
        ],
    )
    def test_a_requirement_that_is_not_a_package_and_versions_is_refused(
        self, text: str, reason: str
    ) -> None:
        with pytest.raises(DependencyRefused, match=reason):
            parse_requirement(text, "x.py")

    @given(st.text(max_size=80))
    def test_any_text_is_one_clean_line_or_refused(self, text: str) -> None:
        for candidate in (text, f"a; platform_machine != '{text}'", f"a=={text}"):
            try:
                written = parse_requirement(candidate, "x.py")
            except DependencyRefused:
                continue
            assert re.match(r"[A-Za-z0-9]", written)
            assert not set(written) & set("\r\n\\#$\u2028\x0b\x0c\x85")

    @pytest.mark.parametrize(
        "line",
        ["-r other.txt", "--index-url https://example.com", "-e .", "a @ file:///a", "./a", "-f ."],
    )
    async def test_a_line_with_an_option_or_a_place_is_refused_with_its_number(
        self, line: str, make_skill: MakeSkill
    ) -> None:
        files = {"scripts/a.py": "", "requirements.txt": f"# ours\nb\n{line}\n"}
        with pytest.raises(DependencyRefused, match=r"requirements\.txt of skill tidy, line 3"):
            await read(make_skill, files, "a.py")

    async def test_comments_continuations_and_utf_16_are_understood(
        self, make_skill: MakeSkill
    ) -> None:
        text = "# ours\r\n\r\npandas \\\r\n  >=2  # why\r\nnumpy\r\n"
        files = {"scripts/a.py": b"", "requirements.txt": text.encode("utf-16")}
        assert (await read(make_skill, files, "a.py")).requirements == ("pandas>=2", "numpy")

    async def test_too_many_requirements_are_refused(self, make_skill: MakeSkill) -> None:
        files = {"scripts/a.py": "", "requirements.txt": "a\n" * 501}
        with pytest.raises(DependencyRefused, match="over 500"):
            await read(make_skill, files, "a.py")


class TestWhereTheyComeFrom:
    async def test_inline_metadata_comes_before_the_requirements_file(
        self, make_skill: MakeSkill
    ) -> None:
        files = {
            "scripts/a.py": block("dependencies = ['a']", "requires-python = '>=3.8'"),
            "scripts/b.py": "",
            "requirements.txt": "b\n",
        }
        first = await read(make_skill, files, "a.py")
        assert (first.requirements, first.requires_python) == (("a",), ">=3.8")
        assert (await read(make_skill, files, "b.py")).requirements == ("b",)

    async def test_the_requirements_file_beside_the_script_comes_first(
        self, make_skill: MakeSkill
    ) -> None:
        files = {"scripts/a.py": "", "scripts/requirements.txt": "a", "requirements.txt": "b"}
        assert (await read(make_skill, files, "a.py")).requirements == ("a",)

    @pytest.mark.parametrize("path", ["scripts/pyproject.toml", "pyproject.toml"])
    async def test_a_project_declares_for_its_scripts(
        self, path: str, make_skill: MakeSkill
    ) -> None:
        project = "[project]\nname = 'x'\nrequires-python = '>=3.8'\ndependencies = ['b']\n"
        files = {"scripts/a.py": block("dependencies = ['a']"), "scripts/b.py": "", path: project}
        assert (await read(make_skill, files, "a.py")).requirements == ("a",)
        found = await read(make_skill, files, "b.py")
        assert (found.requirements, found.requires_python) == (("b",), ">=3.8")
        assert found.declared_in == path

    async def test_a_pyproject_that_only_sets_tools_declares_nothing(
        self, make_skill: MakeSkill
    ) -> None:
        files = {
            "scripts/a.py": "",
            "scripts/pyproject.toml": "[tool.x]\n",
            "requirements.txt": "a",
        }
        assert (await read(make_skill, files, "a.py")).requirements == ("a",)

    @pytest.mark.parametrize(
        ("project", "reason"),
        [
            ("[project", "it is not TOML"),
            ("project = 1", "its `project` is no table"),
            ("[project]\ndependencies = 'a'", "dependencies must be a list"),
            ("[project]\ndependencies = ['-r x']", "not a package name"),
            ("[project]\nrequires-python = 3", "requires-python must be a text"),
        ],
    )
    async def test_a_broken_project_is_refused(
        self, project: str, reason: str, make_skill: MakeSkill
    ) -> None:
        with pytest.raises(DependencyRefused, match=reason) as caught:
            await read(make_skill, {"scripts/a.py": "", "pyproject.toml": project}, "a.py")
        assert "pyproject.toml of skill tidy" in str(caught.value)

    async def test_a_script_may_need_nothing(self, make_skill: MakeSkill) -> None:
        found = await read(make_skill, {"scripts/a.py": "import os\n"}, "a.py")
        assert found == Dependencies("tidy", "scripts/a.py")

    @pytest.mark.parametrize("script", ["a.js", "a.sh"])
    async def test_scripts_in_other_languages_have_no_dependencies(
        self, script: str, make_skill: MakeSkill
    ) -> None:
        files = {f"scripts/{script}": "", "requirements.txt": "a"}
        assert (await read(make_skill, files, script)).requirements == ()

    async def test_requires_python_must_be_a_range(self, make_skill: MakeSkill) -> None:
        files = {"scripts/a.py": block("requires-python = 'new'")}
        with pytest.raises(DependencyRefused, match="'new' is not a version range"):
            await read(make_skill, files, "a.py")


class TestLocks:
    @pytest.mark.parametrize("name", ["scripts/a.py.lock", "requirements.lock"])
    async def test_a_shipped_lock_is_taken(self, name: str, make_skill: MakeSkill) -> None:
        lock = f"a==1.0 \\\n    --hash={HASH} \\\n    --hash={OTHER_HASH}\n"
        shipped = f"# made by uv\n{lock}    # via x\n"
        files = {"scripts/a.py": block("dependencies = ['a']"), name: shipped}
        assert (await read(make_skill, files, "a.py")).lock == lock

    async def test_the_scripts_own_lock_comes_first(self, make_skill: MakeSkill) -> None:
        files = {
            "scripts/a.py": block("dependencies = ['a']"),
            "scripts/a.py.lock": f"a==1 --hash={HASH}",
            "requirements.lock": f"a==2 --hash={HASH}",
        }
        assert ((await read(make_skill, files, "a.py")).lock or "").startswith("a==1")

    async def test_a_requirements_file_with_hashes_is_a_lock(self, make_skill: MakeSkill) -> None:
        files = {"scripts/a.py": "", "requirements.txt": f"a==1 --hash={HASH}\n"}
        found = await read(make_skill, files, "a.py")
        assert (found.requirements, found.lock) == (("a==1",), f"a==1 \\\n    --hash={HASH}\n")

    @pytest.mark.parametrize(
        ("lock", "reason"),
        [
            ("a==1\n", "a --hash"),
            (f"a --hash={HASH}\n", "one version"),
            (f"a>=1 --hash={HASH}\n", "one version"),
            (f"a==1.* --hash={HASH}\n", "one version"),
            (f"a==1,==2 --hash={HASH}\n", "one version"),
            ("a==1 --hash=md5:00\n", "not a SHA-2 hash"),
            (f"a==1 --hash={HASH};evil\n", "not a SHA-2 hash"),
            (f"a @ https://x.test/a.whl --hash={HASH}\n", "package index only"),
            (f"--index-url https://x.test\na==1 --hash={HASH}\n", "options are not taken"),
            (f"a==1 --hash={HASH} --index-url https://x.test\n", "not a package name"),
            (f"b==1 --hash={HASH}\n", "its lock does not contain it"),
            (f"a==9 --hash={HASH}\n", "its lock does not contain it"),
        ],
    )
    async def test_a_lock_that_locks_less_than_it_should_is_refused(
        self, lock: str, reason: str, make_skill: MakeSkill
    ) -> None:
        files = {"scripts/a.py": block("dependencies = ['a<9']"), "scripts/a.py.lock": lock}
        with pytest.raises(DependencyRefused, match=reason):
            await read(make_skill, files, "a.py")

    async def test_a_lock_may_leave_out_what_does_not_apply_here(
        self, make_skill: MakeSkill
    ) -> None:
        declared = """dependencies = ['a', 'b; sys_platform == "win32"']"""
        files = {"scripts/a.py": block(declared), "requirements.lock": f"a==1 --hash={HASH}"}
        assert (await read(make_skill, files, "a.py")).lock

    async def test_a_lock_in_uvs_own_format_is_left_aside(self, make_skill: MakeSkill) -> None:
        files = {
            "scripts/a.py": block("dependencies = ['a']"),
            "scripts/a.py.lock": 'version = 1\n[[package]]\nname = "a"\n',
        }
        assert (await read(make_skill, files, "a.py")).lock is None

    async def test_an_oversized_lock_is_refused(self, make_skill: MakeSkill) -> None:
        files = {"scripts/a.py": "", "requirements.lock": "#" * (1024 * 1024 + 1)}
        with pytest.raises(DependencyRefused, match="over 1048576 bytes"):
            await read(make_skill, files, "a.py")

    @given(st.binary(max_size=300))
    def test_any_bytes_are_a_lock_or_refused(self, content: bytes) -> None:
        try:
            pins = parse_lock(decode(content), "x.lock")
        except DependencyRefused:
            return
        assert parse_lock(render_lock(pins), "x.lock") == pins


class TestSharedDependencies:
    def test_code_of_a_skill_needs_a_python_that_suits_all_of_its_scripts(
        self, make_skill: MakeSkill
    ) -> None:
        files = {
            "scripts/a.py": block("requires-python = '>=3.11'", "dependencies = ['one']"),
            "scripts/b.py": block("requires-python = '<3.15'"),
            "scripts/c.py": block("requires-python = '>=3.11'", "dependencies = ['two']"),
            "scripts/d.sh": "python3 a.py\n",
        }
        found = find_shared_dependencies("tidy", make_skill("tidy", files), sorted(files))
        assert found.requires_python == ">=3.11,<3.15"
        assert found.requirements == ("one", "two")

    def test_code_of_a_skill_that_asks_for_no_python_takes_any(self, make_skill: MakeSkill) -> None:
        files = {"scripts/a.py": block("dependencies = ['one']"), "scripts/b.py": "pass\n"}
        found = find_shared_dependencies("tidy", make_skill("tidy", files), sorted(files))
        assert found.requires_python is None
