"""How to reach Temporal, as its SDK's own environment variables and configuration file say."""

import re

from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import GrpcCompression, TLSConfig

from deploy import settings
from deploy.settings import Settings, SettingsInvalid
from workflows.addresses import is_loopback

_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
_HIGHEST_PORT = 65_535
_PEM = b"-----BEGIN "
_WHERE = "HOST:PORT, without a scheme, such as temporal.example.org:7233"


class Connection(ClientConnectConfig, total=False):
    """Arguments of ``Client.connect``."""

    grpc_compression: GrpcCompression


def load_settings() -> Settings:
    """The settings of who needs Temporal, too: all that is wrong is said at once.

    Raises:
        SettingsInvalid
    """
    reasons = []
    try:
        connection()
    except SettingsInvalid as error:
        reasons.append(error.fields["reason"])
    try:
        loaded = settings.load()
    except SettingsInvalid as error:
        reasons.insert(0, error.fields["reason"])
    if reasons:
        raise SettingsInvalid(reason="; ".join(map(str, reasons)))
    return loaded


def connection() -> Connection:
    """The arguments of ``Client.connect``.

    Raises:
        SettingsInvalid: nothing says where Temporal is, or the SDK cannot use what is set.
    """
    found = connection_if_any()
    if found is None:
        raise SettingsInvalid(reason="TEMPORAL_ADDRESS: it is not set (HOST:PORT)")
    return found


def connection_if_any() -> Connection | None:
    """The same; None where nothing says where Temporal is. The client itself would complain at its
    first call, when it is lazy, and in words of its own.

    Raises:
        SettingsInvalid: the SDK cannot use what is set.
    """
    try:
        found = ClientConfig.load_client_connect_config()
    except OSError as error:  # What it was to read is named by several variables, by path.
        reason = f"TEMPORAL_...: {error.filename}: {error.strerror}"
        raise SettingsInvalid(reason=reason) from None
    except (RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise SettingsInvalid(reason=f"TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE: {said}") from None
    address = found.get("target_host")
    if not address:
        return None
    port = _ADDRESS.fullmatch(address)
    if port is None or not 0 < int(port[1]) <= _HIGHEST_PORT:
        raise SettingsInvalid(reason=f"TEMPORAL_ADDRESS: it must be {_WHERE}")
    tls = found.get("tls")
    if isinstance(tls, TLSConfig):
        _check_tls(tls)
    return _plainly(found)


def _plainly(found: ClientConnectConfig) -> Connection:
    """Without the compression that the SDK asks for by default, where the server is on this very
    machine: there it spares no network anything, and costs both sides processor time."""
    is_here = is_loopback(found["target_host"].rpartition(":")[0])
    return Connection(
        **found, grpc_compression=GrpcCompression.NONE if is_here else GrpcCompression.GZIP
    )


def _check_tls(tls: TLSConfig) -> None:
    if bool(tls.client_cert) != bool(tls.client_private_key):
        both = "TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"
        raise SettingsInvalid(reason=f"{both}: one is of no use without the other; set both")
    for name, content in (
        ("CLIENT_CERT", tls.client_cert),
        ("CLIENT_KEY", tls.client_private_key),
        ("SERVER_CA_CERT", tls.server_root_ca_cert),
    ):
        if content and _PEM not in content:
            raise SettingsInvalid(reason=f"TEMPORAL_TLS_{name}_PATH: it must be a file in PEM")
