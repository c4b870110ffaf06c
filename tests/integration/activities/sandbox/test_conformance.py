"""What every sandbox backend does alike, as ``activities/sandbox/base.py`` promises it."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from activities.sandbox.backends import BACKENDS
from activities.sandbox.base import (
    INPUT_FOLDER,
    OUTPUT_FOLDER,
    SKILLS_FOLDER,
    Job,
    Limit,
    Limits,
    Sandbox,
    Stream,
)
from activities.units import MEBIBYTE
from tests.integration.sandboxes import Bench, backend, open_folder
from tests.pressure import allowed
from tests.security.processes import alive, mark
from workflows.errors import BadInput


@pytest.fixture(scope="module", params=BACKENDS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    with open_folder() as folder:
        async with backend(request.param, folder / "work") as sandbox:
            assert sandbox.name == request.param
            yield sandbox


@pytest.fixture
async def bench(sandbox: Sandbox) -> AsyncIterator[Bench]:
    with open_folder() as folder:
        yield Bench(sandbox, folder)


# --- What a job sees ---


async def test_a_check_of_any_backend_passes_where_jobs_run(sandbox: Sandbox) -> None:
    await sandbox.check()


async def test_a_job_starts_in_its_output_folder(bench: Bench) -> None:
    assert (await bench.shell("pwd")).ok
    assert bench.stdout.strip() == OUTPUT_FOLDER


async def test_a_job_finds_its_inputs_by_variable_and_in_the_input_folder(bench: Bench) -> None:
    sales = bench.file("blob-1", "a,b\n")
    ended = await bench.shell(
        'cat "$INPUT_SALES_2024_CSV"; ls "$AGENTOS_INPUT_DIR"; echo "$INPUT_SALES_2024_CSV"',
        inputs={"sales-2024.csv": sales},
    )
    assert ended.ok
    assert bench.stdout == f"a,b\nsales-2024.csv\n{INPUT_FOLDER}/sales-2024.csv\n"


@pytest.mark.parametrize("name", ["with space.txt", "żółw.txt", "-n", "$(touch x)", "a'b\"c"])
async def test_an_input_may_have_any_name_that_is_one(bench: Bench, name: str) -> None:
    blob = bench.file("blob", "content")
    ended = await bench.python(
        f"import os, pathlib\nname, = os.listdir({INPUT_FOLDER!r})\n"
        f"print(ascii(name), pathlib.Path({INPUT_FOLDER!r}, name).read_text())",
        inputs={name: blob},
    )
    assert ended.ok
    assert bench.stdout == f"{name!a} content\n"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "/etc/passwd", "a\0b"])
async def test_a_name_that_leads_elsewhere_is_refused(bench: Bench, name: str) -> None:
    blob = bench.file("blob", "content")
    with pytest.raises(BadInput):
        await bench.shell("true", inputs={name: blob})
    folder = bench.folder / "skill"
    folder.mkdir()
    with pytest.raises(BadInput):
        await bench.shell("true", skills={name: folder})


async def test_a_job_can_change_neither_inputs_nor_skills(bench: Bench) -> None:
    data = bench.file("data", "original")
    script = bench.file("skill/run.sh", "echo hello from a skill\n")
    for path, mode in ((data, 0o666), (script, 0o666), (script.parent, 0o777)):
        path.chmod(mode)  # Were they not read-only, the job's user could write them.
    ended = await bench.shell(
        f"sh {SKILLS_FOLDER}/greet/run.sh\n"
        f"echo changed > {INPUT_FOLDER}/data; echo changed > {SKILLS_FOLDER}/greet/run.sh\n"
        f"rm -f {INPUT_FOLDER}/data; touch {SKILLS_FOLDER}/greet/new {INPUT_FOLDER}/new\n"
        f"cat {INPUT_FOLDER}/data {SKILLS_FOLDER}/greet/run.sh; ls {SKILLS_FOLDER}/greet",
        inputs={"data": data},
        skills={"greet": bench.folder / "skill"},
    )
    assert ended.ok
    assert bench.stdout == "hello from a skill\noriginalecho hello from a skill\nrun.sh\n"
    assert data.read_text() == "original"


async def test_a_job_sees_nothing_of_the_workers_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTOS_S3_SECRET_KEY", "worker-secret")
    assert (await bench.shell("env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'")).ok
    assert "worker-secret" not in bench.stdout


async def test_a_job_gets_the_environment_that_it_is_given(bench: Bench) -> None:
    values = {"GREETING": "hello  $HOME 'quoted'\nsecond line", "EMPTY": ""}
    ended = await bench.python(
        "import os; print(ascii((os.environ['GREETING'], os.environ['EMPTY'])))",
        environment=values,
    )
    assert ended.ok
    assert bench.stdout.strip() == ascii(tuple(values.values()))


@pytest.mark.parametrize("environment", [{"A=B": "x"}, {"": "x"}, {"A": "x\0--bind\0/\0/host"}])
async def test_a_variable_that_cannot_be_one_is_refused(
    bench: Bench, environment: dict[str, str]
) -> None:
    with pytest.raises(BadInput):
        await bench.shell("true", environment=environment)


# --- What a job leaves ---


async def test_files_of_a_job_are_ours_when_it_has_ended(bench: Bench) -> None:
    ended = await bench.shell("mkdir -p a/b; echo deep > a/b/c; echo flat > d")
    assert ended.ok
    assert (bench.output / "a/b/c").read_text() == "deep\n"
    assert (bench.output / "d").read_text() == "flat\n"


async def test_a_job_can_read_and_change_what_an_earlier_one_left(bench: Bench) -> None:
    assert (await bench.shell("mkdir kept; echo one > kept/file; echo gone > removed")).ok
    assert (await bench.shell("echo two >> kept/file; rm removed")).ok
    assert (bench.output / "kept/file").read_text() == "one\ntwo\n"
    assert not (bench.output / "removed").exists()


async def test_files_of_a_failed_job_are_kept(bench: Bench) -> None:
    ended = await bench.shell("echo partial > result; exit 3")
    assert (ended.code, ended.signal, ended.limit, ended.ok) == (3, None, None, False)
    assert (bench.output / "result").read_text() == "partial\n"


async def test_an_output_folder_can_be_removed_whatever_its_modes_were(bench: Bench) -> None:
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        bench.output = Path(name)
        assert (await bench.shell("mkdir d; touch d/f; chmod 000 d; mkdir -m 000 e")).ok
    assert not Path(name).exists()


# --- How a job ends ---


@pytest.mark.parametrize("code", [1, 75, 127, 200, 255])
async def test_the_exit_code_is_passed_on(bench: Bench, code: int) -> None:
    ended = await bench.shell(f"exit {code}")
    assert (ended.code, ended.signal, ended.limit) == (code, None, None)


async def test_a_command_that_is_not_there_gives_127(bench: Bench) -> None:
    assert (await bench.run("no-such-command")).code == 127


async def test_what_is_no_program_gives_126(bench: Bench) -> None:
    data = bench.file("data", "no program")
    assert (await bench.run("/workspace/input/data", inputs={"data": data})).code == 126


async def test_arguments_reach_the_command_untouched(bench: Bench) -> None:
    arguments = ("", " ", "a b", "--help", "$HOME", "`id`", "'", '"', "\\", "*", "ż", "\n")
    script = "import sys; print(ascii(sys.argv[1:]))"
    assert (await bench.run("python3", "-c", script, *arguments)).ok
    assert bench.stdout.strip() == ascii(list(arguments))


async def test_output_is_passed_on_while_the_job_runs(bench: Bench) -> None:
    heard = asyncio.Event()

    def listen(stream: Stream, piece: bytes) -> None:
        heard.set()

    command = ("/bin/sh", "-c", "echo started; exec sleep 60")
    running = asyncio.create_task(bench.sandbox.run(Job(command, bench.output), listen))
    async with asyncio.timeout(60):
        await heard.wait()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_streams_are_told_apart_and_complete(bench: Bench) -> None:
    lines = 20_000
    ended = await bench.shell(f"echo problem >&2; seq {lines}; echo again >&2")
    assert ended.ok
    assert bench.stderr == "problem\nagain\n"
    assert bench.stdout == "".join(f"{line}\n" for line in range(1, lines + 1))
    assert max(len(piece) for _, piece in bench.pieces) <= 64 * 1024


async def test_a_listener_that_raises_stops_the_job_and_is_heard(bench: Bench) -> None:
    def listen(stream: Stream, piece: bytes) -> None:
        raise LookupError("nobody listens")

    job = Job(("/bin/sh", "-c", "while :; do echo x; sleep 0.01; done"), bench.output)
    with pytest.raises(LookupError, match="nobody listens"):
        async with asyncio.timeout(60):
            await bench.sandbox.run(job, listen)


async def test_jobs_run_side_by_side_and_apart(bench: Bench) -> None:
    async def one(number: int) -> str:
        output = bench.folder / str(number)
        output.mkdir()
        printed: list[bytes] = []
        job = Job(("/bin/sh", "-c", f"echo {number} > mine; sleep 0.1; cat mine"), output)
        ended = await bench.sandbox.run(job, lambda _, piece: printed.append(piece))
        assert ended.ok
        return b"".join(printed).decode().strip()

    numbers = range(6)
    assert await asyncio.gather(*map(one, numbers)) == [str(number) for number in numbers]


# --- Limits and cancellation ---


@pytest.mark.parametrize(
    ("script", "limits", "limit"),
    [
        ("sleep 60", Limits(wall_seconds=0.5), Limit.WALL_TIME),
        ("(setsid sleep 60 &); sleep 60", Limits(wall_seconds=0.5), Limit.WALL_TIME),
        ("while :; do :; done", Limits(cpu_seconds=1, wall_seconds=30), Limit.CPU_TIME),
        ("yes", Limits(printed_bytes=MEBIBYTE), Limit.PRINTED),
        ("yes >&2", Limits(printed_bytes=MEBIBYTE), Limit.PRINTED),
        ("head -c 9M /dev/zero > big", Limits(file_bytes=8 * MEBIBYTE), Limit.FILE_SIZE),
        (
            "for i in 1 2 3 4 5; do head -c 4M /dev/zero > $i; done; sleep 3",
            Limits(disk_bytes=10 * MEBIBYTE),
            Limit.DISK,
        ),
        ("for i in $(seq 300); do : > $i; done; sleep 3", Limits(files=100), Limit.FILES),
    ],
)
async def test_a_limit_is_named(bench: Bench, script: str, limits: Limits, limit: Limit) -> None:
    async with asyncio.timeout(60):
        ended = await bench.shell(script, limits=limits)
    assert ended.limit is limit
    assert not ended.ok


async def test_no_more_is_passed_on_than_a_job_may_print(bench: Bench) -> None:
    await bench.shell("yes & yes >&2", limits=Limits(printed_bytes=100_000))
    assert sum(len(piece) for _, piece in bench.pieces) <= 100_000


async def test_output_printed_before_a_limit_was_reached_is_passed_on(bench: Bench) -> None:
    ended = await bench.shell("echo early; sleep 60", limits=Limits(wall_seconds=2))
    assert ended.limit is Limit.WALL_TIME
    assert bench.stdout == "early\n"


async def test_cancelling_ends_the_job_within_a_second(bench: Bench) -> None:
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def listen(stream: Stream, piece: bytes) -> None:
        if not started.done():
            started.set_result(None)

    word = mark()
    script = f"(setsid sh -c 'echo started; sleep 60; : {word}' &); sleep 60"
    running = asyncio.create_task(
        bench.sandbox.run(Job(("/bin/sh", "-c", script), bench.output), listen)
    )
    await started
    running.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < allowed(1)
    assert alive(word) == []
