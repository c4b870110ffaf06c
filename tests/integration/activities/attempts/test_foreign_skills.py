"""Skills as others write them, run in the true sandbox without a change."""

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from uv import find_uv_bin

from activities.attempts.exits import error_of
from activities.attempts.scripts import Scripts
from activities.sandbox.base import Exit, Limits, Stream
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.folders import make_open_folder
from activities.sandbox.interpreter import sandbox_python
from activities.skills.catalogue import SCAN_INTERVAL_SECONDS, Catalogue
from activities.skills.code_packages import check_packages
from activities.skills.environments import Environments
from activities.skills.staging import Stage
from tests.integration.sandboxes import open_folder
from tests.wheels import make_wheel
from workflows.definitions.pipeline import Step
from workflows.errors import AgentOSError
from workflows.errors.scripts import ModuleMissing, NetworkMissing
from workflows.errors.skills import (
    CodePackagesUnavailable,
    DependenciesUnavailable,
    DependencyRefused,
    ImportUndeclared,
    PythonUnsuitable,
)

BLOCK = "# /// script\n# dependencies = [{}]\n# ///\n"


@dataclass
class Ran:
    exit: Exit
    error: AgentOSError | None
    stdout: str
    stderr: str


@dataclass
class Bench:
    """Runs steps of the skills in ``skills``; packages come from the wheels in ``index``."""

    folder: Path
    skills: Path
    index: Path
    sandbox: Bubblewrap
    scripts: Scripts
    _runs: int = field(default=0)

    def skill(self, name: str, files: Mapping[str, str], text: str = "") -> Path:
        head = f"---\nname: {name}\ndescription: Does things.\n---\n{text}"
        for path, content in {"SKILL.md": head, **files}.items():
            target = self.skills / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(content))
        return self.skills / name

    async def run(self, *args: str, **fields: object) -> Ran:
        self._runs += 1
        code, output = (self.folder / f"{what}-{self._runs}" for what in ("code", "output"))
        make_open_folder(output)
        printed = {stream: bytearray() for stream in Stream}
        step = Step.model_validate({"id": "s", **fields})
        prepare = self.scripts.of_code if step.code else self.scripts.of_skill
        limits = Limits(wall_seconds=60)
        async with prepare(step, args, code) as script:
            job = script.job({}, output, limits)
            ended = await self.sandbox.run(job, lambda stream, data: printed[stream].extend(data))
            out, err = printed[Stream.STDOUT], printed[Stream.STDERR]
            error = error_of(step, ended, limits, script, stdout=out, stderr=err)
        return Ran(ended, error, out.decode(), err.decode())

    async def prints(self, *args: str, **fields: object) -> str:
        ran = await self.run(*args, **fields)
        assert ran.exit.ok, ran.stderr
        return ran.stdout.strip()


@asynccontextmanager
async def made(
    folder: Path, skills: Path, index: Path, *, downloads: bool = False
) -> AsyncIterator[Bench]:
    sandbox = Bubblewrap(folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(skills),
        "UV_CACHE_DIR": str(index / "cache"),
        "UV_FIND_LINKS": str(index),
        "UV_OFFLINE": "1",
    }
    environments = Environments(
        folder,
        sandbox.python,
        Path(find_uv_bin()),
        environment=environment,
        downloads=downloads,
    )
    scripts = Scripts(
        Catalogue([skills]), Stage(folder), environments, python=sandbox.python, limits=Limits()
    )
    try:
        yield Bench(folder, skills, index, sandbox, scripts)
    finally:
        await sandbox.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    skills, index = tmp_path / "skills", tmp_path / "index"
    for place in (skills, index):
        place.mkdir()
    with open_folder() as folder:
        async with made(folder, skills, index) as bench:
            yield bench


@pytest.mark.parametrize(
    ("path", "content", "script"),
    [
        ("scripts/run", "#!/usr/bin/env python3\nprint('hi')\n", "scripts/run"),
        ("bin/run", "#!/bin/bash\n[[ a == a ]] && echo hi\n", "bin/run"),
        ("run.py", "print('hi')\n", "run.py"),
        ("tools/deep/run.py", "print('hi')\n", "python tools/deep/run.py"),
        ("app/run.py", "print('hi')\n", "-m app.run"),
        ("app/__main__.py", "print('hi')\n", "python3 -m app"),
        ("app/__main__.py", "print('hi')\n", "python app"),
        ("scripts/my script.py", "print('hi')\n", "my script.py"),
        ("scripts/Run.PY", "print('hi')\n", "Run.PY"),
        ("scripts/run.sh", "#!/usr/bin/env python3\nprint('hi')\n", "run.sh"),
        ("scripts/run.py", "\ufeff#!/usr/bin/env python3\r\nprint('hi')\r\n", "run.py"),
        ("run", "\ufeff#!/usr/bin/env python3\nprint('hi')\n", "run"),
        ("run.py", "# coding: latin-1\nprint('hi')\n", "uv run --script run.py"),
    ],
)
async def test_a_script_runs_wherever_it_is_in_the_skill(
    path: str, content: str, script: str, bench: Bench
) -> None:
    bench.skill("tidy", {path: content})
    assert await bench.prints(skill="tidy", script=script) == "hi"


LAYOUTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "a sibling": (
        "scripts/run.py",
        {"scripts/run.py": "from part import x\nprint(x)\n", "scripts/part.py": "x = 'hi'\n"},
    ),
    "a package beside it": (
        "scripts/run.py",
        {
            "scripts/run.py": "from parts.one import x\nprint(x)\n",
            "scripts/parts/__init__.py": "",
            "scripts/parts/one.py": "from .two import x\n",
            "scripts/parts/two.py": "x = 'hi'\n",
        },
    ),
    "its own folder by name": (
        "scripts/run.py",
        {
            "scripts/run.py": "from scripts.part import x\nprint(x)\n",
            "scripts/part.py": "x = 'hi'\n",
        },
    ),
    "a folder above": (
        "scripts/run.py",
        {"scripts/run.py": "from lib import x\nprint(x)\n", "lib/__init__.py": "x = 'hi'\n"},
    ),
    "its package, relatively": (
        "app/run.py",
        {"app/run.py": "from .part import x\nprint(x)\n", "app/part.py": "x = 'hi'\n"},
    ),
    "both at once": (
        "scripts/run.py",
        {
            "scripts/run.py": "import part\nfrom . import other\nprint(other.x)\n",
            "scripts/part.py": "",
            "scripts/other.py": "x = 'hi'\n",
        },
    ),
    "a package without __init__": (
        "scripts/run.py",
        {
            "scripts/run.py": "from parts.deep.one import x\nprint(x)\n",
            "scripts/parts/deep/one.py": "x = 'hi'\n",
        },
    ),
    "the main module of a package, relatively": (
        "-m app",
        {"app/__main__.py": "from .part import x\nprint(x)\n", "app/part.py": "x = 'hi'\n"},
    ),
    "a package run by its folder, relatively": (
        "scripts/app",
        {
            "scripts/app/__main__.py": "from .part import x\nprint(x)\n",
            "scripts/app/part.py": "x = 'hi'\n",
        },
    ),
    "a package in src": (
        "scripts/run.py",
        {
            "scripts/run.py": "from tidy_core.one import x\nprint(x)\n",
            "src/tidy_core/__init__.py": "",
            "src/tidy_core/one.py": "x = 'hi'\n",
        },
    ),
    "a module in lib": (
        "run.py",
        {"run.py": "import part\nprint(part.x)\n", "lib/part.py": "x = 'hi'\n"},
    ),
    "a module that is imported if it is there": (
        "scripts/run.py",
        {
            "scripts/run.py": """\
                try:
                    import none_such as part
                except ImportError:
                    import part
                print(part.x)
                """,
            "scripts/part.py": "x = 'hi'\n",
        },
    ),
    "its package as a module": (
        "-m app.run",
        {"app/run.py": "from app.part import x\nprint(x)\n", "app/part.py": "x = 'hi'\n"},
    ),
    "a folder that it adds itself": (
        "scripts/run.py",
        {
            "scripts/run.py": """\
                import sys
                from pathlib import Path
                sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
                import part
                print(part.x)
                """,
            "lib/part.py": "x = 'hi'\n",
        },
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_script_finds_the_modules_of_its_skill(layout: str, bench: Bench) -> None:
    script, files = LAYOUTS[layout]
    bench.skill("tidy", files)
    assert await bench.prints(skill="tidy", script=script) == "hi"


async def test_a_module_of_the_current_folder_is_not_taken_for_one_of_python(
    bench: Bench,
) -> None:
    source = """
import importlib, pathlib
pathlib.Path("json.py").write_text("1/0")
importlib.invalidate_caches()
import json
print(json.dumps(1))
"""
    bench.skill("tidy", {"app/run.py": source})
    assert await bench.prints(skill="tidy", script="-m app.run") == "1"


async def test_an_undeclared_import_is_refused_before_the_script_runs(bench: Bench) -> None:
    source = "print('began')\nimport none_such\n"
    bench.skill("tidy", {"scripts/run.py": source})
    with pytest.raises(ImportUndeclared, match="'none_such' in line 2"):
        await bench.run(skill="tidy")


async def test_packages_of_the_machine_are_not_there(bench: Bench) -> None:
    """pip is among them wherever Python has packages; and bash asks the same Python."""
    source = (
        "import importlib.util, sys\nprint(importlib.util.find_spec('pip'), sys.flags.isolated)\n"
    )
    bench.skill("tidy", {"scripts/run.py": source, "sh": "#!/bin/bash\npython3 -c 'import pip'\n"})
    assert await bench.prints(skill="tidy", script="run.py") == "None 0"
    assert "No module named 'pip'" in (await bench.run(skill="tidy", script="sh")).stderr
    listing = (
        "import glob\nprint([g for k in 'sd' for g in glob.glob('/usr/**/%sist-packages/*' % k)])"
    )
    code = {"language": "python", "source": listing}
    assert await bench.prints(code=code) == "[]"


async def test_the_variables_of_a_step_reach_its_script(bench: Bench) -> None:
    source = "import os\nprint(os.environ['MODE'], os.environ['PATH'].count('/usr/bin'))\n"
    bench.skill("tidy", {"scripts/run.py": source})
    assert await bench.prints(skill="tidy", env={"MODE": "a b"}) == "a b 1"
    code = {"language": "shell", "source": 'echo "$MODE"'}
    assert await bench.prints(code=code, env={"MODE": "a b"}) == "a b"


async def test_code_has_the_folder_modules_and_packages_of_its_skill(bench: Bench) -> None:
    make_wheel(bench.index, "one")
    files = {
        "scripts/part.py": "x = 'part'\n",
        "scripts/run.py": f"{BLOCK.format(repr('one'))}import one\n",
        "data.txt": "data",
    }
    bench.skill("tidy", files)
    source = """\
import one, part
from scripts import part as same
print(one.VERSION, part.x, same.x, open('/skills/tidy/data.txt').read())
"""
    code = {"language": "python", "source": source, "skill": "tidy"}
    assert await bench.prints(code=code) == "1.0 part part data"
    shell = {"language": "shell", "source": "python3 -c 'import one; print(one.VERSION)'"}
    assert await bench.prints(code={**shell, "skill": "tidy"}) == "1.0"
    assert "No module named 'one'" in (await bench.run(code=shell)).stderr


BAD_BLOCKS = {
    "no such package": (BLOCK.format("'nosuch'"), CodePackagesUnavailable, "The code of step s"),
    "an address": (BLOCK.format("'one @ https://x.example/one.whl'"), DependencyRefused, "index"),
    "no list": ("# /// script\n# dependencies = 'one'\n# ///\n", DependencyRefused, "a list"),
    "no such Python": (
        "# /// script\n# requires-python = '>=9'\n# ///\n",
        PythonUnsuitable,
        "The code of step s requires Python >=9",
    ),
}


async def test_code_has_the_packages_that_it_declares_itself(bench: Bench) -> None:
    make_wheel(bench.index, "one")
    make_wheel(bench.index, "two")
    bench.skill("tidy", {"scripts/run.py": f"{BLOCK.format(repr('one'))}import one\n"})
    alone = {"language": "python", "source": f"{BLOCK.format(repr('two'))}import two; print(1)"}
    assert await bench.prints(code=alone) == "1"
    both = {**alone, "source": f"{BLOCK.format(repr('two'))}import one, two; print(2)"}
    assert await bench.prints(code={**both, "skill": "tidy"}) == "2"


@pytest.mark.parametrize("name", BAD_BLOCKS)
async def test_what_code_declares_and_cannot_have_is_told_of_that_code(
    bench: Bench, name: str
) -> None:
    block, kind, said = BAD_BLOCKS[name]
    with pytest.raises(kind, match=said):
        await bench.run(code={"language": "python", "source": f"{block}print(1)"})


async def test_code_that_a_model_has_written_may_declare_what_a_skill_declares_and_no_more(
    bench: Bench,
) -> None:
    make_wheel(bench.index, "one")
    bench.skill("tidy", {"scripts/run.py": f"{BLOCK.format(repr('one'))}import one\n"})
    catalogue = Catalogue([bench.skills])

    def step(package: str) -> Step:
        source = f"{BLOCK.format(repr(package))}print(1)"
        return Step.model_validate({"id": "s", "code": {"language": "python", "source": source}})

    await check_packages(catalogue, step("One>=1"))
    with pytest.raises(DependencyRefused, match="declared by no skill"):
        await check_packages(catalogue, step("two"))


async def test_code_that_misses_a_module_is_told_how_to_declare_it(bench: Bench) -> None:
    ran = await bench.run(code={"language": "python", "source": "import yaml"})
    assert isinstance(ran.error, ModuleMissing)
    assert '`# dependencies = ["pyyaml"]`' in ran.error.account


async def test_code_may_use_a_skill_of_any_name(bench: Bench) -> None:
    bench.skill("code", {"data.txt": "data"})
    code = {"language": "shell", "source": "cat /skills/code/data.txt", "skill": "code"}
    assert await bench.prints(code=code) == "data"


@pytest.mark.parametrize(
    "source",
    [
        "import urllib.request\nurllib.request.urlopen('https://example.com')\n",
        "import socket\nsocket.create_connection(('192.0.2.1', 80))\n",
    ],
)
async def test_a_script_without_network_is_told_the_setting(source: str, bench: Bench) -> None:
    bench.skill("fetch", {"scripts/run.py": source})
    ran = await bench.run(skill="fetch")
    assert isinstance(ran.error, NetworkMissing)
    assert "add fetch to AGENTOS_NETWORKED_SKILLS" in str(ran.error)


async def test_a_failed_script_says_its_last_line(bench: Bench) -> None:
    bench.skill("tidy", {"scripts/run.py": "raise ValueError('no rows')\n"})
    ran = await bench.run(skill="tidy")
    assert ran.error is not None
    assert ran.error.account.endswith(
        "exit code 1. Its output is in the task's log. It ended with: ValueError: no rows"
    )
    assert "no rows" not in str(ran.error)


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (
            "scripts/run.sh",
            "#!/bin/bash\r\nfor x in a b; do\r\necho $x\r\ndone\r\nfalse\r\n",
            "ends of lines of Windows",
        ),
        (
            "scripts/run.py",
            "open(__file__.replace('run', 'new'), 'w')\n",
            "writes to its current folder",
        ),
        ("scripts/run.py", "import os\nos.environ['NONE_SUCH']\n", "KeyError: 'NONE_SUCH'"),
        ("scripts/run.py", "input()\n", "EOFError"),
        ("scripts/run.py", "import sys\nsys.exit('no rows')\n", "no rows"),
        ("scripts/run.py", "print('no rows')\nraise SystemExit(3)\n", "no rows"),
        ("scripts/run.sh", "echo 'no rows' >&2\nexit 9\n", "no rows"),
        ("scripts/run.py", "x = 'caf\udce9'\n", "SyntaxError"),
    ],
)
async def test_a_script_that_fails_says_why_and_what_to_do(
    path: str, content: str, said: str, bench: Bench
) -> None:
    folder = bench.skill("tidy", {path: ""})
    (folder / path).write_bytes(content.encode("utf-8", "surrogateescape"))
    ran = await bench.run(skill="tidy")
    assert ran.error is not None
    assert said in ran.error.account


async def test_a_script_that_ends_itself_by_a_signal_is_said_to_be_killed(bench: Bench) -> None:
    bench.skill("tidy", {"scripts/run.py": "import os\nos.kill(os.getpid(), 11)\n"})
    ran = await bench.run(skill="tidy")
    assert "signal 11" in str(ran.error)


async def test_a_script_that_prints_a_traceback_and_goes_on_has_not_failed(bench: Bench) -> None:
    source = "import traceback\ntry:\n  1/0\nexcept ZeroDivisionError:\n  traceback.print_exc()\n"
    bench.skill("tidy", {"scripts/run.py": source})
    assert (await bench.run(skill="tidy")).error is None


async def test_a_script_that_is_a_link_has_the_modules_beside_its_target(bench: Bench) -> None:
    files = {"lib/run.py": "import part\nprint(part.x)\n", "lib/part.py": "x = 'hi'\n"}
    folder = bench.skill("tidy", files)
    (folder / "scripts").mkdir()
    (folder / "scripts" / "run.py").symlink_to("../lib/run.py")
    assert await bench.prints(skill="tidy", script="scripts/run.py") == "hi"


OWN_VERSION = ".".join(map(str, sys.version_info[:3]))


def copy_own_python(target: Path) -> None:
    """The interpreter of these tests, as if uv had brought it; without what no test needs."""
    base = Path(sys.base_prefix)
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    system = f"linux-{platform.machine()}-gnu"
    folder = target / f"cpython-{OWN_VERSION}-{system}"
    unneeded = shutil.ignore_patterns(
        *("site-packages", "test", "tests", "idlelib", "config-*", "__pycache__", "ensurepip")
    )
    shutil.copytree(base / "lib" / name, folder / "lib" / name, ignore=unneeded, symlinks=True)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy(library, folder / "lib")
    (folder / "lib" / name / "site-packages").mkdir()
    (folder / "lib" / name / "site-packages/leaked.py").touch()
    (folder / "bin").mkdir()
    program = (base / "bin" / name).resolve().read_bytes()
    # Where it looks for its library, if it has one: beside itself now.
    looked_in = os.fsencode(base / "lib") + b"\0"
    beside = b"$ORIGIN/../lib".ljust(len(looked_in), b"\0")
    (folder / "bin" / name).write_bytes(program.replace(looked_in, beside))
    (folder / "bin" / name).chmod(0o755)
    for place in (target, folder):
        place.chmod(0o755)


@pytest.mark.skipif(
    subprocess.run(
        (sandbox_python(), "-IS", "-c", "import platform; print(platform.python_version())"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    == OWN_VERSION,
    reason="the sandbox has the only Python of this machine",
)
async def test_a_script_gets_the_python_that_it_asks_for_where_that_is_allowed(
    tmp_path: Path,
) -> None:
    skills, index = tmp_path / "skills", tmp_path / "index"
    for place in (skills, index):
        place.mkdir()
    make_wheel(index, "one")
    with open_folder() as folder:
        await asyncio.to_thread(copy_own_python, folder / "pythons")
        async with made(folder, skills, index, downloads=True) as bench:
            head = f"# /// script\n# requires-python = '=={OWN_VERSION}'\n"
            source = """
import importlib.util, platform
print(platform.python_version(), importlib.util.find_spec("leaked"))
"""
            files = {
                "scripts/plain.py": f"{head}# ///\n{source}",
                "scripts/other.py": f"{head}# dependencies = ['one']\n# ///\nimport one\n{source}",
            }
            bench.skill("tidy", files)
            for script in files:
                assert await bench.prints(skill="tidy", script=script) == f"{OWN_VERSION} None"
            code = {"language": "python", "source": source, "skill": "tidy"}
            assert await bench.prints(code=code) == f"{OWN_VERSION} None"
            (bench.skills / "tidy" / "scripts" / "other.py").unlink()
            await asyncio.sleep(SCAN_INTERVAL_SECONDS)
            assert await bench.prints(code=code) == f"{OWN_VERSION} None"


async def test_a_python_that_is_not_allowed_to_be_brought_names_the_setting(bench: Bench) -> None:
    bench.skill("tidy", {"scripts/a.py": "# /// script\n# requires-python = '>=3.99'\n# ///\n"})
    with pytest.raises(PythonUnsuitable, match="AGENTOS_PYTHON_DOWNLOADS=true"):
        await bench.run(skill="tidy")


async def test_a_python_that_nobody_has_is_said_to_be_unknown(tmp_path: Path) -> None:
    with open_folder() as folder:
        async with made(folder, tmp_path, tmp_path, downloads=True) as bench:
            bench.skill(
                "tidy", {"scripts/a.py": "# /// script\n# requires-python='>=3.99'\n# ///\n"}
            )
            with pytest.raises(DependenciesUnavailable, match=r"3\.99"):
                await bench.run(skill="tidy")


async def test_code_that_uses_a_skill_is_refused_where_no_python_suits_that_skill(
    bench: Bench,
) -> None:
    bench.skill("tidy", {"scripts/a.py": "# /// script\n# requires-python = '>=3.99'\n# ///\n"})
    with pytest.raises(PythonUnsuitable, match=r"requires Python >=3\.99"):
        await bench.run(code={"language": "python", "source": "import a", "skill": "tidy"})
