"""What API and workers of the embedded stack are told."""

from pathlib import Path

import pytest

from deploy.local.application import api_part
from deploy.local.s3 import S3Access
from deploy.local.services import Services, StackOptions

SERVICES = Services(
    data_dir=Path("/data"),
    database_url="postgresql+asyncpg://x",
    s3=S3Access("http://127.0.0.1:1", "bucket", "access", "secret"),
    temporal_address="127.0.0.1:2",
    temporal_namespace="default",
    temporal_ui_url="http://127.0.0.1:3",
)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "false"),
        ({"AGENTOS_KEYS_REQUIRED": "true"}, "true"),
        ({"AGENTOS_KEYS_REQUIRED": "false"}, "false"),
    ],
)
def test_keys_are_required_on_loopback_only_where_somebody_says_so(
    given: dict[str, str], told: str
) -> None:
    options = StackOptions(Path("/data"), environment=given)
    assert api_part(options, SERVICES, 8000).environment["AGENTOS_KEYS_REQUIRED"] == told
