"""The E2B backend with the real SDK, against a local double of E2B's service."""

import asyncio
import contextlib
import hashlib
import os
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sandbox.base import MEBIBYTE, OUTPUT_FOLDER, Job, Limit, Limits, Stream
from activities.sandbox.e2b import E2B, OVERHEAD_SECONDS
from activities.sandbox.e2b_command import OverLimit
from activities.sandbox.e2b_output import parse_listing
from tests.doubles.e2b_machine import Machine
from tests.doubles.e2b_server import E2BServer
from workflows.errors import (
    BadInput,
    DependenciesUnavailable,
    FileNameRefused,
    SandboxUnavailable,
    TemporaryFailure,
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[E2BServer]:
    async with E2BServer(tmp_path / "e2b") as server:
        yield server


@pytest.fixture
async def sandbox(server: E2BServer) -> AsyncIterator[E2B]:
    sandbox = E2B(server.api_key, api_url=server.url, sandbox_url=server.url)
    yield sandbox
    await sandbox.close()
    assert server.machines == {}, "a paid sandbox was left running"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


class Printed:
    """What a job printed so far; calls ``on_text`` with it as more comes."""

    def __init__(self, on_text: Callable[[str], None] = lambda text: None) -> None:
        self.stdout = b""
        self.stderr = b""
        self._on_text = on_text

    def __call__(self, stream: Stream, data: bytes) -> None:
        if stream is Stream.STDOUT:
            self.stdout += data
        else:
            self.stderr += data
        self._on_text(self.stdout.decode())


def shell(script: str, output: Path, **options: object) -> Job:
    return Job(("/bin/sh", "-c", script), output, **options)  # type: ignore[arg-type]


def only_machine(server: E2BServer) -> Machine:
    (machine,) = server.machines.values()
    return machine


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


# --- What E2B answers ---


async def test_a_wrong_key_says_where_to_get_a_right_one(server: E2BServer, output: Path) -> None:
    sandbox = E2B("e2b_wrong", api_url=server.url, sandbox_url=server.url)
    with pytest.raises(SandboxUnavailable, match="Set E2B_API_KEY") as caught:
        await sandbox.run(shell("true", output), Printed())
    assert "e2b_wrong" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_busy_service_is_worth_another_try(
    status: int, server: E2BServer, sandbox: E2B, output: Path
) -> None:
    server.create_status = status
    with pytest.raises(TemporaryFailure, match=str(status)):
        await sandbox.run(shell("true", output), Printed())


@pytest.mark.parametrize("status", [400, 404])
async def test_an_unknown_template_is_not_worth_another_try(
    status: int, server: E2BServer, sandbox: E2B, output: Path
) -> None:
    server.create_status = status
    with pytest.raises(SandboxUnavailable, match="template"):
        await sandbox.run(shell("true", output), Printed())


async def test_a_forbidden_account_is_told_about_its_key(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    server.create_status = 403
    with pytest.raises(SandboxUnavailable, match="E2B_API_KEY"):
        await sandbox.run(shell("true", output), Printed())


async def test_a_service_that_is_down_is_worth_another_try(server: E2BServer, output: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # No program listens on the port of the discard service.
    sandbox = E2B(server.api_key, api_url=nowhere, sandbox_url=nowhere)
    with pytest.raises(TemporaryFailure, match="Connection refused"):
        await sandbox.run(shell("true", output), Printed())


async def test_a_sandbox_that_vanishes_is_worth_another_try(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    running = asyncio.create_task(sandbox.run(shell("echo ready; sleep 60", output), printed))
    await until(lambda: printed.stdout)
    await server.kill(next(iter(server.machines)))
    with pytest.raises(TemporaryFailure, match="sandbox"):
        await running


async def test_a_check_passes_where_jobs_run(sandbox: E2B) -> None:
    await sandbox.check()


async def test_a_check_says_what_to_do_when_the_service_is_busy(
    server: E2BServer, sandbox: E2B
) -> None:
    server.create_status = 503
    with pytest.raises(SandboxUnavailable, match=r"status\.e2b\.dev"):
        await sandbox.check()


# --- Sandboxes cost money ---


async def test_cancelling_kills_the_sandbox_within_a_second(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    running = asyncio.create_task(sandbox.run(shell("echo ready; sleep 60", output), printed))
    await until(lambda: printed.stdout)
    machine = only_machine(server)
    cancelled = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - cancelled < 1
    assert server.machines == {}
    assert all(command.process.returncode is not None for command in machine.commands.values())


async def test_a_second_cancellation_does_not_save_the_sandbox(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    running = asyncio.create_task(sandbox.run(shell("echo ready; sleep 60", output), printed))
    await until(lambda: printed.stdout)
    for _ in range(3):
        running.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not server.machines)


async def test_a_sandbox_that_comes_after_the_cancellation_is_killed(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    server.create_delay_seconds = 0.2
    running = asyncio.create_task(sandbox.run(shell("true", output), Printed()))
    await until(lambda: server.creating)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(server.created) == 1
    assert server.machines == {}


async def test_an_error_of_the_listener_kills_the_sandbox(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    def fail(text: str) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await sandbox.run(shell("echo hello; sleep 60", output), Printed(fail))
    assert server.machines == {}


async def test_e2b_itself_kills_a_sandbox_whose_worker_is_lost(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    await sandbox.run(shell("true", output, limits=Limits(wall_seconds=7)), Printed())
    assert server.created[0]["timeout"] == 7 + OVERHEAD_SECONDS
    assert server.created[0]["autoPause"] is False


async def test_a_job_is_not_lost_because_its_sandbox_could_not_be_killed(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    server.delete_status = 500
    ended = await sandbox.run(shell("echo kept > file", output), Printed())
    assert ended.ok
    assert (output / "file").read_text() == "kept\n"
    await server.kill(next(iter(server.machines)))


# --- The job ---


async def test_output_arrives_while_the_job_runs(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    def answer(text: str) -> None:
        if text == "first\n":
            only_machine(server).outside(f"{OUTPUT_FOLDER}/go").touch()

    printed = Printed(answer)
    script = "echo first; until [ -e go ]; do sleep 0.01; done; echo second; echo error >&2"
    ended = await sandbox.run(shell(script, output, limits=Limits(wall_seconds=10)), printed)
    assert ended.ok
    assert (printed.stdout, printed.stderr) == (b"first\nsecond\n", b"error\n")


async def test_a_job_sees_its_own_variables_and_no_others(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.write_text("1,2\n")
    printed = Printed()
    job = Job(
        ("/usr/bin/env",), output, inputs={"my data.csv": data}, environment={"A": "x 'y' $z\n"}
    )
    await sandbox.run(job, printed)
    seen = dict(line.split("=", 1) for line in printed.stdout.decode().splitlines() if "=" in line)
    assert seen.pop("PATH")
    assert seen == {
        "A": "x 'y' $z",
        "HOME": "/tmp",
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "AGENTOS_INPUT_DIR": "/workspace/input",
        "AGENTOS_OUTPUT_DIR": "/workspace/output",
        "INPUT_MY_DATA_CSV": "/workspace/input/my data.csv",
    }


async def test_what_a_job_leaves_behind_does_not_keep_it_from_ending(
    sandbox: E2B, output: Path
) -> None:
    ended = await sandbox.run(
        shell("setsid sleep 60 & exit 4", output, limits=Limits(wall_seconds=10)), Printed()
    )
    assert (ended.code, ended.limit) == (4, None)


async def test_a_killed_command_tells_its_signal_and_no_variables(
    sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    ended = await sandbox.run(
        shell("kill -SEGV $$", output, environment={"TOKEN": "secret"}), printed
    )
    assert (ended.code, ended.signal, ended.limit) == (None, 11, None)
    assert printed.stderr == b""


async def test_a_program_that_is_not_there_ends_with_127(sandbox: E2B, output: Path) -> None:
    printed = Printed()
    ended = await sandbox.run(Job(("no-such-program",), output), printed)
    assert ended.code == 127
    assert b"no-such-program" in printed.stderr


async def test_a_command_too_long_for_a_shell_is_refused(sandbox: E2B, output: Path) -> None:
    argument = "x" * 130_800
    fits = await sandbox.run(Job(("true", argument[:130_000]), output), Printed())
    assert fits.ok
    with pytest.raises(BadInput, match="as an input file"):
        await sandbox.run(Job(("true", argument), output), Printed())


async def test_a_job_over_its_time_is_stopped_and_its_files_kept(
    sandbox: E2B, output: Path
) -> None:
    started = time.monotonic()
    ended = await sandbox.run(
        shell("echo half > file; sleep 60", output, limits=Limits(wall_seconds=0.5)), Printed()
    )
    assert ended.limit is Limit.WALL_TIME
    assert time.monotonic() - started < 5
    assert (output / "file").read_text() == "half\n"


async def test_a_job_that_prints_too_much_is_stopped_at_the_limit(
    sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    ended = await sandbox.run(
        shell("yes", output, limits=Limits(printed_bytes=100_000, wall_seconds=20)), printed
    )
    assert ended.limit is Limit.PRINTED
    assert len(printed.stdout) == 100_000


async def test_a_busy_job_is_stopped_at_its_processor_time(sandbox: E2B, output: Path) -> None:
    ended = await sandbox.run(
        shell("while :; do :; done", output, limits=Limits(cpu_seconds=1, wall_seconds=20)),
        Printed(),
    )
    assert ended.limit is Limit.CPU_TIME


# --- Network and dependencies ---


@pytest.mark.parametrize("network", [True, False])
async def test_the_network_is_there_only_when_granted(
    network: bool, server: E2BServer, sandbox: E2B, output: Path
) -> None:
    printed = Printed()
    await sandbox.run(shell("tail -n +3 /proc/net/dev", output, network=network), printed)
    assert server.created[0]["allow_internet_access"] is network
    assert (len(printed.stdout.splitlines()) > 1) is network


async def test_dependencies_are_installed_from_the_lock_and_then_the_network_is_cut(
    server: E2BServer, sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path)
    printed = Printed()
    script = "/opt/venv/bin/python -c 'import demo'; tail -n +3 /proc/net/dev; touch /opt/venv/x"
    venv = make_venv(tmp_path, wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())
    await sandbox.run(shell(script, output, inputs={wheel.name: wheel}, venv=venv), printed)
    assert server.created[0]["allow_internet_access"] is True
    interfaces = printed.stdout.decode().removeprefix("imported\n").splitlines()
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert b"Read-only" in printed.stderr


async def test_a_package_without_a_hash_is_not_installed(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    wheel = make_wheel(tmp_path)
    venv = make_venv(tmp_path, wheel, None)
    with pytest.raises(DependenciesUnavailable, match="pip in the E2B sandbox"):
        await sandbox.run(shell("true", output, inputs={wheel.name: wheel}, venv=venv), Printed())


async def test_an_environment_without_a_lock_cannot_be_made_there(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    with pytest.raises(DependenciesUnavailable, match=r"requirements\.lock"):
        await sandbox.run(shell("true", output, venv=tmp_path), Printed())


def make_wheel(folder: Path) -> Path:
    wheel = folder / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo.py", "print('imported')")
        info = "demo-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def make_venv(folder: Path, wheel: Path, sha256: str | None) -> Path:
    venv = folder / "venv"
    venv.mkdir()
    hashed = f" --hash=sha256:{sha256}" if sha256 else ""
    line = f"demo @ file:///workspace/input/{wheel.name}{hashed}\n"
    (venv / "requirements.lock").write_text(line)
    return venv


# --- Files, there and back ---


async def test_output_comes_back_as_the_job_left_it(sandbox: E2B, output: Path) -> None:
    (output / "kept").write_text("kept")
    (output / "changed").write_text("old")
    (output / "removed").write_text("old")
    (output / "folder").mkdir()
    (output / "folder/becomes a file").write_text("old")
    os.utime(output / "kept", (1, 1))
    script = """
    cat changed folder/*; rm -r removed folder; echo new > changed; echo new > folder
    mkdir -p 'a/b c'; printf '' > 'a/b c/é\n-x'
    """
    printed = Printed()
    await sandbox.run(shell(script, output), printed)
    assert printed.stdout == b"oldold"
    assert contents(output) == {
        "kept": "kept",
        "changed": "new\n",
        "folder": "new\n",
        "a/b c/é\n-x": "",
    }
    assert (output / "kept").stat().st_mtime == 1, "an unchanged file was fetched all the same"


async def test_links_and_special_files_stay_in_the_sandbox(sandbox: E2B, output: Path) -> None:
    script = "ln -s /etc/passwd link; ln -s / root; mkfifo pipe; echo hello > file"
    assert (await sandbox.run(shell(script, output), Printed())).ok
    assert names(output) == ["file"]


async def test_a_link_in_the_output_folder_is_not_followed_on_the_way_up(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (output / "link").symlink_to(tmp_path / "secret")
    (output / "folder").symlink_to(tmp_path)
    printed = Printed()
    await sandbox.run(shell("cat link folder/secret; ls", output), printed)
    assert printed.stdout == b""


async def test_a_link_in_the_output_folder_is_not_written_through(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (output / "link").symlink_to(victim)
    await sandbox.run(shell("echo evil > link", output), Printed())
    assert victim.read_text() == "untouched"
    assert (output / "link").read_text() == "evil\n"


async def test_a_linked_folder_is_not_written_into(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (output / "folder").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileNameRefused, match="folder/evil"):
        await sandbox.run(shell("mkdir folder; echo evil > folder/evil", output), Printed())
    assert names(tmp_path / "elsewhere") == []


async def test_a_name_that_is_not_utf_8_stays_in_the_sandbox(sandbox: E2B, output: Path) -> None:
    script = "echo bad > $(printf 'b\\377d'); echo good > good"
    assert (await sandbox.run(shell(script, output), Printed())).ok
    assert names(output) == ["good"]


async def test_a_name_that_is_not_utf_8_is_refused_on_the_way_up(
    sandbox: E2B, output: Path
) -> None:
    (output / os.fsdecode(b"b\xffd")).touch()
    with pytest.raises(BadInput, match="not UTF-8"):
        await sandbox.run(shell("true", output), Printed())


@pytest.mark.parametrize(
    "path", ["../../evil", "a/../../evil", "..", "/etc/evil", "a//evil", "./evil", "."]
)
async def test_a_name_that_the_sandbox_makes_up_is_refused(
    path: str, server: E2BServer, sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    def make_up(_: str) -> None:
        if path.endswith("evil"):
            planted = only_machine(server).outside(f"{OUTPUT_FOLDER}/{path}")
            planted.parent.mkdir(parents=True, exist_ok=True)
            planted.write_text("evil")
        lie(server, f"f\\0004\\0001\\000{path}\\000")

    with pytest.raises(FileNameRefused, match="leads out"):
        await sandbox.run(shell("mkdir a; echo ready", output), Printed(make_up))
    assert not [path for path in folder_and_parent(output) if path.name == "evil"]


async def test_a_sandbox_that_never_lists_its_files_is_given_up(
    server: E2BServer, output: Path
) -> None:
    hanging = E2B(server.api_key, api_url=server.url, sandbox_url=server.url, request_seconds=1)
    job = shell("echo ready", output)
    with pytest.raises(TemporaryFailure, match="took over 1 s"):
        await hanging.run(job, Printed(lambda _: fake_find(server, "exec sleep 60")))
    assert server.machines == {}


async def test_a_list_of_files_without_end_is_cut_off(
    server: E2BServer, sandbox: E2B, output: Path
) -> None:
    endless = "exec yes 'a name and a half'"
    job = shell("echo ready", output)
    ended = await sandbox.run(job, Printed(lambda _: fake_find(server, endless)))
    assert ended.limit is Limit.FILES


@given(text=st.text(st.sampled_from("fdl/.\0a1\ufffd"), max_size=60) | st.text(max_size=60))
def test_no_list_of_files_leads_out_of_the_folder(text: str) -> None:
    with contextlib.suppress(FileNameRefused, OverLimit):
        for path, file in parse_listing(text, Limits(files=5, disk_bytes=1000)).items():
            assert not path.is_absolute()
            assert path.parts
            assert ".." not in path.parts
            assert 0 <= file.size_bytes <= 1000


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(file_bytes=MEBIBYTE), Limit.FILE_SIZE),
        (Limits(disk_bytes=MEBIBYTE), Limit.DISK),
    ],
)
async def test_sizes_that_lie_do_not_get_past_a_limit(
    limits: Limits, limit: Limit, server: E2BServer, sandbox: E2B, output: Path
) -> None:
    def grow(_: str) -> None:
        only_machine(server).outside(f"{OUTPUT_FOLDER}/file").write_bytes(bytes(2 * MEBIBYTE))
        lie(server, "f\\0001\\0001\\000file\\000")

    ended = await sandbox.run(shell("echo ready", output, limits=limits), Printed(grow))
    assert ended.limit is limit
    assert names(output) == []


@pytest.mark.parametrize(
    ("script", "limits", "limit"),
    [
        ("touch a b c", Limits(files=2), Limit.FILES),
        ("mkdir a b c", Limits(files=2), Limit.FILES),
        ("head -c 3000 /dev/zero > a", Limits(file_bytes=2048), Limit.FILE_SIZE),
        (
            "for f in a b c; do head -c 999 /dev/zero > $f; done",
            Limits(disk_bytes=2000),
            Limit.DISK,
        ),
    ],
)
async def test_output_over_a_limit_is_not_fetched(
    script: str, limits: Limits, limit: Limit, sandbox: E2B, output: Path
) -> None:
    ended = await sandbox.run(shell(script, output, limits=limits), Printed())
    assert ended.limit is limit
    assert names(output) == []


async def test_a_large_file_goes_there_and_back_in_little_memory(
    sandbox: E2B, output: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    digest = hashlib.sha256()
    with large.open("wb") as file:
        for _ in range(50):
            piece = os.urandom(MEBIBYTE)
            digest.update(piece)
            file.write(piece)
    job = shell('cp "$INPUT_LARGE" copy', output, inputs={"large": large})
    await sandbox.run(shell("true", output), Printed())  # The SDK is warm now.
    before = begin_memory_peak()
    assert (await sandbox.run(job, Printed())).ok
    assert peak_memory_bytes() - before < 25 * MEBIBYTE
    with (output / "copy").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == digest.digest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


def folder_and_parent(folder: Path) -> list[Path]:
    return [*folder.rglob("*"), *folder.parent.iterdir(), *folder.parent.parent.iterdir()]


def lie(server: E2BServer, entries: str) -> None:
    """Have the sandbox list ``entries`` from now on: type, size, time and path, NUL after each."""
    fake_find(server, f"printf '{entries}'")


def fake_find(server: E2BServer, script: str) -> None:
    """Put another `find` in place, as a job can that becomes root in its sandbox."""
    find = only_machine(server).outside("/usr/local/sbin/find")
    find.write_text(f"#!/bin/sh\n{script}\n")
    find.chmod(0o755)


def begin_memory_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory_bytes()


def peak_memory_bytes() -> int:
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) * 1024
