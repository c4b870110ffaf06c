"""Jobs in E2B's cloud: a fresh virtual machine for each, killed when the job ends.

The machine is made from a template, which must be Debian (E2B takes no other), and have Python 3
with pip when a job brings a virtual environment. How a job's limits hold:

- wall time, printed bytes: kept here, for the job as a whole;
- disk, files, file size: measured when the job has ended; files over a limit stay there;
- processor time, open files, and file size as it grows: kept by the kernel, for each process alone;
- memory, processes: the template's, because E2B offers no other.

Text that a job prints comes through the SDK, which replaces what is not UTF-8 by U+FFFD.
"""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import httpx
import structlog
from connectrpc.errors import ConnectError
from e2b import (
    ApiParams,
    AsyncSandbox,
    AuthenticationException,
    CommandExitException,
    InvalidArgumentException,
    NotEnoughSpaceException,
    SandboxException,
    ServiceBusyException,
)

from activities.sandbox.backends import SandboxOptions
from activities.sandbox.base import (
    VENV_FOLDER,
    VENV_LOCK,
    Exit,
    Job,
    Limits,
    OnOutput,
    Sandbox,
    Stream,
)
from activities.sandbox.e2b_command import NOT_RUN, ROOT, OverLimit, run_as_root, run_command
from activities.sandbox.e2b_output import download
from activities.sandbox.e2b_upload import open_regular, upload
from activities.sandbox.validation import validate
from workflows.errors import AgentOSError, TemporaryFailure
from workflows.errors.scripts import SandboxUnavailable
from workflows.errors.skills import DependenciesUnavailable

# What a sandbox may take over the job's own time: start, transfers, installing. E2B kills it after
# that, so that a worker that is lost does not leave it running (and costing).
OVERHEAD_SECONDS = 900
REQUEST_SECONDS = 60.0
# A job that ends waits this long to hear that its sandbox is dead. E2B answers in under a second.
KILL_SECONDS = 5.0
KILL_RETRIES = 3
INSTALL_SECONDS = 300.0
CHECK_SECONDS = 30.0

_INSTALL = (
    f"python3 -m venv {VENV_FOLDER} && {VENV_FOLDER}/bin/python -m pip install --quiet --no-input"
    " --disable-pip-version-check --only-binary :all: --no-deps --require-hashes"
    f" -r {VENV_FOLDER}/{VENV_LOCK}"
)
_TEMPLATE_REMEDY = (
    "Use a template that is made from Debian, with bash, findutils and coreutils; without a name "
    "E2B's default one is used."
)

_PASSING_STATUSES = (408, 409, 429)

_SDK_ERRORS = (
    SandboxException,
    AuthenticationException,
    ServiceBusyException,
    httpx.HTTPError,
    ConnectError,
)

log = structlog.get_logger(__name__)


class E2B(Sandbox):
    """Runs jobs with the account of ``api_key``, from ``template`` or E2B's default one.

    A job's virtual environment is rebuilt in the cloud, from ``requirements.lock`` at its top:
    the machine starts with the network, which is cut before the job when that may not use it.
    ``api_url`` and ``sandbox_url`` point at an E2B service of one's own; ``request_seconds`` is how
    long any one request may take, transfers of files apart.
    """

    name: ClassVar[str] = "e2b"
    has_costly_check: ClassVar[bool] = True

    def __init__(
        self,
        api_key: str,
        *,
        template: str | None = None,
        api_url: str | None = None,
        sandbox_url: str | None = None,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._template = template
        self._api = ApiParams(
            api_key=api_key,
            api_url=api_url,
            sandbox_url=sandbox_url,
            debug=False,
            request_timeout=request_seconds,
            retries=0,  # Temporal repeats the attempt.
        )
        self._kills: set[asyncio.Task[None]] = set()

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        """See ``Sandbox.run``.

        Raises:
            SandboxUnavailable: E2B refuses the key or the template, or the template lacks a tool.
            TemporaryFailure: E2B cannot be reached, is busy, or lost the sandbox.
            DependenciesUnavailable: the virtual environment cannot be made there.
            BadInput: the job makes no sense, is too long, or has a file with a name not in UTF-8.
            FileNameRefused: a name in the sandbox that no file here may have.
        """
        validate(job)
        ended, wanted = NOT_RUN, time.monotonic()
        with _sdk_errors():
            async with self._machine(job) as machine:
                try:
                    before = await upload(machine, job)
                    await _install(machine, job)
                    start_ms = round((time.monotonic() - wanted) * 1_000)
                    ended = await run_command(machine, job, on_output)
                    ended = replace(ended, start_ms=start_ms)
                    await download(machine, job, before)
                except OverLimit as over:
                    ended = replace(ended, limit=ended.limit or over.limit)
        return ended

    @property
    def kind(self) -> str:
        return f"{self.name} {self._template or ''}"

    async def check(self) -> str:
        """Run a command in a sandbox of its own, which costs some seconds of one."""
        # There are no files to be fetched into a folder here.
        job = Job(("true",), Path(os.devnull), limits=Limits(wall_seconds=CHECK_SECONDS))
        try:
            with _sdk_errors():
                async with self._machine(job) as machine:
                    await upload(machine, job)
                    ended = await run_command(machine, job, _ignore)
        except TemporaryFailure as error:
            remedy = "Check the network, and https://status.e2b.dev."
            reason = str(error.fields["reason"])
            raise SandboxUnavailable(sandbox=self.name, reason=reason, remedy=remedy) from error
        if not ended.ok:
            reason = f"`true` ended with {ended}"
            raise SandboxUnavailable(sandbox=self.name, reason=reason, remedy=_TEMPLATE_REMEDY)
        template = self._template or "the default one"
        return f"template: {template}; memory and processes: those of the template"

    async def close(self) -> None:
        if self._kills:
            await asyncio.wait(self._kills)

    @asynccontextmanager
    async def _machine(self, job: Job) -> AsyncIterator[AsyncSandbox]:
        creating = asyncio.create_task(self._create(job))
        try:
            # Shielded: were the request cut off, its answer could name a machine nobody kills.
            yield await asyncio.shield(creating)
        finally:
            killing = asyncio.create_task(_kill(creating))
            self._kills.add(killing)
            killing.add_done_callback(self._kills.discard)
            # Not awaited itself, so that a second cancellation does not reach it.
            await asyncio.wait({killing}, timeout=KILL_SECONDS)

    async def _create(self, job: Job) -> AsyncSandbox:
        machine = await AsyncSandbox.create(
            self._template,
            timeout=math.ceil(job.limits.wall_seconds) + OVERHEAD_SECONDS,
            metadata={"application": "agentos"},
            allow_internet_access=job.network or job.venv is not None,
            lifecycle={"on_timeout": "kill"},
            **self._api,
        )
        log.info("sandbox.created", sandbox=self.name, id=machine.sandbox_id)
        return machine


def build(options: SandboxOptions) -> E2B:
    if options.e2b_api_key is None:
        raise SandboxUnavailable(
            sandbox=E2B.name,
            reason="E2B_API_KEY is not set",
            remedy="Set it to a key of your account, or choose another AGENTOS_SANDBOX.",
        )
    return E2B(options.e2b_api_key.get_secret_value(), template=options.e2b_template)


async def _kill(creating: asyncio.Task[AsyncSandbox]) -> None:
    """Kill a machine with all that runs in it, even one that is still being made."""
    try:
        machine = await creating
    except _SDK_ERRORS:
        return  # Its caller has already been answered.
    try:
        await machine.kill(retries=KILL_RETRIES)
    except _SDK_ERRORS as error:
        # E2B kills it when its time is up.
        log.error("sandbox.kill_failed", sandbox=E2B.name, id=machine.sandbox_id, error=str(error))
    else:
        log.info("sandbox.killed", sandbox=E2B.name, id=machine.sandbox_id)


async def _install(machine: AsyncSandbox, job: Job) -> None:
    """Make the job's virtual environment again, and leave the network as the job may have it.

    Raises:
        DependenciesUnavailable: it has no lock, or a package has no wheel for the template.
    """
    if job.venv is None:
        return
    lock = job.venv / VENV_LOCK
    skill = ", ".join(job.skills) or "-"
    if not lock.is_file():
        raise DependenciesUnavailable(skill=skill, reason=f"there is no {VENV_LOCK} for E2B")
    with open_regular(lock) as file:
        await machine.files.write(f"{VENV_FOLDER}/{VENV_LOCK}", file, user=ROOT)
    try:
        await run_as_root(machine, _INSTALL, seconds=INSTALL_SECONDS)
    except CommandExitException as error:
        reason = f"pip in the E2B sandbox: {_last_line(error.stderr) or _first_line(error)}"
        raise DependenciesUnavailable(skill=skill, reason=reason) from error
    if not job.network:
        await machine.update_network({"allow_internet_access": False})


@contextmanager
def _sdk_errors() -> Iterator[None]:
    """Convert the SDK's errors to our own."""
    try:
        yield
    except _SDK_ERRORS as error:
        raise _our_error(error) from error


def _our_error(error: Exception) -> AgentOSError:
    reason = _first_line(error)
    status = getattr(error, "status_code", None) or 0
    if isinstance(error, AuthenticationException) or status == 403:
        remedy = "Set E2B_API_KEY to a key of your team, from https://e2b.dev/dashboard."
    elif isinstance(error, NotEnoughSpaceException):
        remedy = "Use a template with a larger disk."
    elif isinstance(error, CommandExitException | InvalidArgumentException):
        remedy = _TEMPLATE_REMEDY
    elif 400 <= status < 500 and status not in _PASSING_STATUSES:
        remedy = (
            "Check that the template (AGENTOS_E2B_TEMPLATE) exists and that your plan allows jobs "
            "this long."
        )
    else:
        return TemporaryFailure(service="E2B", reason=reason)
    return SandboxUnavailable(sandbox=E2B.name, reason=reason, remedy=remedy)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:300].rstrip(".")


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:300]


def _ignore(_stream: Stream, _data: bytes) -> None:
    """Nobody reads what a check prints."""
