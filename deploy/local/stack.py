"""The embedded stack: everything AgentOS needs, as processes on this machine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType

from deploy.local import application, model, postgres, s3, temporal
from deploy.local.errors import DataFolderUnusable, PortTaken
from deploy.local.forking import ForkServer
from deploy.local.machine import require_room
from deploy.local.part import Fork, Part, not_forked
from deploy.local.port_plan import KeptPorts, PortPlan, WantedPorts, choose, keep_ports, kept_ports
from deploy.local.services import API_PORT, WORKER_PORT, Services, StackOptions
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
        self._fork_server: ForkServer | None = None
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
            DataFolderBusy: a backup of the folder is being taken.
            PortTaken: the port asked for is not free.
            SecretsKeyUnusable: the file of the key of secrets holds none.
            DiskTooSmall, DataFolderUnusable: nothing can be kept in the data folder.
            AgentOSError: a part cannot run here; nothing is left running.
        """
        if not self._data.path.exists():
            self._require_port()  # Before a folder is made for nothing.
        lock = await asyncio.to_thread(self._data.acquire)
        try:
            require_room(self._data.path, is_new=not postgres.has_cluster(self._data))
            self._require_secrets_key()
            # Not before: it may have been a stack on this very folder that had the port.
            self._require_port()
            supervisor = self._supervisor = Supervisor(
                self._data.logs,
                lock,
                self._publish,
                on_ready=lambda part: self._options.tell(f"{part} is ready"),
                on_disk=self._options.tell_of_disk,
                fork=self._start_fork_server(),
            )
            services = await self._start(supervisor)
            self._publish()
        except OSError as error:  # The disk is full, say.
            await self.stop()
            reason = error.strerror or str(error)
            raise DataFolderUnusable(data_dir=self._data.path, reason=reason) from error
        except BaseException:
            await self.stop()
            raise
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
            if self._fork_server:
                self._fork_server.close()
                self._fork_server = None
            self._data.release()

    def _start_fork_server(self) -> Fork:
        """It loads while the services start."""
        if not self._options.application:
            return not_forked
        if self._options.fork_server:
            return self._options.fork_server.fork
        self._fork_server = ForkServer(self._options.environment)
        self._fork_server.start()
        return self._fork_server.fork

    @property
    def _port(self) -> int | None:
        """The one that was asked for."""
        return self._options.port if self._options.application else None

    def _require_port(self) -> None:
        if self._port is not None and not is_free(self._port):
            raise PortTaken(port=self._port)

    def _require_secrets_key(self) -> None:
        if not self._options.environment.get("AGENTOS_SECRETS_KEY"):
            self._data.secrets_key()

    async def _start(self, supervisor: Supervisor) -> Services:
        """Start all parts at once: API and workers load while their services start."""
        plan, usable = self._plan(), asyncio.Event()
        async with _all_or_none() as group:
            starting = group.create_task(self._start_application(supervisor, plan, usable))
            found = await self._start_services(supervisor, plan)
            if found != plan:  # Another program took a port: they have addresses that are wrong.
                starting.cancel()
                await asyncio.wait([starting])
                starting = group.create_task(self._start_application(supervisor, found, usable))
            usable.set()
        keep_ports(self._data, {each.part.name: each.part.ports for each in supervisor.processes})
        services = self._services(found)
        self._data.tell_secrets_keys(services.secrets_key)
        api_ports = starting.result()
        return replace(services, api_url=f"http://{LOOPBACK}:{api_ports[0]}" if api_ports else None)

    def _plan(self) -> PortPlan:
        options = self._options
        has_model = options.application and model.is_wanted(options.environment)
        kept, of_temporal = kept_ports(self._data), (temporal.PORT, temporal.PAGE_PORT)
        usual = [*map(self._usual, of_temporal), None]
        return choose(
            WantedPorts(
                temporal=[kept.of("temporal", number, port) for number, port in enumerate(usual)],
                s3=[kept.of("s3", 0, self._usual(s3.PORT)), *s3.inner_ports(self._data)],
                model=[kept.of("model", 0, None)] if has_model else [],
                api=self._wanted_api_ports(kept) if options.application else [],
                workers=self._wanted_worker_ports(kept) if options.application else [],
            ),
            s3.clear_port,
        )

    def _codec_url(self, plan: PortPlan) -> str | None:
        """None where nothing is encrypted, or there is no API to decrypt it."""
        is_wanted = plan.api and self._options.environment.get("AGENTOS_CODEC_KEY")
        return f"http://{LOOPBACK}:{plan.api[0]}/codec" if is_wanted else None

    def _wanted_api_ports(self, kept: KeptPorts) -> Sequence[int | None]:
        return [self._port or kept.of("api", 0, self._usual(API_PORT))]

    def _wanted_worker_ports(self, kept: KeptPorts) -> Sequence[int | None]:
        if not application.has_monitors(self._options):
            return []
        names = application.worker_names(self._options.workers)
        usual = [self._usual(WORKER_PORT + number) for number in range(len(names))]
        return [kept.of(name, 0, port) for name, port in zip(names, usual, strict=True)]

    def _services(self, ports: PortPlan) -> Services:
        return Services(
            data_dir=self._data.path,
            database_url=postgres.connection_url(
                self._data.socket_folder(), scheme="postgresql+asyncpg"
            ),
            s3=s3.access(self._data, ports.s3[0]),
            temporal_address=f"{LOOPBACK}:{ports.temporal[0]}",
            temporal_namespace=temporal.NAMESPACE,
            temporal_ui_url=f"http://{LOOPBACK}:{ports.temporal[1]}",
            secrets_key=self._options.environment.get("AGENTOS_SECRETS_KEY")
            or self._data.secrets_key(),
            model_url=model.base_url(ports.model[0]) if ports.model else None,
        )

    async def _start_services(self, supervisor: Supervisor, plan: PortPlan) -> PortPlan:
        """Gives the ports that they got."""
        async with _all_or_none() as group:
            group.create_task(self._start_postgres(supervisor))
            server = group.create_task(
                supervisor.start_on_ports(
                    plan.temporal,
                    lambda ports: temporal.prepare(
                        self._data,
                        self._options.temporal,
                        ports,
                        codec_url=self._codec_url(plan),
                    ),
                )
            )
            store = group.create_task(self._start_store(supervisor, plan.s3))
            answering = plan.model and group.create_task(
                supervisor.start_on_ports(
                    plan.model, lambda ports: model.prepare(self._data, *ports)
                )
            )
        return replace(
            plan,
            temporal=server.result(),
            s3=store.result(),
            model=answering.result() if answering else [],
        )

    async def _start_store(self, supervisor: Supervisor, ports: Sequence[int]) -> Sequence[int]:
        await asyncio.to_thread(s3.make_certificates, self._data)
        return await supervisor.start_on_ports(
            ports, lambda got: s3.prepare(self._data, got), suits=s3.clear_port
        )

    async def _start_postgres(self, supervisor: Supervisor) -> None:
        if not postgres.has_cluster(self._data):
            self._options.tell("making a database, since this is the first start")
        async with _all_or_none() as group:
            if self._options.before_first_migration and not postgres.has_cluster(self._data):
                group.create_task(self._options.before_first_migration())
            connections = _CONNECTIONS + _CONNECTIONS_OF_A_WORKER * max(
                0, self._options.workers - 1
            )
            await supervisor.start(await postgres.prepare(self._data, supervisor, connections))
        if self._options.migrate:
            url = postgres.connection_url(self._data.socket_folder(), scheme="postgresql+asyncpg")
            self._options.tell("bringing the database up to date")
            await self._options.migrate(url)

    async def _start_application(
        self, supervisor: Supervisor, plan: PortPlan, usable: asyncio.Event
    ) -> Sequence[int]:
        """Start API and workers, whose services are there once ``usable`` is set.

        Gives the API's port, or nothing without an application.
        """
        if not self._options.application:
            return []
        services, names = self._services(plan), application.worker_names(self._options.workers)
        polling = temporal.PollerReadiness(plan.temporal[2], self._options.task_queue, len(names))
        async with _all_or_none() as group:
            for number, name in enumerate(names):
                ports = plan.workers[number : number + 1]
                build = partial(application.worker_part, self._options, services, name, polling)
                group.create_task(supervisor.start_on_ports(ports, build, after=usable))
            api = group.create_task(self._start_api(supervisor, services, plan.api, usable))
        return api.result()

    async def _start_api(
        self,
        supervisor: Supervisor,
        services: Services,
        ports: Sequence[int],
        usable: asyncio.Event,
    ) -> Sequence[int]:
        def build(ports: Sequence[int]) -> Part:
            return application.api_part(self._options, services, *ports)

        if self._port is not None:
            await supervisor.start(build([self._port]), after=usable)
            return [self._port]
        return await supervisor.start_on_ports(ports, build, after=usable)

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
