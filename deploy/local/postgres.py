"""PostgreSQL, from a Python wheel, as whoever we are, root included."""

import os
import pwd
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import asyncpg

from deploy.local.errors import ClusterNotMade, NotReady, RootNeedsUserNamespaces
from deploy.local.part import Part
from deploy.local.programs import postgres_program
from deploy.local.state import DataFolder
from deploy.local.supervisor import Supervisor

USER = DATABASE = "agentos"
_PORT = 5432  # names the socket; said everywhere, since clients else take it from PGPORT
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


async def prepare(data: DataFolder, supervisor: Supervisor, connections: int) -> Part:
    """The database server of a data folder, whose cluster is made when it is not there.

    It listens on a Unix socket only, in a folder that only we may enter: that is quicker than TCP
    and needs no password.

    Raises:
        RootNeedsUserNamespaces: we are root, and may not stop being it.
        ClusterNotMade: the cluster could not be made.
    """
    sockets = data.socket_folder()
    cluster = _cluster(data)
    if not cluster.exists():
        await _make_cluster(data, supervisor, cluster)
    # We hold the lock of the folder, so this names a process of before, or an innocent one of now
    # with the same number (usual in containers): PostgreSQL would refuse to start.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    return Part(
        name="postgres",
        command=(
            str(postgres_program("postgres")),
            "-D",
            str(cluster),
            *_options(sockets, connections),
        ),
        folder=cluster,
        ready=_Readiness(sockets),
        urls={"postgres": connection_url(sockets)},
        environment=_ENVIRONMENT,
        stop_signal=signal.SIGINT,  # "fast": ends sessions and leaves a clean checkpoint
        orphan_signal=signal.SIGQUIT,  # "immediate": ends all backends too, and frees shared memory
        appear_as_uid=uid_to_appear_as(),
    )


def has_cluster(data: DataFolder) -> bool:
    """Whether a database was made in the folder before."""
    return _cluster(data).exists()


def connection_url(sockets: Path, *, scheme: str = "postgresql") -> str:
    """A libpq URL; with ``postgresql+asyncpg`` as its scheme it is SQLAlchemy's."""
    return f"{scheme}://{USER}@/{DATABASE}?host={sockets}&port={_PORT}"


def _cluster(data: DataFolder) -> Path:
    return data.path / "postgres"


def _options(sockets: Path, connections: int) -> list[str]:
    settings = {
        "listen_addresses": "",
        "port": str(_PORT),
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": str(connections),
        "shared_buffers": "128MB",
        "fsync": "on",
        "synchronous_commit": "on",  # a task that we said we accepted survives a power cut
        "timezone": "UTC",
        "log_timezone": "UTC",
        "max_wal_size": "512MB",
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


async def _make_cluster(data: DataFolder, supervisor: Supervisor, cluster: Path) -> None:
    """Run initdb aside, then move: a killed start leaves no half-made cluster."""
    unfinished = data.path / "postgres.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ("--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-instructions")
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8")
    status, end = await supervisor.run_to_end(
        Part(
            name="postgres",
            command=(str(postgres_program("initdb")), "-D", str(unfinished), *options, *locale),
            folder=data.path,
            environment=_ENVIRONMENT,
            appear_as_uid=uid_to_appear_as(),
        )
    )
    if status != "exit code 0":
        if "unshare" in end or "uid_map" in end:
            raise RootNeedsUserNamespaces(reason=end)
        raise ClusterNotMade(status=status, cluster=cluster, tail=end)
    unfinished.rename(cluster)


def uid_to_appear_as() -> int:
    """A uid that PostgreSQL accepts: not root, and with a name; 0 when ours is such a one."""
    with suppress(KeyError):
        if os.geteuid() and pwd.getpwuid(os.geteuid()):
            return 0
    return next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)


class _Readiness:
    """Asks the server, and makes the database when it is not there."""

    def __init__(self, sockets: Path) -> None:
        self._sockets = str(sockets)

    async def __call__(self) -> None:
        try:
            connection = await asyncpg.connect(
                host=self._sockets, port=_PORT, user=USER, database="postgres"
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReady(reason=str(error)) from error
        try:
            found = await connection.fetchval(
                "SELECT 1 FROM pg_database WHERE datname = $1", DATABASE
            )
            if not found:
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()
