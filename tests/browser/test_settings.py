"""Settings: keys made and revoked by people; quota, limits and what runs here."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from activities.store import keys
from deploy.local.services import Services
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage, api_stage

NO_SCRIPTS = [{"java_script_enabled": False}]
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
async def locked(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that wants keys."""
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        yield stage


async def _create(page: Page, stage: Stage, name: str) -> str:
    """The secret that the page shows."""
    await page.goto(f"{stage.url}/settings")
    await page.get_by_label("Name of a new key").fill(name)
    await page.get_by_role("button", name="Create key").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("is made")
    return (await page.locator("#secret").inner_text()).strip()


@pytest.mark.parametrize("context", [{}, *NO_SCRIPTS], indirect=True)
async def test_a_key_is_made_shown_once_and_revoked(page: Page, stage: Stage) -> None:
    name = f"key {uuid4().hex[:6]} {HOSTILE}"
    secret = await _create(page, stage, name)
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await stage.http.get("/tasks", headers=headers)).is_success
    await page.get_by_role("link", name="I have copied it").click()
    row = page.locator("tr", has_text=name)
    await expect(row).to_contain_text("ago")
    assert secret not in await page.content()
    await row.get_by_role("link", name="Revoke").click()
    await expect(page.get_by_text("cannot be brought back")).to_be_visible()
    await page.get_by_role("button", name="Revoke it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    await expect(page.locator("tr", has_text=name)).to_have_count(0)
    await page.get_by_role("link", name="Revoked").click()
    await expect(page.locator("tr", has_text=name)).to_be_visible()
    listed = (await stage.http.get("/keys", params={"in_use": False})).json()["items"]
    assert name in [key["name"] for key in listed]


async def test_a_new_key_and_its_revocation_are_accessible_on_a_narrow_screen(
    page: Page, stage: Stage
) -> None:
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await _create(page, stage, "narrow")
    await check_fits(page)
    await check_accessible(page)
    await page.get_by_role("link", name="revoke it").click()
    await check_fits(page)
    await check_accessible(page)


async def test_who_revokes_their_own_last_key_is_told_and_has_to_come_in_again(
    page: Page, locked: Stage
) -> None:
    team_id = await keys.create_team(locked.database, f"team {uuid4()}")
    key = await keys.create_key(locked.database, team_id, "mine")
    await page.goto(f"{locked.url}/settings")
    await page.get_by_label("API key").fill(key.secret)
    await page.get_by_role("button", name="Log in").click()
    row = page.locator("tr", has_text="mine")
    await expect(row).to_contain_text("yours")
    await row.get_by_role("link", name="Revoke").click()
    await expect(page.get_by_text("and that is you")).to_be_visible()
    await expect(page.get_by_text("last key of the team")).to_be_visible()
    await page.get_by_role("button", name="Revoke it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_a_key_of_another_team_has_no_page(page: Page, stage: Stage) -> None:
    team = await stage.team()
    [theirs] = (await team.get("/keys")).json()["items"]
    answer = await page.goto(f"{stage.url}/settings/keys/{theirs['id']}/revoke")
    assert answer is not None
    assert answer.status == 404


async def test_settings_tell_what_runs_and_take_a_theme(page: Page, stage: Stage) -> None:
    await page.set_viewport_size(NARROW)
    await page.goto(f"{stage.url}/settings")
    await expect(page.get_by_text("local user")).to_be_visible()
    await page.get_by_text("kinds of things").click()
    await expect(page.get_by_role("rowheader", name="events", exact=True)).to_be_visible()
    await check_fits(page)
    await check_accessible(page)
    await page.get_by_role("group", name="Theme").get_by_role("button", name="Dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await check_accessible(page)
