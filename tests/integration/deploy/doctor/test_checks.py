"""What the doctor says of sound and of ailing machines and services."""

import dataclasses
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
import uv
from pydantic import SecretStr
from temporalio.client import Client

from activities.aes_keys import id_of
from activities.llm.base import ModelOptions
from activities.sandbox.base import Exit, Job, OnOutput, Sandbox
from activities.secret_box import SecretBox
from activities.store import migrations
from activities.store.blobs import Blobs
from activities.store.database import Database
from activities.store.keys import DEFAULT_TEAM
from activities.store.mcp_servers import register_server
from activities.store.options import S3Options
from activities.store.secrets import StoredSecret, set_secret
from activities.tools.mcp.listing import Listing, McpTool
from api.cli.commands.options import Format
from deploy.doctor.checks import Patient, diagnose
from deploy.doctor.listing import check_listing
from deploy.doctor.report import run_doctor
from deploy.doctor.services import Remote
from deploy.local.machine import Finding
from deploy.local.services import Services
from deploy.local.state import DataFolder, RunningPart
from deploy.local.tcp_ports import choose_ports
from deploy.offline_model import LABEL
from deploy.offline_model.app import ModelServerOptions
from deploy.offline_model.server import serving
from tests.actors import SOMEBODY
from tests.integration.bare_namespaces import bare_namespace
from tests.integration.cli_runs import agentos
from workflows.definitions.mcp_server import McpServer
from workflows.errors.scripts import SandboxUnavailable


class Sound(Sandbox):
    """A sandbox that runs whatever is asked, by doing nothing."""

    name = "sound"

    async def run(self, job: Job, on_output: OnOutput) -> Exit:
        return Exit(0, None, None, 0, None)

    async def check(self) -> str:
        return "memory: boundless"


class Ailing(Sound):
    async def check(self) -> str:
        raise SandboxUnavailable(sandbox="ailing", reason="no namespaces", remedy="Allow them.")


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(
        data_dir=tmp_path / "not" / "yet",
        sandbox=Sound,
        uv=Path(uv.find_uv_bin()),
        search_path=os.defpath,
    )


@pytest.fixture
def remote(infrastructure: Services, empty_database_url: str) -> Remote:
    s3 = infrastructure.s3
    return Remote(
        database_url=empty_database_url,
        blobs=Blobs(S3Options(s3.endpoint, s3.bucket, s3.access_key, s3.secret_key)),
        connect=lambda: Client.connect(infrastructure.temporal_address),
    )


async def ailments(patient: Patient) -> dict[str, Finding]:
    return {finding.name: finding for finding in await diagnose(patient) if not finding.ok}


async def test_nothing_is_wrong_with_a_machine_that_runs_these_tests(patient: Patient) -> None:
    assert await ailments(patient) == {}
    names = [finding.name for finding in await diagnose(patient)]
    assert {"sandbox", "disk", "ports", "postgres user", "stack"}.issubset(names)


async def test_a_stack_that_runs_is_shown_with_its_addresses(
    patient: Patient, infrastructure: Services
) -> None:
    findings = await diagnose(dataclasses.replace(patient, data_dir=infrastructure.data_dir))
    (stack,) = (finding for finding in findings if finding.name == "stack")
    assert infrastructure.s3.endpoint in stack.detail


async def test_services_that_are_up_to_date_are_sound(patient: Patient, remote: Remote) -> None:
    await migrations.migrate(remote.database_url)
    assert await ailments(dataclasses.replace(patient, services=remote)) == {}


async def test_search_attributes_that_temporal_does_not_know_are_told_and_no_fault(
    remote: Remote,
) -> None:
    known = await check_listing(remote.connect)
    assert known.ok
    assert "knows AgentOSName" in known.detail
    client = await bare_namespace(await remote.connect())

    async def connect() -> Client:
        return client

    missing = await check_listing(connect)
    assert missing.ok
    assert "agentos migrate" in missing.detail


async def test_a_database_without_our_tables_is_reported_with_the_remedy(
    patient: Patient, remote: Remote
) -> None:
    found = await ailments(dataclasses.replace(patient, services=remote))
    assert set(found) == {"database"}
    assert "agentos migrate" in found["database"].remedy


async def test_every_service_that_cannot_be_reached_is_reported(
    patient: Patient, remote: Remote
) -> None:
    (nobody,) = choose_ports([None])
    s3 = S3Options(f"http://127.0.0.1:{nobody}", "bucket", "key", "secret")
    lost = Remote(
        database_url=f"postgresql+asyncpg://someone:secret@127.0.0.1:{nobody}/none",
        blobs=Blobs(s3),
        connect=lambda: Client.connect(f"127.0.0.1:{nobody}"),
    )
    found = await ailments(dataclasses.replace(patient, services=lost))
    assert set(found) == {"database", "s3", "temporal", "search attributes"}
    assert all(finding.remedy for finding in found.values())
    assert found["s3"].detail == "could not be reached: Connection refused"
    assert found["temporal"].detail == "could not be reached: nothing listens there"
    assert "Try again" not in str(found)
    assert "secret" not in str(found)


async def test_a_database_that_does_not_exist_and_a_bucket_that_does_not_are_reported(
    patient: Patient, remote: Remote, infrastructure: Services
) -> None:
    s3 = infrastructure.s3
    lost = dataclasses.replace(
        remote,
        database_url=infrastructure.database_url.replace("/agentos?", "/nowhere?"),
        blobs=Blobs(S3Options(s3.endpoint, "nowhere", s3.access_key, s3.secret_key)),
    )
    found = await ailments(dataclasses.replace(patient, services=lost))
    assert set(found) == {"database", "s3"}
    assert "nowhere" in found["database"].detail
    assert "nowhere" in found["s3"].remedy


async def test_the_sandbox_that_is_tried_is_the_one_that_a_worker_would_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENTOS_SANDBOX", "e2b")
    monkeypatch.delenv("E2B_API_KEY", raising=False)
    assert await run_doctor(tmp_path, Format.JSON) == 1
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert (found["sandbox"]["ok"], found["sandbox"]["detail"]) == (False, "E2B_API_KEY is not set")


async def test_variables_of_temporal_are_looked_at_also_where_no_services_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = tmp_path / "certificate"
    certificate.write_text("-----BEGIN CERTIFICATE-----")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example.org:7233")
    monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(certificate))
    assert await run_doctor(tmp_path, Format.JSON) == 1
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert "one is of no use without the other" in found["temporal"]["detail"]


async def test_services_are_asked_beside_one_whose_settings_are_wrong(
    remote: Remote,
    infrastructure: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await migrations.migrate(remote.database_url or "")
    monkeypatch.setenv("AGENTOS_DATABASE_URL", remote.database_url or "")
    monkeypatch.setenv("AGENTOS_S3_ENDPOINT", infrastructure.s3.endpoint)
    monkeypatch.setenv("AGENTOS_S3_BUCKET", "b")
    monkeypatch.setenv("AGENTOS_POOL_SIZE", "many")
    monkeypatch.setenv("TEMPORAL_ADDRESS", infrastructure.temporal_address)
    monkeypatch.setenv("TEMPORAL_API_KEY", "hunter2-of-temporal")
    assert await run_doctor(tmp_path, Format.JSON) == 1
    printed = capsys.readouterr().out
    found = {item["name"]: item for item in json.loads(printed)["items"]}
    assert found["database"]["detail"].startswith("reachable")
    assert "AGENTOS_S3_BUCKET" in found
    assert found["s3"]["detail"] == "not asked, as its settings are wrong"
    assert f"TEMPORAL_ADDRESS={infrastructure.temporal_address}" in found["settings"]["detail"]
    assert "hunter2" not in printed
    assert "temporal" in found


async def test_a_sandbox_that_cannot_run_and_a_missing_uv_are_reported(patient: Patient) -> None:
    found = await ailments(dataclasses.replace(patient, sandbox=Ailing, uv=Path("/nowhere/uv")))
    assert set(found) == {"sandbox", "uv"}
    assert found["sandbox"] == Finding("sandbox", False, "no namespaces", "Allow them.")


async def test_a_data_folder_below_a_file_is_reported(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = await ailments(dataclasses.replace(patient, data_dir=tmp_path / "file" / "data"))
    assert set(found) == {"data folder"}


async def test_the_doctor_itself_does_not_fail_for_a_data_folder_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert await run_doctor(tmp_path / "file" / "data", Format.JSON) == 1
    found = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert not found["data folder"]["ok"]
    assert found["sandbox"]["ok"]


async def model_finding(patient: Patient) -> Finding:
    (found,) = (finding for finding in await diagnose(patient) if finding.name == "models")
    return found


async def test_whether_payloads_are_encrypted_is_told_by_the_id_of_the_key(
    patient: Patient,
) -> None:
    for given, expected in (((), "in plain"), (("0a1b",), "with the key 0a1b")):
        found = await diagnose(replace(patient, codec_key_ids=given))
        [told] = [each.detail for each in found if each.name == "payloads"]
        assert expected in told


async def test_without_a_model_of_its_own_the_stack_has_the_offline_one(patient: Patient) -> None:
    found = await model_finding(patient)
    assert found.ok
    assert LABEL in found.detail


async def test_services_without_a_model_are_told_how_to_get_one(
    patient: Patient, remote: Remote
) -> None:
    found = await model_finding(dataclasses.replace(patient, services=remote))
    assert found.ok
    assert "OPENAI_BASE_URL" in found.detail
    assert LABEL not in found.detail


async def test_a_server_of_models_that_answers_is_reported_with_what_it_lists(
    patient: Patient,
) -> None:
    async with serving(ModelServerOptions()) as url:
        own = ModelOptions(models=("qwen3",), base_url=url)
        found = await model_finding(dataclasses.replace(patient, models=own))
    assert found.ok
    assert "in use: qwen3; listed: offline-rules" in found.detail


async def test_a_server_of_models_that_is_not_there_is_reported_with_the_remedy(
    patient: Patient,
) -> None:
    (nobody,) = choose_ports([None])
    lost = ModelOptions(base_url=f"http://127.0.0.1:{nobody}/v1", api_key=SecretStr("sk-secret"))
    found = await model_finding(dataclasses.replace(patient, models=lost))
    assert not found.ok
    assert str(nobody) in found.detail
    assert "OPENAI_BASE_URL" in found.remedy
    assert "sk-secret" not in str(found)


async def prompts(patient: Patient) -> dict[str, Finding]:
    found = await diagnose(patient)
    return {finding.name: finding for finding in found if finding.name.startswith("prompt")}


async def test_what_a_task_would_send_is_told_for_each_model(
    patient: Patient, remote: Remote, tmp_path: Path
) -> None:
    await migrations.migrate(remote.database_url)
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    tools = [McpTool(f"tool_{n:03}", "Works on it. " * 30, schema, False) for n in range(140)]
    server = McpServer(name="hub", transport="stdio", command="hub")
    database = Database(remote.database_url)
    await register_server(
        database,
        SOMEBODY,
        server,
        Listing(tuple(tools)),
        description="",
        permission_level=None,
    )
    await database.close()
    for number in range(100):
        folder = tmp_path / "skills" / f"skill-{number:02}"
        folder.mkdir(parents=True)
        words = f"Does a thing. {'And more of it. ' * 20}"
        folder.joinpath("SKILL.md").write_text(
            f"---\nname: skill-{number:02}\ndescription: {words}\n---\n"
        )
    (nobody,) = choose_ports([None])
    own = ModelOptions(
        models=("large", "small", "tiny"),
        base_url=f"http://127.0.0.1:{nobody}/v1",
        model_context_tokens={"small": 4_096, "tiny": 1_000},
    )
    ill = dataclasses.replace(
        patient, models=own, services=remote, skill_folders=(tmp_path / "skills",)
    )
    found = await prompts(ill)
    assert list(found) == ["prompt of large", "prompt of small", "prompt of tiny"]
    large, small, tiny = found.values()
    assert (large.ok, small.ok, tiny.ok) == (True, True, False)
    assert large.detail.startswith("large reads 128000 tokens; a task begins with ")
    counts = re.findall(r"\((\d+) shown, (\d+) left out\)", small.detail)
    (skills, more_skills), (shown, more_tools) = counts
    assert int(skills) + int(more_skills) == 100
    assert int(more_tools) > 100
    assert 11 <= int(shown) < 40
    assert tiny.detail.endswith("; 0 are left for the conversation")
    assert "AGENTOS_MODEL_CONTEXT_TOKENS" in tiny.remedy


async def test_without_a_stack_the_prompt_is_told_without_the_tools_of_servers(
    patient: Patient,
) -> None:
    [found] = (await prompts(patient)).values()
    assert found.ok
    assert LABEL in found.detail
    assert found.detail.endswith("tools of MCP servers are not counted: no stack is running")


async def test_a_prompt_is_told_also_where_the_tables_of_a_stack_that_runs_are_missing(
    patient: Patient, empty_database_url: str, tmp_path: Path
) -> None:
    """Its database is found by its data folder."""
    running = DataFolder(tmp_path / "data")
    running.acquire()
    url = empty_database_url.replace("+asyncpg", "")
    running.publish({"postgres": RunningPart(url=url, pid=os.getpid())})
    try:
        [found] = (await prompts(dataclasses.replace(patient, data_dir=running.path))).values()
    finally:
        running.release()
    assert found.ok
    assert found.detail.endswith(
        "not counted: The tables of the database are not up to date. Run `agentos migrate`"
    )


async def test_services_without_a_model_have_no_prompt(patient: Patient, remote: Remote) -> None:
    assert await prompts(dataclasses.replace(patient, services=remote)) == {}


async def test_no_color_leaves_no_style_in_what_the_doctor_prints(tmp_path: Path) -> None:
    forced = {"NO_COLOR": "1", "FORCE_COLOR": "1"}
    printed = await agentos("http://127.0.0.1:1", "doctor", "--data-dir", str(tmp_path), **forced)
    assert "sandbox" in printed.stdout
    assert "\x1b" not in printed.stdout


async def test_secrets_that_nobody_can_open_are_reported_with_the_id_of_their_key(
    patient: Patient, remote: Remote
) -> None:
    await migrations.migrate(remote.database_url)
    lost = bytes([9]) * 32
    database = Database(remote.database_url)
    sealed = SecretBox([lost]).seal("open-sesame", "anywhere")
    await set_secret(database, StoredSecret(DEFAULT_TEAM, "TOKEN", "server", sealed))
    await database.close()
    ill = dataclasses.replace(patient, services=remote, secrets_key_ids=["0a1b"])
    found = await ailments(ill)
    assert set(found) == {"secrets"}
    assert f"1 with the key {id_of(lost)}" in found["secrets"].detail


async def test_of_a_stack_that_is_stopped_the_key_of_its_folder_is_told(patient: Patient) -> None:
    folder = patient.data_dir / "secrets"
    folder.mkdir(parents=True)
    (folder / "secrets-key").write_text("00" * 32)
    found = {finding.name: finding for finding in await diagnose(patient)}
    key = id_of(bytes(32))
    assert found["secrets"].detail == f"`agentos up` will have the key {key}, of its folder"
    (folder / "secrets-key").write_text("hunter2")
    found = await ailments(patient)
    assert set(found) == {"secrets"}
    assert f"{folder}/secrets-key" in found["secrets"].detail


async def test_a_key_of_secrets_that_a_stack_does_not_have_is_reported(
    patient: Patient, infrastructure: Services
) -> None:
    at = dataclasses.replace(patient, data_dir=infrastructure.data_dir, secrets_key_ids=["0a1b"])
    found = await ailments(at)
    assert set(found) == {"secrets"}
    assert found["secrets"].detail.startswith("`agentos up` has the key ")
