"""Skills, usage and the audit log, as people read them."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from activities.store.audit import Actor, Deed, record
from activities.store.keys import DEFAULT_TEAM
from activities.store.usage import set_daily_tokens
from api.web.text.visible import visible
from tests.browser.test_settings import HOSTILE
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.days import day_that_lasts
from tests.integration.api_stage import Stage

SKILL = f"""---
name: bad-manners
description: Says {HOSTILE} to everybody.
license: MIT
---
# Use it

<script>alert(1)</script> and [a link](javascript:alert(1)), for `{HOSTILE}`.

| a | b |
|---|---|
| {"x" * 300} | y |
"""


@pytest.fixture
def skill(skills_folder: Path) -> Iterator[str]:
    folder = skills_folder / "bad-manners"
    (folder / "scripts").mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL)
    (folder / "scripts/say.py").write_text(f'print("{HOSTILE}")\n' * 20_000)
    (folder / "data.bin").write_bytes(b"a\0b")
    refused = skills_folder / "no-skill"
    refused.mkdir()
    (refused / "SKILL.md").write_text("nothing")
    yield folder.name
    shutil.rmtree(folder)
    shutil.rmtree(refused)


async def test_a_skill_is_found_and_read_with_its_scripts(
    page: Page, stage: Stage, skill: str
) -> None:
    await page.set_viewport_size(NARROW)
    # Folders are looked at every now and then.
    while skill not in (await stage.http.get("/skills")).text:
        await page.wait_for_timeout(100)
    await page.goto(f"{stage.url}/skills?text=manners")
    await expect(page.get_by_role("heading", name="Cannot be used")).to_be_visible()
    await check_fits(page)
    await check_accessible(page)
    assert await page.get_by_role("link", name="Try it").first.get_attribute("href") == (
        f"/tasks/new?skill={skill}"
    )
    await page.get_by_role("link", name=skill, exact=True).click()
    await expect(page.get_by_text("Use it")).to_be_visible()
    await expect(page.get_by_text("MIT")).to_be_visible()
    await check_fits(page)
    await check_accessible(page)
    await page.get_by_role("list").get_by_role("link", name="scripts/say.py").click()
    await expect(page.get_by_text("This is the beginning")).to_be_visible()
    assert len(await page.content()) < 150_000
    await check_fits(page)
    await check_accessible(page)
    await page.get_by_role("list").get_by_role("link", name="data.bin").click()
    await expect(page.get_by_text("it is not text")).to_be_visible()


async def test_a_file_that_a_skill_does_not_have_is_not_found(
    page: Page, stage: Stage, skill: str
) -> None:
    for query in ("file=nothing.py", "file=../greet/SKILL.md"):
        answer = await page.goto(f"{stage.url}/skills/{skill}?{query}")
        assert answer is not None
        assert answer.status == 404


async def test_usage_is_drawn_by_day_and_model_and_told_as_a_table(
    page: Page, stage: Stage
) -> None:
    await day_that_lasts()
    await page.goto(f"{stage.url}/usage?days=7")
    await expect(page.get_by_role("heading", name="Nothing was used")).to_be_visible()
    await check_accessible(page)
    day = {"team": DEFAULT_TEAM, "day": datetime.now(UTC).date()}
    of_model = "INSERT INTO model_usage VALUES (:team, :day, :m, 900, 100, 2)"
    async with stage.database.writing() as connection:
        for query, values in (
            ("INSERT INTO team_usage VALUES (:team, :day, 1500, 2.5)", day),
            (of_model, {**day, "m": HOSTILE}),
        ):
            await connection.execute(text(query), values)
    await set_daily_tokens(stage.database, DEFAULT_TEAM, 2_000)
    try:
        await page.set_viewport_size(NARROW)
        await page.goto(f"{stage.url}/usage?days=7")
        await expect(page.get_by_text("of 2\u202f000 tokens of today")).to_be_visible()
        await expect(page.get_by_role("img", name="Tokens: 7 columns")).to_be_visible()
        await page.get_by_text("As a table").click()
        await expect(page.get_by_role("columnheader", name=visible(HOSTILE))).to_be_visible()
        await check_fits(page)
        await check_accessible(page)
        await page.get_by_role("link", name="Dollars").click()
        await page.get_by_role("link", name="12 months").click()
        # A year begins in the month after this one, or, unless this is its last day, in the same.
        await expect(
            page.get_by_role("img", name=re.compile("Cost: 1[23] columns"))
        ).to_be_visible()
        assert page.url.endswith("/usage?days=365&what=cost")
    finally:
        await set_daily_tokens(stage.database, DEFAULT_TEAM, None)


async def test_the_log_is_filtered_paged_and_leads_to_what_it_is_about(
    page: Page, stage: Stage
) -> None:
    target, actor = uuid4().hex, Actor(DEFAULT_TEAM, HOSTILE)
    for number in range(55):
        deed = Deed("task.cancelled", f"{target} {number}", f"{HOSTILE} {number}", {"a": HOSTILE})
        await record(stage.database, actor, deed)
    await page.set_viewport_size(NARROW)
    await page.goto(f"{stage.url}/audit")
    await page.get_by_label("To what").fill(target)
    await page.get_by_role("combobox", name="What").select_option("task")
    await page.get_by_role("button", name="Filter").click()
    rows = page.locator("[data-row]")
    await expect(rows).to_have_count(50)
    assert f"action=task&target={target}" in page.url
    assert "text=" not in page.url
    await rows.first.get_by_text("Details").click()
    await check_fits(page)
    await check_accessible(page)
    await page.get_by_role("link", name="Older").click()
    await expect(rows).to_have_count(5)
    link = rows.last.get_by_role("link", name=f"{target} 0", exact=True)
    assert await link.get_attribute("href") == f"/tasks/{target}%200"
    await page.get_by_label("Note has").fill("nobody wrote that")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_role("heading", name="Nobody did anything like that")).to_be_visible()
    await check_accessible(page)


async def test_a_time_in_the_log_is_taken_and_a_wrong_one_is_refused(
    page: Page, stage: Stage
) -> None:
    await stage.http.patch("/tools/recall", json={"is_active": True})
    await page.goto(f"{stage.url}/audit")
    await page.get_by_label("From (UTC)").fill("2100-01-01T00:00")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_role("heading", name="Nobody did anything like that")).to_be_visible()
    await expect(page.get_by_label("From (UTC)")).to_have_value("2100-01-01T00:00")
    answer = await page.goto(f"{stage.url}/audit?created_after=12")
    assert answer is not None
    assert answer.status == 422
