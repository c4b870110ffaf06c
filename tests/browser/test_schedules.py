"""The pages of schedules: what a person does there, with scripts and without."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage, pipeline

UNSCRIPTED = [{"java_script_enabled": False}]
HOSTILE = "<script>alert(1)</script>\u202egpj.exe"


async def _make(stage: Stage, name: str = "", **more: object) -> str:
    body = {"name": name or f"test-{uuid4()}", "cron": "0 0 1 1 *", **more}
    body["task"] = {"pipeline": pipeline("print x")}
    answer = await stage.http.post("/schedules", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_task_that_was_good_is_scheduled(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print scheduled")
    name = f"every morning {uuid4()}"
    await page.goto(f"{stage.url}/tasks/{task_id}")
    await page.get_by_role("link", name="Schedule", exact=True).click()
    await expect(page.get_by_text("It does again what")).to_be_visible()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Cron").fill("30 8 1 1 *")
    await page.get_by_label("Time zone").fill("Europe/Berlin")
    await expect(page.locator("#preview li").first).to_contain_text("1 January 20")
    await expect(page.locator("#preview li").first).to_contain_text("07:30")
    await check_accessible(page)
    await page.get_by_role("button", name="Make the schedule").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.get_by_role("button", name="Run now").click()
    row = page.locator("[data-row]").first
    await expect(row).to_contain_text("completed", timeout=60_000)
    made = (await stage.http.get("/schedules", params={"name": name})).json()["items"][0]
    ran = await stage.task(made["runs"][0]["task_id"])
    before = await stage.task(task_id)
    assert ran["definition"] == before["definition"]


async def test_a_wrong_time_is_told_as_it_is_typed(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.url}/schedules/new")
    await page.get_by_label("Cron").fill("61 * * * *")
    await expect(page.locator("#preview")).to_contain_text("'61' is no minute")
    await page.get_by_label("Every", exact=True).fill("10m")
    await expect(page.locator("#preview li")).to_have_count(5)
    await expect(page.get_by_role("radio", name="Every so often")).to_be_checked()


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_without_scripts_what_is_wrong_is_told_in_place_and_everything_stays(
    page: Page, stage: Stage
) -> None:
    await page.goto(f"{stage.url}/schedules/new")
    await page.get_by_label("Name", exact=True).fill("wrong")
    await page.get_by_label("Time zone").fill("Mars/Base")
    wrong = "pipeline:\n  name: x\n  steps:\n    - id: a\n      skill: no-such\n"
    await page.get_by_label("Task").fill(wrong)
    await page.get_by_role("button", name="Make the schedule").click()
    await expect(page.locator("#time_zone-problem")).to_contain_text("no time zone 'Mars/Base'")
    await expect(page.locator("#task-problems")).to_contain_text("Line 5")
    await expect(page.get_by_label("Task")).to_have_value(wrong)
    await expect(page.get_by_label("Name", exact=True)).to_have_value("wrong")


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_a_schedule_is_paused_resumed_edited_and_deleted(page: Page, stage: Stage) -> None:
    schedule_id = await _make(stage)
    await page.goto(f"{stage.url}/schedules/{schedule_id}")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#schedule")).to_contain_text("paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("#schedule")).to_contain_text("active")
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_role("radio", name="Every so often").check()
    await page.get_by_label("Every", exact=True).fill("6h")
    await page.get_by_role("button", name="Save").click()
    shown = (await stage.http.get(f"/schedules/{schedule_id}")).json()
    assert (shown["cron"], shown["every"]) == (None, "6h")
    await page.get_by_role("link", name="Delete…").click()
    await expect(page.get_by_text("Tasks that it has made stay")).to_be_visible()
    await page.get_by_role("button", name="Delete the schedule").click()
    await page.wait_for_url("**/schedules")
    assert (await stage.http.get(f"/schedules/{schedule_id}")).status_code == 404


async def test_a_name_that_is_taken_is_told_beside_it(page: Page, stage: Stage) -> None:
    name = f"taken {uuid4()}"
    await _make(stage, name)
    await page.goto(f"{stage.url}/schedules/new")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_role("button", name="Make the schedule").click()
    await expect(page.locator("#name-problem")).to_contain_text("already")


async def test_hostile_schedules_fit_a_narrow_screen_and_axe_finds_nothing(
    page: Page, stage: Stage
) -> None:
    note = f"{HOSTILE} {'x' * 500}"
    name = f"<img src=x onerror=alert(1)> {'w' * 100} {uuid4()}"
    schedule_id = await _make(stage, name, note=note)
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    for path in ("", "/new", f"/{schedule_id}", f"/{schedule_id}/edit", f"/{schedule_id}/delete"):
        await page.goto(f"{stage.url}/schedules{path}")
        await check_fits(page)
        await check_accessible(page)
        assert await page.locator("main script, main img").count() == 0
