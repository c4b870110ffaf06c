"""Checks of this machine and the services: what is wrong, and how to fix it."""

import asyncio
import functools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from activities.aes_keys import id_of
from activities.llm.base import ModelOptions
from activities.sandbox.base import Sandbox
from activities.skills.catalogue import Catalogue
from deploy.doctor import payloads, secrets, tools
from deploy.doctor import services as remote
from deploy.doctor.models import check_models
from deploy.doctor.prompts import PromptSources, check_prompt
from deploy.doctor.secrets import SecretKeys, check_secrets
from deploy.doctor.services import Remote
from deploy.local import machine, s3, temporal
from deploy.local.errors import StackNotOurs
from deploy.local.machine import Finding
from deploy.local.services import API_PORT
from deploy.local.state import RunningPart, running_parts, secrets_key_ids, secrets_keys
from workflows.errors import AgentOSError
from workflows.errors.scripts import SandboxUnavailable

_CHECK_SECONDS = 15.0

Check = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Patient:
    """What to examine. ``services`` is None where `agentos up` brings its own."""

    data_dir: Path
    sandbox: Callable[[], Sandbox]
    """Builds the worker's sandbox, or raises ``SandboxUnavailable``."""
    uv: Path
    search_path: str
    """The PATH of the worker, where an interpreter of JavaScript is looked for."""
    services: Remote | None = None
    models: ModelOptions | None = None
    """None where the environment names none."""
    skill_folders: tuple[Path, ...] = ()
    tool_folders: tuple[Path, ...] = ()
    has_search: bool = False
    codec_key_ids: Sequence[str] = ()
    """Of the keys of payloads: the first encrypts, without any they are plain."""
    secrets_key_ids: Sequence[str] = ()
    """Of the keys of secrets that the environment names."""


async def diagnose(patient: Patient) -> list[Finding]:
    """Look at everything, side by side. Never raises for what it finds."""
    services, data_dir = patient.services, patient.data_dir
    checks = {
        "system": _quick(machine.system),
        "python": _quick(machine.python),
        "sandbox": lambda: _sandbox(patient.sandbox),
        "python of skills": lambda: _script_python(patient.sandbox),
        "node": _quick(lambda: _node(patient.search_path)),
        "uv": lambda: _uv(patient.uv),
        "disk": _quick(lambda: machine.disk(data_dir)),
        "data folder": _quick(lambda: machine.data_folder(data_dir)),
        tools.NAME: _quick(lambda: tools.check_tools(patient.tool_folders)),
        payloads.NAME: lambda: _payloads(patient),
        secrets.NAME: lambda: check_secrets(_secret_keys(patient), _database_url(patient)),
        "models": lambda: check_models(patient.models, is_embedded=services is None),
        **_prompt_checks(patient),
        **(remote.checks(services) if services else _local_checks(data_dir)),
    }
    return list(await asyncio.gather(*(_bounded(name, check) for name, check in checks.items())))


def _prompt_checks(patient: Patient) -> dict[str, Check]:
    """One for each model that agents use."""
    sources = PromptSources(
        patient.models,
        # What it would log belongs to workers: here stdout is for the findings.
        Catalogue(patient.skill_folders, is_logged=False),
        patient.tool_folders,
        has_search=patient.has_search,
        database_url=_database_url(patient),
    )
    if patient.models is None and patient.services is not None:
        return {}  # There are no agents.
    named = {f"prompt of {model}" if model else "prompt": model for model in sources.named}
    return {
        name: functools.partial(check_prompt, name, sources, model) for name, model in named.items()
    }


def _database_url(patient: Patient) -> str | None:
    if patient.services is not None:
        return patient.services.database_url
    part = _parts(patient.data_dir).get("postgres")
    # As it is told, it is libpq's; SQLAlchemy wants to know the driver.
    return part.url.replace(":", "+asyncpg:", 1) if part and part.url else None


def _local_checks(data_dir: Path) -> dict[str, Check]:
    usual = {
        "API": API_PORT,
        "Temporal": temporal.PORT,
        "Temporal Web UI": temporal.PAGE_PORT,
        "S3": s3.PORT,
    }
    return {
        "programs": _quick(machine.programs),
        "postgres user": machine.postgres_user,
        "temporal network": machine.temporal_network,
        "ports": _quick(lambda: machine.ports(usual, own=_own_ports(data_dir))),
        "stack": _quick(lambda: _stack(data_dir)),
    }


def _quick(check: Callable[[], Finding]) -> Check:
    """For a check that only looks at files."""
    return functools.partial(asyncio.to_thread, check)


async def _bounded(name: str, check: Check) -> Finding:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return Finding(name, False, f"no answer within {_CHECK_SECONDS:.0f} s")
    except SandboxUnavailable as error:
        return Finding(name, False, str(error.fields["reason"]), str(error.fields["remedy"]))
    except AgentOSError as error:
        return Finding(name, False, str(error))


async def _sandbox(make: Callable[[], Sandbox]) -> Finding:
    async with _open(make) as sandbox:
        told = await sandbox.check()
        return Finding("sandbox", True, f"{sandbox.name} ran a command; {told}")


async def _script_python(make: Callable[[], Sandbox]) -> Finding:
    async with _open(make) as sandbox:
        return Finding("python of skills", True, str(sandbox.python))


@asynccontextmanager
async def _open(make: Callable[[], Sandbox]) -> AsyncIterator[Sandbox]:
    sandbox = await asyncio.to_thread(make)  # What it imports may be slow to load.
    try:
        yield sandbox
    finally:
        await sandbox.close()


def _node(search_path: str) -> Finding:
    found = shutil.which("node", path=search_path)
    return Finding("node", True, found or "not found; only skills with JavaScript need it")


async def _payloads(patient: Patient) -> Finding:
    if patient.services is None:  # API and workers of a stack have the environment of `up`.
        return payloads.finding(patient.codec_key_ids, None)
    return await payloads.check_payloads(
        patient.codec_key_ids, patient.services.task_queue, patient.services.connect
    )


def _secret_keys(patient: Patient) -> SecretKeys:
    here = patient.secrets_key_ids
    if patient.services is not None:
        return SecretKeys(here)
    if not _parts(patient.data_dir):
        return SecretKeys(here, of_next=[id_of(key) for key in secrets_keys(patient.data_dir)])
    return SecretKeys(patient.secrets_key_ids, secrets_key_ids(patient.data_dir) or None)


async def _uv(uv: Path) -> Finding:
    remedy = "pip install uv"
    try:
        process = await asyncio.create_subprocess_exec(
            uv, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError as error:
        return Finding("uv", False, f"{uv}: {error.strerror}", remedy)
    version, _ = await process.communicate()
    return Finding(
        "uv", process.returncode == 0, version.decode().strip() or f"{uv} failed", remedy
    )


def _parts(data_dir: Path) -> Mapping[str, RunningPart]:
    """Of another user's stack none: the check of the stack says so."""
    try:
        return running_parts(data_dir)
    except StackNotOurs:
        return {}


def _own_ports(data_dir: Path) -> set[int]:
    """Of the stack that runs there."""
    ends = [(part.url or "").rpartition(":")[2] for part in _parts(data_dir).values()]
    return {int(end) for end in ends if end.isdecimal()}


def _stack(data_dir: Path) -> Finding:
    parts = running_parts(data_dir)
    urls = ", ".join(f"{name} {part.url}" for name, part in parts.items() if part.url)
    return Finding("stack", True, urls or f"not running on {data_dir}; start it with `agentos up`")
