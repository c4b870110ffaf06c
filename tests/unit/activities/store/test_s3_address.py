"""Which region of an S3 store is asked."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from activities.store.blobs import Blobs
from activities.store.options import S3Options
from activities.store.s3_address import region_of


class Store(HTTPServer):
    """It has every bucket, and notes how requests are signed."""

    def __init__(self) -> None:
        self.signatures: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def do_HEAD(self) -> None:
        self.server.signatures.append(self.headers["Authorization"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as store:
        threading.Thread(target=store.serve_forever, daemon=True).start()
        yield store
        store.shutdown()


@pytest.mark.parametrize(("given", "signed"), [("eu-central-1", "eu-central-1"), ("", "us-east-1")])
def test_requests_are_signed_for_the_region_that_is_set(
    store: Store, given: str, signed: str
) -> None:
    blobs = Blobs(S3Options(store.url, "agentos", "key", "secret", region=given))
    assert asyncio.run(blobs.check())
    assert f"/{signed}/s3/" in store.signatures[0]


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://s3.dualstack.eu-west-2.amazonaws.com", "eu-west-2"),
        ("https://s3.amazonaws.com", "us-east-1"),
        ("http://127.0.0.1:8333", "us-east-1"),
        ("https://store.example:9000", "us-east-1"),
    ],
)
def test_a_region_that_an_address_of_aws_names_is_used(endpoint: str, region: str) -> None:
    assert region_of(endpoint) == region
