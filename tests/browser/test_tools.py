"""Tools, MCP servers and breakers, as people set them."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_settings import HOSTILE, NO_SCRIPTS
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api.http.test_mcp_servers import DOUBLE, body
from tests.integration.api_stage import Stage


async def _tool(stage: Stage, name: str) -> dict[str, Any]:
    return dict((await stage.http.get(f"/tools/{name}")).json())


@pytest.mark.parametrize("context", [{}, *NO_SCRIPTS], indirect=True)
async def test_a_permission_is_set_in_its_place(page: Page, stage: Stage) -> None:
    await stage.http.patch("/tools/read_file", json={"permission_level": "auto"})
    await page.goto(f"{stage.url}/tools?text=read_file")
    calls = page.get_by_role("group", name="Calls of read_file")
    await calls.get_by_role("button", name="ask").click()
    await expect(calls.get_by_role("button", name="ask")).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("/tools?text=read_file")
    assert (await _tool(stage, "read_file"))["permission_level"] == "ask"
    switch = page.get_by_role("group", name="read_file is")
    await switch.get_by_role("button", name="off").click()
    await expect(switch.get_by_role("button", name="off")).to_have_attribute("aria-pressed", "true")
    assert not (await _tool(stage, "read_file"))["is_active"]
    await switch.get_by_role("button", name="on").click()
    await expect(switch.get_by_role("button", name="on")).to_have_attribute("aria-pressed", "true")


async def test_a_tool_is_found_shown_with_its_arguments_and_limited(
    page: Page, stage: Stage
) -> None:
    await page.goto(f"{stage.url}/tools")
    await page.get_by_label("Name or description has").fill("web_search")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("link", name="web_search").click()
    await expect(page.get_by_role("rowheader", name="query")).to_contain_text("required")
    await page.get_by_label("Calls a minute").fill("30")
    await page.get_by_role("button", name="Limit").click()
    await expect(page.locator("#announcer")).to_have_text("Limited")
    assert (await _tool(stage, "web_search"))["calls_per_minute"] == 30
    await check_accessible(page)


@pytest.mark.parametrize("context", [{}, *NO_SCRIPTS], indirect=True)
async def test_a_server_is_added_checked_and_removed(page: Page, stage: Stage) -> None:
    name = f"s{uuid4().hex[:6]}"
    await page.goto(f"{stage.url}/tools/servers/new")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Command line").fill(shlex.join((sys.executable, "-I", str(DOUBLE))))
    await page.get_by_label("What it is for").fill(HOSTILE)
    await page.get_by_role("button", name="Connect and add").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await expect(page.get_by_role("link", name=f"mcp.{name}.echo")).to_be_visible()
    await expect(page.get_by_text(HOSTILE)).to_be_visible()
    await page.get_by_role("button", name="Check it now").click()
    await expect(page.get_by_text("answered in")).to_be_visible()
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("MCP servers")
    assert (await stage.http.get(f"/tools/mcp.{name}")).status_code == 404


async def test_what_is_wrong_with_a_server_is_said_beside_it_and_nothing_typed_is_lost(
    page: Page, stage: Stage
) -> None:
    await page.goto(f"{stage.url}/tools/servers/new")
    await page.get_by_label("Name", exact=True).fill("Not A Name")
    await page.get_by_label("Command line").fill("server --token sk-abcdefghijklmnop1234567890")
    await page.get_by_label("Its variables").fill("no value")
    await page.get_by_role("button", name="Connect and add").click()
    await expect(page.get_by_text("line 1 has no")).to_be_visible()
    await page.get_by_label("Its variables").fill("DEBUG=1")
    await page.get_by_role("button", name="Connect and add").click()
    await expect(page.locator("#name-problem")).to_be_visible()
    await expect(page.locator("#command-problem")).to_contain_text("secret")
    await expect(page.get_by_label("Its variables")).to_have_value("DEBUG=1")
    await check_accessible(page)
    await page.get_by_label("Name", exact=True).fill("fine")
    await page.get_by_label("Command line").fill("/no/such/program")
    await page.get_by_role("button", name="Connect and add").click()
    await expect(page.get_by_text("Nothing was changed")).to_be_visible()
    await check_accessible(page)


@pytest.mark.parametrize("context", [{}, *NO_SCRIPTS], indirect=True)
async def test_a_breaker_is_opened_with_a_reason_and_closed(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.url}/tools/breakers?name=tool:list_files")
    await page.get_by_label("For so many minutes").fill("10")
    await page.get_by_label("Why").fill("It moves house")
    await page.get_by_role("button", name="Open it").click()
    row = page.locator('[data-id="breaker-tool:list_files"]')
    await expect(row).to_contain_text("open")
    await expect(row).to_contain_text("It moves house")
    await page.goto(f"{stage.url}/tools/list_files")
    await expect(page.get_by_text("Its breaker is")).to_be_visible()
    await page.get_by_role("link", name="Close it").click()
    await row.get_by_role("button", name="Close").click()
    await expect(row).to_contain_text("closed")
    await expect(page.get_by_role("heading", name="What people did")).to_be_visible()


async def test_a_breaker_that_is_not_there_is_said_to_be_none(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.url}/tools/breakers")
    await page.get_by_label("Breaker", exact=True).fill("tool:nothing")
    await page.get_by_role("button", name="Open it").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no breaker")


async def test_hostile_tools_of_a_server_are_shown_as_text_on_every_page(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    name = f"s{uuid4().hex[:6]}"
    text = f"{HOSTILE} \u202e {'x' * 50_000}"
    schema = {"type": "object", "properties": {HOSTILE: {"type": "string", "description": text}}}
    tools = [{"name": "evil", "description": text, "inputSchema": schema}]
    (tmp_path / "tools.json").write_text(json.dumps(tools))
    made = body("--tools", str(tmp_path / "tools.json"), name=name, description=text[:2_000])
    answer = await stage.http.post("/tools/register", json=made, timeout=60)
    assert answer.is_success, answer.text
    await page.set_viewport_size(NARROW)
    for path in (
        f"/tools?text={name}",
        "/tools/servers",
        f"/tools/mcp.{name}",
        f"/tools/mcp.{name}.evil",
        f"/tools/mcp.{name}/remove",
    ):
        found = await page.goto(stage.url + path)
        assert found is not None
        assert len(await found.body()) < 60_000, path
        await check_fits(page)
        await check_accessible(page)
    await stage.http.delete(f"/tools/mcp.{name}")


@pytest.mark.parametrize(
    "path", ["/tools", "/tools/servers", "/tools/servers/new", "/tools/breakers", "/tools/recall"]
)
async def test_a_page_of_tools_fits_a_narrow_dark_screen_and_axe_finds_nothing(
    page: Page, stage: Stage, path: str
) -> None:
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await page.goto(stage.url + path)
    await check_fits(page)
    await check_accessible(page)
