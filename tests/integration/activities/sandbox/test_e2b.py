"""The E2B backend with the real SDK, against a local double of E2B's service."""

import asyncio
import hashlib
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.sandbox.base import OUTPUT_FOLDER, Job, Limit, Limits
from activities.sandbox.e2b import E2B, OVERHEAD_SECONDS
from tests.doubles.e2b_server import E2BServer
from tests.integration.e2b_bench import Printed, backend, only_machine, shell
from tests.pressure import allowed
from tests.security.processes import until
from workflows.errors import BadInput, TemporaryFailure
from workflows.errors.scripts import SandboxUnavailable
from workflows.errors.skills import DependenciesUnavailable


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[E2BServer]:
    async with E2BServer(tmp_path / "e2b") as server:
        yield server


@pytest.fixture
async def sandbox(server: E2BServer) -> AsyncIterator[E2B]:
    async with backend(server) as sandbox:
        yield sandbox


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


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


async def test_a_check_of_e2b_passes_with_the_right_key(sandbox: E2B) -> None:
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
    assert time.monotonic() - cancelled < allowed(1)
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
    server.may_create.clear()
    running = asyncio.create_task(sandbox.run(shell("true", output), Printed()))
    await until(lambda: server.creating)
    running.cancel()
    await asyncio.sleep(0)
    server.may_create.set()
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


async def test_processes_that_a_job_leaves_behind_do_not_keep_it_from_ending(
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
    script = "echo half > file; sleep 600"
    async with asyncio.timeout(60):
        ended = await sandbox.run(shell(script, output, limits=Limits(wall_seconds=2)), Printed())
    assert ended.limit is Limit.WALL_TIME
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
