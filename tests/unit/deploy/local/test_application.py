"""What API and workers of the embedded stack are told."""

from pathlib import Path

import pytest

from deploy.local.application import api_part, worker_part
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


@pytest.mark.parametrize(
    "name", ["AGENTOS_DATABASE_READ_URL", "TEMPORAL_API_KEY", "TEMPORAL_TLS", "TEMPORAL_PROFILE"]
)
def test_what_the_environment_says_of_other_services_is_not_for_the_stack(name: str) -> None:
    options = StackOptions(Path("/data"), environment={name: "theirs", "OTHER": "kept"})
    environment = api_part(options, SERVICES, 8000).environment
    assert name not in environment
    assert environment["OTHER"] == "kept"
    assert environment["TEMPORAL_ADDRESS"] == SERVICES.temporal_address


def test_the_stack_does_not_read_the_user_s_own_configuration_of_temporal() -> None:
    environment = api_part(StackOptions(Path("/data")), SERVICES, 8000).environment
    assert Path(environment["TEMPORAL_CONFIG_FILE"]).read_text() == ""


@pytest.mark.parametrize(
    ("given", "steps_seconds"),
    [({}, 5), ({"AGENTOS_STOP_SECONDS": "60"}, 60), ({"AGENTOS_STOP_SECONDS": "x"}, 5)],
)
def test_a_worker_of_the_stack_is_given_ten_seconds_to_end_after_its_steps(
    given: dict[str, str], steps_seconds: float
) -> None:
    async def ready() -> None:
        pass

    options = StackOptions(Path("/data"), environment=given)
    part = worker_part(options, SERVICES, "worker", ready, [8010])
    assert part.stop_seconds == steps_seconds + 10
