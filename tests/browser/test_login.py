"""Logging in with an API key, and out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, expect

from activities.store import keys
from deploy.local.services import Services
from tests.browser.visits import check_accessible
from tests.integration.api_stage import Stage, api_stage


@pytest.fixture(scope="module")
async def locked(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API that wants keys."""
    async with api_stage(infrastructure, skills_folder, works=False, keys_required=True) as stage:
        yield stage


async def _key(stage: Stage) -> keys.NewKey:
    team_id = await keys.create_team(stage.database, "people")
    return await keys.create_key(stage.database, team_id, "laptop")


async def _log_in(page: Page, secret: str) -> None:
    await page.get_by_label("API key").fill(secret)
    await page.get_by_role("button", name="Log in").click()


async def test_who_has_a_key_is_led_where_they_wanted_to_go(
    page: Page, context: BrowserContext, locked: Stage
) -> None:
    key = await _key(locked)
    await page.goto(f"{locked.url}/?type=agent")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    await check_accessible(page)
    await _log_in(page, key.secret)
    await page.wait_for_url(f"{locked.url}/?type=agent")
    [cookie] = await context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert key.secret not in cookie["value"]
    await page.get_by_role("button", name="Log out").click()
    await page.goto(locked.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_a_wrong_key_is_refused_beside_its_field(page: Page, locked: Stage) -> None:
    await page.goto(f"{locked.url}/login")
    await _log_in(page, "ak_wrong")
    await expect(page.get_by_text("does not know this key")).to_be_visible()
    await check_accessible(page)


async def test_a_session_ends_with_its_key(page: Page, locked: Stage) -> None:
    key = await _key(locked)
    await page.goto(locked.url)
    await _log_in(page, key.secret)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tasks")
    team_id = await keys.create_team(locked.database, "people")
    await keys.revoke_key(locked.database, team_id, key.id)
    await page.wait_for_timeout(5_500)  # As long as a key may be remembered.
    await page.goto(locked.url)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
