"""The container files: what can be known of them without containers."""

from typing import Any

import pytest
import yaml

from tests.folders import PROJECT

DOCKERFILE = (PROJECT / "deploy" / "Dockerfile").read_text()


def ignored(name: str) -> set[str]:
    lines = (PROJECT / name).read_text().splitlines()
    return {line.removeprefix("**/") for line in lines if line}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    document = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())
    assert isinstance(document, dict)
    return dict(document["services"])


def test_an_image_is_built_without_what_git_ignores() -> None:
    assert ignored(".dockerignore") == {*ignored(".gitignore"), ".git"}


def test_the_data_folder_of_the_image_is_the_user_s_who_runs_in_it() -> None:
    """A new volume takes its owner from the folder that it is mounted on."""
    assert "AGENTOS_DATA_DIR=/var/lib/agentos/data" in DOCKERFILE
    assert "install --directory --owner=agentos --group=agentos /var/lib/agentos/data" in DOCKERFILE
    assert DOCKERFILE.index("install --directory") < DOCKERFILE.index("USER agentos")


def test_the_worker_keeps_its_data_on_a_volume(services: dict[str, Any]) -> None:
    assert services["worker"]["volumes"] == ["worker:/var/lib/agentos/data"]


def test_temporal_writes_only_where_the_user_of_its_image_may(services: dict[str, Any]) -> None:
    (volume,) = services["temporal"]["volumes"]
    command = services["temporal"]["command"]
    assert volume == "temporal:/home/temporal"
    assert command[command.index("--db-filename") + 1].startswith("/home/temporal/")


def test_the_store_makes_the_bucket_that_api_and_workers_use(services: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        bucket = services[name]["environment"]["AGENTOS_S3_BUCKET"]
        assert f"-bucket={bucket}" in services["s3"]["command"]
