"""From settings to running processes: the API and the worker."""

import asyncio
import dataclasses
import ipaddress
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
import uv
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.service import RPCError

from activities.patience import patiently
from activities.sandbox.base import MEBIBYTE, Sandbox
from activities.sandbox.bubblewrap import Bubblewrap
from activities.sandbox.e2b import E2B
from activities.sandbox.interpreter import sandbox_python
from activities.skills.catalogue import Catalogue
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.mcp_servers import update_listing
from activities.thinking import ThinkOptions
from activities.tools.mcp.pool import McpPool
from activities.tools.registry import Registry
from api.app import create_app
from api.deps import ApiOptions, Services
from api.server import serve
from api.starting import TemporalPort
from deploy import settings
from deploy.folders import work_folder
from deploy.settings import Settings, SettingsInvalid
from worker.adapters import AdapterOptions, adapters
from worker.host import WorkerOptions, hosting
from workflows.errors import TemporaryFailure

log = structlog.get_logger(__name__)


async def run_worker(told: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT. Waits for Temporal when it is not there yet."""
    stop = _stop_signal()
    worker_id = f"{socket.gethostname()}-{os.getpid()}"
    async with _stores(told, ping=False) as (database, blobs):
        options = await asyncio.to_thread(_adapter_options, told, worker_id)
        sandbox = make_sandbox(told, options)
        try:
            client = await connect(identity=worker_id)
            hosted = WorkerOptions(
                task_queue=told.task_queue,
                running_steps=told.running_steps,
                stop_seconds=told.stop_seconds,
                build_id=version("agentos"),
            )
            async with (
                _mcp(told, database, keys_required=bool(told.keys_required)) as mcp,
                adapters(database, blobs, sandbox, mcp, options) as ready,
                hosting(client, ready, hosted),
            ):
                await stop.wait()
        finally:
            await sandbox.close()


async def run_api(told: Settings, host: str, port: int) -> None:
    """Serve the API until SIGTERM or SIGINT. Temporal need not be there yet."""
    loopback = ipaddress.ip_address(host).is_loopback
    options = ApiOptions(
        keys_required=not loopback if told.keys_required is None else told.keys_required,
        max_upload_bytes=told.max_upload_mib * MEBIBYTE,
        public_url=told.public_url,
        served_hosts=told.served_hosts,
        temporal_ui_url=told.temporal_ui_url,
        approval_seconds=told.approval_seconds,
        daily_tokens=told.team_daily_tokens,
    )
    if not loopback and not options.keys_required:
        raise SettingsInvalid(
            reason="AGENTOS_KEYS_REQUIRED: off is for loopback only, and --host is " + host
        )
    client = await Client.connect(
        **ClientConfig.load_client_connect_config(),
        data_converter=pydantic_data_converter,
        lazy=True,
    )
    async with (
        _stores(told, ping=True) as (database, blobs),
        _mcp(told, database, keys_required=options.keys_required) as mcp,
    ):
        app = create_app(
            Services(
                database=database,
                blobs=blobs,
                temporal=TemporalPort(client, told.task_queue),
                catalogue=Catalogue(told.skill_folders),
                tools=Registry(),
                models=told.model_options,
                mcp=mcp,
                inputs=told.input_policy,
                options=dataclasses.replace(options, temporal_namespace=client.namespace),
            )
        )
        await serve(app, host, port)


async def connect(*, identity: str) -> Client:
    """Connect to Temporal as its own environment variables say, however long that takes."""

    async def attempt() -> Client:
        try:
            return await Client.connect(
                **ClientConfig.load_client_connect_config(),
                data_converter=pydantic_data_converter,
                identity=identity,
            )
        except (RuntimeError, RPCError) as error:
            raise TemporaryFailure(service="Temporal", reason=str(error)[:300]) from error

    return await patiently(attempt)


def make_sandbox(told: Settings, options: AdapterOptions) -> Sandbox:
    """The backend that ``AGENTOS_SANDBOX`` names."""
    if told.sandbox == "e2b":
        if told.e2b_api_key is None:
            raise SettingsInvalid(reason="E2B_API_KEY: the e2b sandbox needs it")
        return E2B(told.e2b_api_key.get_secret_value(), template=told.e2b_template)
    return Bubblewrap(options.work_folder, python=options.python, max_running=told.running_steps)


def _adapter_options(told: Settings, worker_id: str) -> AdapterOptions:
    return AdapterOptions(
        worker_id=worker_id,
        work_folder=work_folder(told.data_dir),
        skill_folders=told.skill_folders,
        # In the cloud it is the template's own; here it must be one that a job can read.
        python=Path("python3") if told.sandbox == "e2b" else sandbox_python(),
        uv=Path(uv.find_uv_bin()),
        limits=told.limits,
        input_policy=told.input_policy,
        environment=settings.inherited(),
        networked_skills=told.networked_skills,
        models=told.model_options,
        think=ThinkOptions(told.team_daily_tokens, told.approval_seconds),
        search_url=told.search_url,
        public_url=told.public_url,
    )


def _mcp(told: Settings, database: Database, *, keys_required: bool) -> McpPool:
    return McpPool(
        on_listing=partial(update_listing, database),
        policy=told.mcp_policy(keys_required=keys_required),
        secrets=told.secrets,
        environment=settings.inherited(),
    )


@asynccontextmanager
async def _stores(told: Settings, *, ping: bool) -> AsyncIterator[tuple[Database, Blobs]]:
    database = Database(
        told.database_url,
        read_url=told.database_read_url,
        pool_size=told.pool_size,
        max_overflow=told.max_overflow,
        ping=ping,
    )
    try:
        yield database, Blobs(told.s3)
    finally:
        await database.close()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
