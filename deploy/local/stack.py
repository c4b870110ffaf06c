"""The embedded stack: everything AgentOS needs, as processes on this machine."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType

from deploy.local import application, model, postgres, s3, temporal
from deploy.local.errors import PortTaken
from deploy.local.part import Part
from deploy.local.services import API_PORT, Services, StackOptions
from deploy.local.state import DataFolder, RunningPart
from deploy.local.supervisor import Supervisor
from deploy.local.tcp_ports import LOOPBACK, is_free

_CONNECTIONS = 100
_CONNECTIONS_OF_A_WORKER = 40  # its pool of 20 + 10, and those that listen


class Stack:
    """One stack on one data folder. Use as ``async with Stack(options) as services``."""

    def __init__(self, options: StackOptions) -> None:
        self._options = options
        self._data = DataFolder(options.data_dir)
        self._supervisor: Supervisor | None = None
        self._stopping = asyncio.Lock()

    async def __aenter__(self) -> Services:
        return await self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> Services:
        """Start everything, and return when it can be used.

        Raises:
            StackInUse: another stack runs on the data folder.
            PortTaken: the port asked for is not free.
            AgentOSError: a part cannot run here; nothing is left running.
        """
        if self._port_was_asked_for and not is_free(self._options.port):
            raise PortTaken(port=self._options.port)
        lock = await asyncio.to_thread(self._data.acquire)
        supervisor = self._supervisor = Supervisor(self._data.logs, lock, self._publish)
        try:
            services = await self._start_services(supervisor)
            if self._options.migrate:
                await self._options.migrate(services.database_url)
            if self._options.application:
                services = await self._start_application(supervisor, services)
        except BaseException:
            await self.stop()
            raise
        self._publish()
        return services

    async def wait(self) -> None:
        """Return when the stack has been stopped.

        Raises:
            PartFailed: a part could not be kept running; call ``stop`` all the same.
        """
        if self._supervisor:
            await self._supervisor.wait()

    async def stop(self) -> None:
        """End everything, in an order that loses nothing. Doing it twice does no harm."""
        async with self._stopping:
            if self._supervisor:
                await self._supervisor.stop("api", *application.worker_names(self._options.workers))
                await self._supervisor.stop("temporal", "s3", "postgres", "model")
                s3.clear(self._data)
                self._supervisor = None
            self._data.release()

    @property
    def _port_was_asked_for(self) -> bool:
        return self._options.application and self._options.port != API_PORT

    async def _start_services(self, supervisor: Supervisor) -> Services:
        async with _all_or_none() as group:
            database = group.create_task(self._start_postgres(supervisor))
            store = group.create_task(self._start_s3(supervisor))
            server = group.create_task(self._start_temporal(supervisor))
            answering = group.create_task(self._start_model(supervisor))
        port, ui_port = server.result()
        return Services(
            data_dir=self._data.path,
            database_url=database.result(),
            s3=store.result(),
            temporal_address=f"{LOOPBACK}:{port}",
            temporal_namespace=temporal.NAMESPACE,
            temporal_ui_url=f"http://{LOOPBACK}:{ui_port}",
            model_url=answering.result(),
        )

    async def _start_postgres(self, supervisor: Supervisor) -> str:
        more = _CONNECTIONS_OF_A_WORKER * max(0, self._options.workers - 1)
        await supervisor.start(await postgres.prepare(self._data, supervisor, _CONNECTIONS + more))
        return postgres.connection_url(self._data.socket_folder(), scheme="postgresql+asyncpg")

    async def _start_temporal(self, supervisor: Supervisor) -> Sequence[int]:
        return await supervisor.start_on_ports(
            [self._usual(port) for port in temporal.PORTS],
            lambda ports: temporal.prepare(self._data, self._options.temporal, *ports),
        )

    async def _start_s3(self, supervisor: Supervisor) -> s3.S3Access:
        ports = await supervisor.start_on_ports(
            [self._usual(s3.PORT), *s3.inner_ports(self._data)],
            lambda ports: s3.prepare(self._data, ports),
        )
        return s3.access(self._data, ports[0])

    async def _start_model(self, supervisor: Supervisor) -> str | None:
        if not self._options.application or not model.is_wanted(self._options.environment):
            return None
        ports = await supervisor.start_on_ports(
            [None], lambda ports: model.prepare(self._data, *ports)
        )
        return model.base_url(*ports)

    async def _start_application(self, supervisor: Supervisor, services: Services) -> Services:
        async with _all_or_none() as group:
            for name in application.worker_names(self._options.workers):
                part = application.worker_part(self._options, services, name)
                group.create_task(supervisor.start(part))
            api = group.create_task(self._start_api(supervisor, services))
        return dataclasses.replace(services, api_url=f"http://{LOOPBACK}:{api.result()}")

    async def _start_api(self, supervisor: Supervisor, services: Services) -> int:
        def build(ports: Sequence[int]) -> Part:
            return application.api_part(self._options, services, *ports)

        port = self._options.port
        if self._port_was_asked_for:
            await supervisor.start(build([port]))
            return port
        return (await supervisor.start_on_ports([self._usual(port)], build))[0]

    def _usual(self, port: int) -> int | None:
        return port if self._options.default_ports else None

    def _publish(self) -> None:
        if self._supervisor is None:
            return
        running = {
            name: RunningPart(url=url, pid=process.pid)
            for process in self._supervisor.processes
            for name, url in process.part.urls.items()
        }
        self._data.publish(running)


@asynccontextmanager
async def _all_or_none() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises the failure which made it cancel the others, not a group of one."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
