"""A URL that somebody else wrote makes a worker connect to nothing but what is allowed."""

import asyncio
import datetime
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from activities.inputs.https import HttpsDownloads, resolve_by_system
from activities.inputs.policy import InputPolicy
from tests.doubles.https_server import (
    Authority,
    HttpsServer,
    https_server,
    redirects,
    repeats,
    says,
)
from workflows.definitions import inputs
from workflows.definitions.inputs import HttpsRef
from workflows.errors import TemporaryFailure
from workflows.errors.inputs import InputNotFound, InputRefused


class NameServer:
    """Gives the addresses of names; one that has several answers gives another each time."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = {name.replace("_", "."): list(answers) for name, answers in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[HttpsServer]:
    context = authority.server_context("data.example", "other.example", "localhost", "127.0.0.1")
    async with https_server(context, {"/x": says(b"bytes")}) as running:
        yield running


@pytest.fixture
def policy(authority: Authority, server: HttpsServer) -> InputPolicy:
    """``data.example`` is trusted to be inside the house; ``other.example`` must be public."""
    return InputPolicy(
        private_hosts=(f"data.example:{server.port}",),
        allowed_hosts=(f"other.example:{server.port}",),
        ca_file=authority.certificate,
    )


@pytest.fixture
def names() -> NameServer:
    return NameServer(data_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])


async def download(policy: InputPolicy, names: NameServer, url: str) -> bytes:
    ref = inputs.parse(url)
    assert isinstance(ref, HttpsRef)
    async with HttpsDownloads(policy, names).open(ref) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_the_connection_goes_to_the_address_that_was_checked(
    authority: Authority, server: HttpsServer, policy: InputPolicy
) -> None:
    rebinding = NameServer(data_example=[["127.0.0.1"], ["127.0.0.2"]])
    context = authority.server_context("data.example")
    async with https_server(context, {"/x": says(b"secret")}, "127.0.0.2", server.port) as inner:
        body = await download(policy, rebinding, f"https://data.example:{server.port}/x")
    assert (body, inner.requests, rebinding.asked) == (b"bytes", [], ["data.example"])


async def test_the_request_names_the_host_and_not_its_address(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    await download(policy, names, f"https://data.example:{server.port}/x")
    assert f"\r\nHost: data.example:{server.port}\r\n" in server.requests[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fe80::1%lo", "0.0.0.0"])
async def test_a_public_host_with_an_inner_address_is_refused(
    server: HttpsServer, policy: InputPolicy, address: str
) -> None:
    names = NameServer(other_example=[[address]])
    with pytest.raises(InputRefused, match="which is not public"):
        await download(policy, names, f"https://other.example:{server.port}/x")
    assert server.requests == []


async def test_one_inner_address_among_public_ones_is_enough_to_refuse(
    server: HttpsServer, policy: InputPolicy
) -> None:
    names = NameServer(other_example=[["1.1.1.1", "127.0.0.1"]])
    with pytest.raises(InputRefused, match=r"address 127\.0\.0\.1"):
        await download(policy, names, f"https://other.example:{server.port}/x")


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "224.0.0.1"])
async def test_even_a_trusted_host_has_no_metadata_address(
    server: HttpsServer, policy: InputPolicy, address: str
) -> None:
    names = NameServer(data_example=[[address]])
    with pytest.raises(InputRefused, match="which is not public"):
        await download(policy, names, f"https://data.example:{server.port}/x")


async def test_localhost_is_refused_unless_it_is_trusted(
    authority: Authority, server: HttpsServer
) -> None:
    host = f"localhost:{server.port}"
    url = inputs.parse(f"https://{host}/x")
    assert isinstance(url, HttpsRef)
    public = InputPolicy(allowed_hosts=(host,), ca_file=authority.certificate)
    with pytest.raises(InputRefused, match="which is not public"):
        async with HttpsDownloads(public, resolve_by_system).open(url):
            pass
    private = InputPolicy(private_hosts=(host,), ca_file=authority.certificate)
    async with HttpsDownloads(private, resolve_by_system).open(url) as chunks:
        assert [chunk async for chunk in chunks] == [b"bytes"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", "use https://"),
        ("https://169.254.169.254/latest/meta-data", "AGENTOS_ALLOWED_HOSTS"),
        ("http://data.example/x", "use https://"),
        ("file:///etc/passwd", "something that is not a valid input"),
        ("s3://bucket/key", "not https://"),
        ("https://evil.example/x", "AGENTOS_ALLOWED_HOSTS"),
        ("https://data.example/x", "AGENTOS_ALLOWED_HOSTS"),  # another port
        ("https://user:password@data.example:{port}/x", "credentials"),
        ("https://data.example:{port}\\@evil.example/", "backslash"),
        ("https://[::1/", "something that is not a valid input"),
        ("https://other.example:{port}/x", "which is not public"),
    ],
)
async def test_a_redirect_to_what_is_not_allowed_is_refused(
    server: HttpsServer, policy: InputPolicy, names: NameServer, target: str, reason: str
) -> None:
    server.answers["/go"] = redirects(target.format(port=server.port))
    with pytest.raises(InputRefused, match=reason):
        await download(policy, names, f"https://data.example:{server.port}/go")
    assert len(server.requests) == 1


async def test_the_metadata_service_is_refused_even_when_it_is_allowed_by_mistake(
    server: HttpsServer, policy: InputPolicy
) -> None:
    server.answers["/go"] = redirects("https://169.254.169.254/latest/meta-data")
    policy = replace(policy, private_hosts=(*policy.private_hosts, "169.254.169.254"))
    names = NameServer(data_example=[["127.0.0.1"]])
    names.names["169.254.169.254"] = [["169.254.169.254"]]
    with pytest.raises(InputRefused, match="which is not public"):
        await download(policy, names, f"https://data.example:{server.port}/go")


async def test_five_redirects_are_followed_and_six_are_not(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    for number in range(6):
        server.answers[f"/{number}"] = redirects(f"{number + 1}")
    server.answers["/6"] = says(b"there")
    assert await download(policy, names, f"https://data.example:{server.port}/1") == b"there"
    with pytest.raises(InputRefused, match="more than 5 times"):
        await download(policy, names, f"https://data.example:{server.port}/0")


async def test_a_redirect_carries_no_cookie_along(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    server.answers["/go"] = says(b"", "302 Found", Location="/x", Set_Cookie="session=1; Path=/")
    await download(policy, names, f"https://data.example:{server.port}/go")
    assert not any("cookie" in head.lower() for head in server.requests)


async def test_a_proxy_in_the_environment_is_not_used(
    server: HttpsServer, policy: InputPolicy, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert await download(policy, names, f"https://data.example:{server.port}/x") == b"bytes"


async def test_an_encoded_body_is_refused(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    server.answers["/bomb"] = says(b"\x1f\x8b", Content_Encoding="gzip")
    with pytest.raises(InputRefused, match="encoded"):
        await download(policy, names, f"https://data.example:{server.port}/bomb")


async def test_a_certificate_of_an_unknown_authority_is_refused(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    with pytest.raises(InputRefused, match="certificate is not valid"):
        await download(
            replace(policy, ca_file=None), names, f"https://data.example:{server.port}/x"
        )
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "lifetime", "reason"),
    [
        ("wrong.example", datetime.timedelta(days=1), "not valid for 'data.example'"),
        ("127.0.0.1", datetime.timedelta(days=1), "not valid for 'data.example'"),
        ("data.example", -datetime.timedelta(days=1), "expired"),
    ],
)
async def test_a_certificate_that_is_not_the_hosts_is_refused(
    authority: Authority,
    names: NameServer,
    name: str,
    lifetime: datetime.timedelta,
    reason: str,
) -> None:
    context = authority.server_context(name, lifetime=lifetime)
    async with https_server(context, {"/x": says(b"bytes")}) as server:
        policy = InputPolicy(
            private_hosts=(f"data.example:{server.port}",), ca_file=authority.certificate
        )
        with pytest.raises(InputRefused, match=reason):
            await download(policy, names, f"https://data.example:{server.port}/x")
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("404 Not Found", InputNotFound),
        ("403 Forbidden", InputNotFound),
        ("206 Partial Content", InputNotFound),
        ("304 Not Modified", InputNotFound),
        ("503 Service Unavailable", TemporaryFailure),
        ("429 Too Many Requests", TemporaryFailure),
    ],
)
async def test_any_answer_but_200_is_an_error(
    server: HttpsServer,
    policy: InputPolicy,
    names: NameServer,
    status: str,
    expected: type[Exception],
) -> None:
    server.answers["/status"] = says(b"", status)
    with pytest.raises(expected, match=status[:3]):
        await download(policy, names, f"https://data.example:{server.port}/status")


async def test_a_body_shorter_than_it_was_said_to_be_is_a_temporary_failure(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    server.answers["/short"] = says(b"bytes", Content_Length="6")
    with pytest.raises(TemporaryFailure, match=r"data\.example"):
        await download(policy, names, f"https://data.example:{server.port}/short")


async def test_headers_without_an_end_are_cut(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 8_000 + b"\r\n")
            await writer.drain()

    server.answers["/headers"] = endless
    with pytest.raises(TemporaryFailure):
        await download(policy, names, f"https://data.example:{server.port}/headers")


async def test_a_download_is_passed_on_as_it_arrives(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    server.answers["/endless"] = repeats(b"x" * 65_536, length=10**12)
    ref = inputs.parse(f"https://data.example:{server.port}/endless")
    assert isinstance(ref, HttpsRef)
    async with HttpsDownloads(policy, names).open(ref) as chunks:
        assert len(await anext(chunks)) == 1024 * 1024


async def test_another_address_is_tried_when_the_first_is_dead(
    server: HttpsServer, policy: InputPolicy
) -> None:
    names = NameServer(data_example=[["127.0.0.3", "127.0.0.1"]])
    assert await download(policy, names, f"https://data.example:{server.port}/x") == b"bytes"


async def test_a_host_that_is_down_is_a_temporary_failure(
    server: HttpsServer, policy: InputPolicy
) -> None:
    names = NameServer(data_example=[["127.0.0.3"]])
    with pytest.raises(TemporaryFailure, match=r"Host data\.example"):
        await download(policy, names, f"https://data.example:{server.port}/x")


async def test_a_name_that_nobody_knows_is_not_tried_again(
    server: HttpsServer, policy: InputPolicy
) -> None:
    with pytest.raises(InputNotFound, match="no such host"):
        await download(policy, NameServer(), f"https://data.example:{server.port}/x")


async def test_no_error_shows_the_query_of_a_url(
    server: HttpsServer, policy: InputPolicy, names: NameServer
) -> None:
    server.answers["/a?signature=5ec7e7"] = says(b"", "403 Forbidden")
    with pytest.raises(InputNotFound) as caught:
        await download(policy, names, f"https://data.example:{server.port}/a?signature=5ec7e7")
    assert "5ec7e7" not in str(caught.value)
