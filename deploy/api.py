"""From settings to a running API."""

import dataclasses
import socket

from temporalio.client import Client

from activities.disk import Disk
from activities.metrics.definitions import OF_APIS
from activities.metrics.numbers import Numbers
from activities.metrics.temporal import TemporalNumbers
from activities.payloads import Codec, data_converter
from activities.skills.catalogue import Catalogue
from activities.tools.own.loading import modules
from activities.tools.registry import Registry
from activities.units import MEBIBYTE
from api import garbage_collector
from api.app import create_app
from api.http.server import serve
from api.residents.template_files import TemplateFiles
from api.services import ApiOptions, ConnectionLimits, ScheduleLimits, Services
from api.tasks.temporal import TemporalPort
from deploy import temporal_connection
from deploy.api_host import reaches_only_us
from deploy.bootstrap import mcp_pool, secret_box, stores
from deploy.open_files import CALLERS, viewers_allowed
from deploy.settings import Settings, SettingsInvalid
from workflows.addresses import is_loopback
from workflows.errors import AgentOSError


class PortUnusable(AgentOSError):
    """The API cannot listen on port {port} of {host}: {reason}. Stop the program that uses it, or
    choose another one with --port."""


async def run_api(settings: Settings, host: str, port: int) -> None:
    """Serve the API until SIGTERM or SIGINT. Temporal need not be there yet.

    Raises:
        HostMalformed, PortUnusable, SettingsInvalid
    """
    options = _options(settings, host, port)
    codec = Codec(settings.codec_keys) if settings.codec_keys else None
    temporal, numbers = TemporalNumbers(), Numbers(OF_APIS)
    numbers.add(temporal)
    numbers.add_process()
    client = await Client.connect(
        **temporal_connection.connection(),
        data_converter=data_converter(codec),
        lazy=True,
        runtime=temporal.runtime,
    )
    _require_port(host, port)
    tools = Registry(modules(settings.tool_folders))
    async with (
        stores(settings, ping=True) as (database, blobs),
        mcp_pool(settings, database) as mcp,
        temporal.emptied(),
    ):
        app = create_app(
            Services(
                database=database,
                blobs=blobs,
                temporal=TemporalPort(client, settings.task_queue),
                catalogue=Catalogue(settings.skill_folders),
                tools=tools,
                models=settings.model_options,
                templates=TemplateFiles(settings.agent_folders),
                mcp=mcp,
                inputs=settings.input_policy,
                disk=_disk(settings),
                codec=codec,
                box=secret_box(settings),
                webhooks=settings.webhook_options(loopback=settings.is_for_owner),
                numbers=numbers,
                options=dataclasses.replace(options, temporal_namespace=client.namespace),
            )
        )
        garbage_collector.resume()
        await serve(app, host, port)


def _options(settings: Settings, host: str, port: int) -> ApiOptions:
    """Raises ``HostMalformed``, and ``SettingsInvalid`` where anybody could reach an API that asks
    for no keys."""
    loopback = reaches_only_us(host)
    max_viewers = viewers_allowed(settings.max_viewers)
    options = ApiOptions(
        keys_required=not loopback if settings.keys_required is None else settings.keys_required,
        open_loopback=settings.open_loopback,
        max_upload_bytes=settings.max_upload_mib * MEBIBYTE,
        public_url=settings.public_url,
        page_url=settings.public_url or _page_url(host, port),
        served_hosts=settings.served_hosts,
        temporal_ui_url=settings.temporal_ui_url,
        codec_token=settings.codec_token,
        metrics_token=settings.metrics_token,
        titles=settings.titles,
        sandbox=settings.sandbox,
        approval_seconds=settings.approval_seconds,
        daily_tokens=settings.team_daily_tokens,
        max_viewers=max_viewers,
        max_viewers_per_team=settings.max_viewers_per_team,
        housekeeping=settings.housekeeping,
        connections=ConnectionLimits(most=max_viewers + CALLERS),
        schedules=ScheduleLimits(settings.schedule_seconds, settings.max_schedules),
        residents=settings.resident_options,
        reminders=settings.reminder_limits,
    )
    if not loopback and not options.keys_required:
        raise SettingsInvalid(
            reason="AGENTOS_KEYS_REQUIRED: off is for loopback only, and --host is " + host
        )
    return options


def _disk(settings: Settings) -> Disk | None:
    folder = settings.services_dir
    return None if folder is None else Disk(folder, "AgentOS")


def _page_url(host: str, port: int) -> str:
    """Where somebody on this machine finds the page; empty where it may be elsewhere."""
    if not is_loopback(host):
        return ""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _require_port(host: str, port: int) -> None:
    """Uvicorn says so only in the log, and ends the process with an exit code of its own."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: connections of an ended server, in their last minute, take no port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortUnusable(host=host, port=port, reason=error.strerror) from error
