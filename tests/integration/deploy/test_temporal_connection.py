"""Reaching a Temporal that has a lock, as Temporal Cloud has, by the variables of its SDK."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import GrpcCompression, TLSConfig

from deploy import temporal_connection
from deploy.local.services import Services
from deploy.polling import check_polling
from tests.doubles.https_server import Authority
from tests.doubles.tls_front import tls_front
from workflows.errors import TemporaryFailure


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def locked(
    infrastructure: Services, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The environment names a Temporal that asks its clients for certificates."""
    async with tls_front(infrastructure.temporal_address, authority) as port:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"localhost:{port}")
        monkeypatch.setenv("TEMPORAL_NAMESPACE", infrastructure.temporal_namespace)
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(authority.certificate))
        yield


@pytest.mark.usefixtures("locked")
async def test_temporal_is_reached_with_the_certificate_that_the_environment_names(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = str(authority.identity("client"))
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", identity)
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", identity)
    client = await Client.connect(**temporal_connection.connection())
    assert (await client.count_workflows("WorkflowId = 'nobody'")).count == 0


@pytest.mark.usefixtures("locked")
async def test_without_a_certificate_temporal_is_not_reached_and_that_is_an_error_of_ours() -> None:
    with pytest.raises(TemporaryFailure, match="Temporal"):
        await check_polling("any")


async def test_a_key_of_temporal_cloud_is_sent_over_tls_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "eu-west-1.aws.api.temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "not-a-true-key")
    found = temporal_connection.connection()
    assert found.get("api_key") == "not-a-true-key"
    assert found.get("tls") is True or isinstance(found.get("tls"), TLSConfig)


@pytest.mark.parametrize(
    ("address", "is_compressed"),
    [
        ("127.0.0.1:7233", False),
        ("localhost:7233", False),
        ("[::1]:7233", False),
        ("temporal.example.org:7233", True),
        ("10.0.0.7:7233", True),
    ],
)
async def test_what_never_leaves_this_machine_is_not_compressed(
    address: str, is_compressed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    wanted = GrpcCompression.GZIP if is_compressed else GrpcCompression.NONE
    assert temporal_connection.connection()["grpc_compression"] is wanted
