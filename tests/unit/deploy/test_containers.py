"""The container files: what can be known of them without containers."""

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.sandbox.syscalls import DENIED
from deploy.local import temporal
from deploy.local.state import DataFolder
from deploy.settings import Settings
from deploy.worker_end import END_SECONDS
from tests.folders import PROJECT

COMPOSE = (PROJECT / "deploy" / "compose.yaml").read_text()
DOCKERFILE = (PROJECT / "deploy" / "Dockerfile").read_text()


def ignored(name: str) -> set[str]:
    lines = (PROJECT / name).read_text().splitlines()
    return {line.removeprefix("**/") for line in lines if line}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE))


@pytest.fixture(scope="module")
def services(document: dict[str, Any]) -> dict[str, Any]:
    return dict(document["services"])


def dynamic_settings(command: Sequence[str], option: str = "--dynamic-config-value") -> set[str]:
    """What Temporal is told of its inner limits, from either way of writing an option."""
    apart = {value for word, value in itertools.pairwise(command) if word == option}
    together = {
        word.removeprefix(f"{option}=") for word in command if word.startswith(f"{option}=")
    }
    return apart | together


def test_an_image_is_built_without_tests_and_what_git_ignores() -> None:
    assert ignored(".dockerignore") == {*ignored(".gitignore"), ".git", "tests/"}


def test_passwords_are_read_from_a_file_that_is_in_no_image_and_no_commit(
    services: dict[str, Any],
) -> None:
    for name in ("api", "worker", "migrate"):
        assert services[name]["env_file"] == [{"path": ".env", "required": False}]
    assert "deploy/.env" in ignored(".gitignore")


def test_the_data_folder_of_the_image_is_the_user_s_who_runs_in_it() -> None:
    """A new volume takes its owner from the folder that it is mounted on."""
    assert "AGENTOS_DATA_DIR=/var/lib/agentos/data" in DOCKERFILE
    assert "install --directory --owner=agentos --group=agentos /var/lib/agentos/data" in DOCKERFILE
    assert DOCKERFILE.index("install --directory") < DOCKERFILE.index("USER agentos")


@pytest.mark.parametrize("name", ["worker", "temporal", "s3"])
def test_what_must_survive_is_on_a_volume_where_the_user_of_the_image_may_write(
    services: dict[str, Any], name: str
) -> None:
    assert services[name]["image"] == "agentos"
    assert services[name]["volumes"][0] == f"{name}:/var/lib/agentos/data"


@pytest.mark.parametrize("name", ["temporal", "s3"])
def test_a_server_writes_into_its_volume(services: dict[str, Any], name: str) -> None:
    assert services[name]["working_dir"] == "/var/lib/agentos/data"
    written = {"temporal": "--db-filename=temporal.db", "s3": "-dir=data"}
    assert written[name] in services[name]["command"]


def test_the_store_makes_the_bucket_that_api_and_workers_use(services: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        bucket = services[name]["environment"]["AGENTOS_S3_BUCKET"]
        assert f"-bucket={bucket}" in services["s3"]["command"]


def test_temporal_has_the_limits_that_it_has_on_one_machine(
    services: dict[str, Any], tmp_path: Path
) -> None:
    data = DataFolder(tmp_path)
    data.acquire()
    try:
        local = temporal.prepare(data, {}, (1, 2, 3)).command
    finally:
        data.release()
    assert dynamic_settings(services["temporal"]["command"]) == dynamic_settings(local)
    assert len(dynamic_settings(local)) > 5
    option = "--search-attribute"
    given = dynamic_settings(services["temporal"]["command"], option)
    assert given == dynamic_settings(local, option)
    assert len(given) == 4


def test_the_store_refuses_who_has_no_key(services: dict[str, Any]) -> None:
    given = services["s3"]["environment"]
    keys = ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
    assert {f"WEED_JWT_{key}_KEY" for key in keys} <= set(given)
    assert all("S3_SECRET_KEY" in given[f"WEED_JWT_{key}_KEY"] for key in keys)


def test_only_what_asks_for_a_key_is_published_and_only_on_loopback(
    services: dict[str, Any],
) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"api", "temporal-ui"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports)
    assert services["temporal-ui"]["profiles"] == ["ui"]
    assert services["temporal-ui"]["entrypoint"][-1] == "deploy.temporal_page"


def test_a_server_of_compose_reaches_neither_the_world_nor_another_server(
    document: dict[str, Any], services: dict[str, Any]
) -> None:
    """Each is in a network of its own with those that use it."""
    servers = {name: services[name]["networks"] for name in ("postgres", "temporal", "s3")}
    assert all(len(networks) == 1 for networks in servers.values())
    own = [network for [network] in servers.values()]
    assert len(set(own)) == len(own)
    assert all(document["networks"][network] == {"internal": True} for network in own)
    for name in ("api", "worker"):
        assert set(services[name]["networks"]) == {"default", *own}
    assert services["migrate"]["networks"] == servers["postgres"]
    assert services["retention"]["networks"] == servers["temporal"]
    assert set(services["temporal-ui"]["networks"]) == {"default", *servers["temporal"]}


def test_every_network_and_volume_of_compose_is_declared(
    document: dict[str, Any], services: dict[str, Any]
) -> None:
    networks = {network for service in services.values() for network in service["networks"]}
    assert networks == set(document["networks"])
    mounted = {v.partition(":")[0] for s in services.values() for v in s.get("volumes", ())}
    assert {name for name in mounted if not name.startswith("$")} | {"skills"} == set(
        document["volumes"]
    )


def test_a_service_that_ends_is_waited_for_by_one_that_stays(services: dict[str, Any]) -> None:
    """`up --wait` takes any other end for a failure, even with exit code 0."""
    ending = {name for name, service in services.items() if service["restart"] == "on-failure"}
    awaited = {
        name
        for service in services.values()
        if service["restart"] == "unless-stopped"
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert ending == awaited == {"migrate", "retention"}


def test_what_is_waited_for_as_healthy_has_a_health_check(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[name]


def test_the_readme_names_every_variable_that_compose_reads() -> None:
    read = set(re.findall(r"\$\{([A-Z0-9_]+)", COMPOSE))
    readme = (PROJECT / "README.md").read_text()
    assert len(read) > 5
    assert {name for name in read if f"`{name}" not in readme and f"{name}=" not in readme} == set()


def test_a_worker_s_container_has_time_to_end_its_steps(services: dict[str, Any]) -> None:
    default = Settings.model_fields["stop_seconds"].default
    grace = services["worker"]["stop_grace_period"]
    assert grace == "${AGENTOS_STOP_GRACE:-30s}"
    assert int(grace.rpartition("-")[2].removesuffix("s}")) > default + END_SECONDS


def test_every_server_has_a_health_check_and_a_version_that_was_tested(
    services: dict[str, Any],
) -> None:
    servers = {name: s for name, s in services.items() if s["restart"] == "unless-stopped"}
    assert set(servers) == {"api", "worker", "postgres", "temporal", "temporal-ui", "s3"}
    for service in servers.values():
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["image"] == "agentos" or ":" in service["image"]
        assert "latest" not in service["image"]


@pytest.mark.parametrize(
    "name", ["migrate", "api", "worker", "temporal", "temporal-ui", "retention", "s3"]
)
def test_no_container_of_ours_has_rights_that_it_does_not_need(
    services: dict[str, Any], name: str
) -> None:
    assert services[name]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in services[name]["security_opt"]
    assert "seccomp=unconfined" not in services[name]["security_opt"]


def test_a_worker_s_container_may_only_make_the_calls_that_its_sandbox_is_made_with() -> None:
    """All that is refused to a job is refused to its container, but what bubblewrap needs."""
    profile = json.loads((PROJECT / "deploy" / "seccomp.json").read_text())
    refused = {name for rule in profile["syscalls"] if "args" not in rule for name in rule["names"]}
    needed = {"clone3", "unshare", "mount", "umount2", "pivot_root", "memfd_create"}
    assert refused == {syscall.name for syscall in DENIED} - needed
    assert all(rule["action"] == "SCMP_ACT_ERRNO" for rule in profile["syscalls"])
