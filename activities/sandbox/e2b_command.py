"""Commands in an E2B sandbox: a job's own, with its environment and limits, and those around it."""

import asyncio
import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import replace

from e2b import AsyncCommandHandle, AsyncSandbox, CommandExitException

from activities.sandbox.base import OUTPUT_FOLDER, Exit, Job, Limit, Limits, OnOutput, Stream
from activities.sandbox.profile import environment
from workflows.errors import BadInput, TemporaryFailure

ROOT = "root"

# MAX_ARG_STRLEN of Linux: all of it is one argument of bash.
SCRIPT_MAX_BYTES = 128 * 1024 - 1

NOT_RUN = Exit(code=None, signal=None, limit=None, duration_ms=0, peak_memory_bytes=None)

# SIGXCPU comes at the soft limit; SIGKILL, which says nothing, at the hard one.
_GRACE_CPU_SECONDS = 5
_LIMIT_OF_SIGNAL = {signal.SIGXCPU: Limit.CPU_TIME, signal.SIGXFSZ: Limit.FILE_SIZE}


class OverLimit(Exception):
    """The job ran into ``limit``. Never leaves the backend: it becomes an ``Exit``."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(limit)
        self.limit = limit


async def run_as_root(
    machine: AsyncSandbox,
    command: str,
    on_stdout: Callable[[str], None] | None = None,
    *,
    seconds: float | None = None,
) -> None:
    """Run a command around the job, for as long as a request may take or for ``seconds``.

    Raises:
        CommandExitException: it failed; ``stderr`` says why, unless there is an ``on_stdout``.
        TemporaryFailure: it took too long.
    """
    bound = seconds or machine.connection_config.request_timeout
    try:
        # The SDK tells its own timeout to the sandbox, and then waits however long that likes.
        async with asyncio.timeout(bound):
            await machine.commands.run(
                command, user=ROOT, on_stdout=on_stdout, timeout=0, retain_output=on_stdout is None
            )
    except TimeoutError as error:
        reason = f"`{command.split(maxsplit=1)[0]}` took over {bound:g} s"
        raise TemporaryFailure(service="E2B", reason=reason) from error


async def run_command(machine: AsyncSandbox, job: Job, on_output: OnOutput) -> Exit:
    """Run the job's command to its end, or to a limit that is kept here.

    Raises:
        BadInput: the command and its variables are too long.
    """
    script = _shell_command(job)
    if len(script.encode()) > SCRIPT_MAX_BYTES:
        reason = f"A command and its variables of over {SCRIPT_MAX_BYTES} bytes cannot be passed"
        raise BadInput(reason=f"{reason} to E2B; give the text as an input file")
    printer = _Printer(on_output, job.limits.printed_bytes)
    started = time.monotonic()
    handle = await machine.commands.run(
        script,
        background=True,
        cwd=OUTPUT_FOLDER,
        on_stdout=lambda text: printer.hand_on(Stream.STDOUT, text),
        on_stderr=lambda text: printer.hand_on(Stream.STDERR, text),
        timeout=0,
        retain_output=False,
    )
    code, limit = await _wait(handle, job.limits)
    duration_ms = round((time.monotonic() - started) * 1000)
    ended = replace(_exit(code), duration_ms=duration_ms)
    return replace(ended, limit=limit) if limit else ended


async def _wait(handle: AsyncCommandHandle[None], limits: Limits) -> tuple[int, Limit | None]:
    """The exit code, negative when the command was killed from here, and why it was."""
    waiting = asyncio.create_task(handle.wait())
    # A result that comes after a limit is of no interest, and no reason for asyncio to complain.
    waiting.add_done_callback(lambda task: task.cancelled() or task.exception())
    try:
        # Neither timeout() nor a plain await: the SDK swallows a cancellation that comes as the
        # command ends.
        await asyncio.wait({waiting}, timeout=limits.wall_seconds)
        if not waiting.done():
            await handle.kill()
            return -1, Limit.WALL_TIME
        return waiting.result().exit_code, None
    except CommandExitException as error:
        return error.exit_code, None
    except OverLimit as over:
        await handle.kill()
        return -1, over.limit
    finally:
        waiting.cancel()
        await handle.disconnect()


def _shell_command(job: Job) -> str:
    """The job's command for bash, which is all that the SDK runs.

    bash hides its own stderr, where it would tell of a killed command with all its variables. When
    the command has ended it kills what that left behind, which else holds the output open and so
    keeps the job from ending; not as root, where this would hit E2B's own daemon. A file may grow a
    little over its limit, which tells one that was cut short from one that just fits.
    """
    limits = job.limits
    variables = [f"{name}={value}" for name, value in environment(job).items()]
    return f"""
exec 3>&2 2>/dev/null
ulimit -c 0 -n {limits.open_files} -f {limits.file_bytes // 1024 + 1}
ulimit -H -t {limits.cpu_seconds + _GRACE_CPU_SECONDS}
ulimit -S -t {limits.cpu_seconds}
{shlex.join(["env", "-i", *variables, *job.command])} 2>&3 3>&-
code=$?
((UID)) && kill -KILL -1
exit $code
"""


class _Printer:
    """Hands on what the job prints, up to a limit."""

    def __init__(self, on_output: OnOutput, limit_bytes: int) -> None:
        self._on_output = on_output
        self._left = limit_bytes

    def hand_on(self, stream: Stream, text: str) -> None:
        data = text.encode()
        if piece := data[: self._left]:
            self._on_output(stream, piece)
        self._left -= len(piece)
        if len(piece) < len(data):
            raise OverLimit(Limit.PRINTED)


def _exit(code: int) -> Exit:
    """What bash says of a command: 128 and more is the signal that killed it."""
    if code < 0:
        return replace(NOT_RUN, signal=int(signal.SIGKILL))
    try:
        killed_by = signal.Signals(code - 128)
    except ValueError:
        return replace(NOT_RUN, code=code)
    return replace(NOT_RUN, signal=int(killed_by), limit=_LIMIT_OF_SIGNAL.get(killed_by))
