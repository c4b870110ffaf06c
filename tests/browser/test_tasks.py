"""The list of tasks: what it tells, filters, pages, and much at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import text

from activities.store.keys import DEFAULT_TEAM
from deploy.local.services import Services
from tests.browser.visits import NARROW, WIDE, check_accessible, check_fits
from tests.integration.api_stage import Stage, api_stage, pipeline

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe \u2066" + "W" * 120


@pytest.fixture(scope="module")
async def own(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API of this module's own, whose bulk runs are quick."""
    async with api_stage(infrastructure, skills_folder, bulk_interval_seconds=0.1) as stage:
        yield stage


@pytest.fixture
async def empty(own: Stage) -> Stage:
    """As ``own``, without tasks."""
    await own.execute("UPDATE tasks SET deleted_at = now() WHERE deleted_at IS NULL")
    return own


async def submit(stage: Stage, *sources: str, name: str) -> str:
    body = {"pipeline": {**pipeline(*sources), "name": name}}
    answer = await stage.http.post("/tasks", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


async def done(stage: Stage, *names: str, source: str = "print x") -> list[str]:
    ids = [await submit(stage, source, name=name) for name in names]
    for task_id in ids:
        await stage.until(task_id, "completed", "failed", "blocked")
    return ids


def row(page: Page, task_id: str) -> Any:
    return page.locator(f'[data-id="task-{task_id}"]')


async def test_an_empty_list_teaches_how_to_hand_something_in(page: Page, empty: Stage) -> None:
    await page.goto(empty.url)
    await expect(page.get_by_role("heading", level=2)).to_have_text("No task yet")
    await check_accessible(page)
    await page.get_by_role("link", name="Failed").click()
    await expect(page.get_by_role("heading", level=2)).to_have_text("No task matches")
    await page.get_by_role("link", name="show all tasks").click()
    assert page.url == f"{empty.url}/"


async def test_a_row_tells_how_a_task_stands_and_who_it_is_from(page: Page, empty: Stage) -> None:
    await done(empty, "nightly", source="fail")
    [task_id] = await done(empty, "nightly")
    await page.goto(empty.url)
    shown = row(page, task_id)
    await expect(shown).to_contain_text("completed")
    await expect(shown).to_contain_text("pipeline by local user")
    await expect(shown).to_contain_text("1 of 1")
    label = await shown.get_by_role("img").get_attribute("aria-label")
    assert label is not None
    assert label.startswith("Last runs: 1 failed, 1 completed; the latest completed")
    await expect(page.locator("[data-row]")).to_have_count(2)
    await check_accessible(page)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_filters_work_without_scripts_and_live_in_the_address(
    page: Page, empty: Stage
) -> None:
    [good, other] = await done(empty, "sales", "stock")
    [bad] = await done(empty, "sales", source="fail")
    await page.goto(empty.url)
    await page.get_by_label("Text in name").fill("sales")
    await page.get_by_role("button", name="Filter").first.click()
    assert page.url == f"{empty.url}/?text=sales"
    await expect(row(page, good)).to_be_visible()
    await expect(row(page, other)).to_have_count(0)
    await page.get_by_role("link", name="Failed").click()
    assert page.url == f"{empty.url}/?text=sales&status=failed&status=blocked"
    await expect(row(page, bad)).to_be_visible()
    await expect(row(page, good)).to_have_count(0)
    await page.get_by_label("Type").select_option("agent")
    await page.get_by_role("button", name="Filter").first.click()
    await expect(page.get_by_role("heading", level=2)).to_have_text("No task matches")
    await page.go_back()
    await expect(row(page, bad)).to_be_visible()


@pytest.mark.parametrize(
    ("name", "query"),
    [("Retrying now", "retrying=true"), ("Waiting for you", "status=waiting")],
)
async def test_what_tries_again_and_what_waits_for_people_are_views(
    page: Page, empty: Stage, name: str, query: str
) -> None:
    plain, task_id = [await submit(empty, "wait", name="views") for _ in range(2)]
    await empty.until(task_id, "running")
    await empty.execute(
        "UPDATE tasks SET status = 'waiting' WHERE CAST(id AS text) = :id"
        if "waiting" in query
        else "UPDATE sub_tasks SET next_attempt_at = now() WHERE CAST(task_id AS text) = :id",
        id=task_id,
    )
    await page.goto(empty.url)
    link = page.get_by_label("States").get_by_role("link", name=name)
    await link.click()
    assert page.url == f"{empty.url}/?{query}"
    await expect(link).to_have_attribute("aria-current", "true")
    await expect(row(page, task_id)).to_be_visible()
    await expect(row(page, plain)).to_have_count(0)


async def test_special_filters_are_chips_that_can_be_taken_away(page: Page, empty: Stage) -> None:
    [task_id] = await done(empty, "nightly")
    await page.goto(f"{empty.url}/?schedule_id={uuid4()}&text=nightly")
    await expect(row(page, task_id)).to_have_count(0)
    await page.get_by_role("link", name="Remove the filter").click()
    assert page.url == f"{empty.url}/?text=nightly"
    await expect(row(page, task_id)).to_be_visible()


async def test_a_filter_that_cannot_be_says_what_is_wrong(page: Page, empty: Stage) -> None:
    await page.goto(f"{empty.url}/?created_after=yesterday")
    await expect(page.get_by_text("created_after")).to_be_visible()
    await check_accessible(page)


async def test_pages_lead_to_older_ones_and_back_to_the_newest(page: Page, empty: Stage) -> None:
    await _many(empty, 60)
    await page.goto(f"{empty.url}/?text=filler")
    first = await page.locator("[data-row]").first.get_attribute("data-id")
    await expect(page.locator("[data-row]")).to_have_count(50)
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator("[data-row]")).to_have_count(10)
    assert "text=filler" in page.url
    await page.get_by_role("link", name="Newest").click()
    assert await page.locator("[data-row]").first.get_attribute("data-id") == first


async def _many(stage: Stage, count: int, name: str = "filler") -> None:
    async with stage.database.writing() as connection:
        await connection.execute(
            text(
                "INSERT INTO tasks (id, team_id, type, name, status, inputs, priority, run,"
                " first_step, event_seq, created_at, updated_at, started_at, finished_at)"
                " SELECT gen_random_uuid(), :team, 'pipeline', :name, 'completed', '{}', 5, 1, 0,"
                " 1, now() - n * interval '1 min', now(), now() - interval '3 s', now()"
                " FROM generate_series(1, CAST(:count AS int)) AS n"
            ),
            {"team": DEFAULT_TEAM, "name": name, "count": count},
        )


async def test_rows_change_in_place_and_what_is_checked_stays(page: Page, empty: Stage) -> None:
    task_id = await submit(empty, "wait", name="live")
    await page.goto(empty.url)
    await row(page, task_id).get_by_role("checkbox").check()
    later = await submit(empty, "print x", name="later")
    await expect(row(page, later)).to_contain_text("completed", timeout=60_000)
    await empty.http.post(f"/tasks/{task_id}/cancel")
    await expect(row(page, task_id)).to_contain_text("cancelled", timeout=60_000)
    await expect(row(page, task_id).get_by_role("checkbox")).to_be_checked()


async def test_many_are_cancelled_after_the_count_was_shown(page: Page, empty: Stage) -> None:
    ids = [await submit(empty, "wait", name="runaway") for _ in range(3)]
    kept = await submit(empty, "wait", name="good")
    for task_id in (*ids, kept):
        await empty.until(task_id, "running")
    await page.goto(f"{empty.url}/?text=runaway")
    await page.get_by_label("all that match").check()
    await page.get_by_role("button", name="Cancel…").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel 3 tasks?")
    await check_accessible(page)
    await page.get_by_label("Why").fill("They never end")
    await page.get_by_role("button", name="Cancel 3 tasks").click()
    await page.wait_for_url("**/bulk/*")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cancel 3")
    await expect(page.locator("#run")).to_contain_text("3 of 3 dealt with", timeout=60_000)
    await check_accessible(page)
    for task_id in ids:
        await empty.until(task_id, "cancelled")
    assert (await empty.task(kept))["status"] == "running"
    deeds = (await empty.http.get("/audit", params={"action": "task.cancelled"})).json()["items"]
    assert [each["note"] for each in deeds if each["target"] in ids] == ["They never end"] * 3


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_checked_ones_are_deleted_without_scripts(page: Page, empty: Stage) -> None:
    [gone, kept] = await done(empty, "gone", "kept")
    await page.goto(empty.url)
    await page.get_by_role("button", name="Delete…").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Delete which tasks?")
    await page.get_by_role("link", name="Back to the list").click()
    await page.get_by_label("Check gone").check()
    await page.get_by_role("button", name="Delete…").click()
    await expect(page.get_by_role("main").get_by_role("listitem")).to_contain_text("gone")
    await page.get_by_role("button", name="Delete 1 task").click()
    while (await empty.http.get(f"/tasks/{gone}")).status_code != 404:
        await page.wait_for_timeout(100)
    assert (await empty.task(kept))["status"] == "completed"


async def test_a_bulk_run_over_tasks_is_followed_and_aborted(page: Page, empty: Stage) -> None:
    ids = await done(empty, "one", "two", "three")
    answer = await empty.http.post("/tasks/delete", json={"ids": ids, "rate": 1})
    await page.goto(f"{empty.url}/bulk/{answer.json()['id']}")
    await expect(page.locator("#run")).to_contain_text("1 of 3 dealt with", timeout=60_000)
    await page.get_by_role("button", name="Abort").click()
    await expect(page.locator("#run")).to_contain_text("aborted", timeout=60_000)
    assert [(await empty.http.get(f"/tasks/{each}")).status_code for each in ids] == [404, 200, 200]


async def test_a_retry_of_many_says_what_is_kept_and_what_runs_again(
    page: Page, empty: Stage
) -> None:
    task_id = await submit(empty, "print x", "fail", name="two")
    await empty.until(task_id, "failed", "blocked")
    await page.goto(empty.url)
    await page.get_by_label("Check two").check()
    await page.get_by_role("button", name="Retry…").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Retry 1 task?")
    kept, again, _ = await page.locator(".foresight dd").all()
    await expect(kept).to_have_text("✓ a")
    await expect(again).to_have_text("↻ b")
    await page.get_by_role("button", name="Retry 1 task").click()
    await empty.once(task_id, lambda task: task["run"] == 2)


async def test_the_keyboard_moves_checks_and_opens(page: Page, empty: Stage) -> None:
    [older, newer] = await done(empty, "older", "newer")
    await page.goto(empty.url)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    await page.keyboard.press("x")
    await expect(row(page, newer).get_by_role("checkbox")).to_be_checked()
    await expect(row(page, older).get_by_role("checkbox")).not_to_be_checked()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/tasks/{older}")
    await page.goto(empty.url)
    await page.keyboard.press("/")
    await expect(page.get_by_label("Text in name")).to_be_focused()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
@pytest.mark.parametrize("context", [{"color_scheme": "dark"}, {}], indirect=True)
async def test_hostile_names_fit_every_screen_and_run_nothing(
    page: Page, empty: Stage, size: Any
) -> None:
    await _many(empty, 3, HOSTILE)
    await page.set_viewport_size(size)
    await page.goto(empty.url)
    await expect(page.locator("[data-row]")).to_have_count(3)
    await expect(page.locator("[data-row] img")).to_have_count(0)
    await expect(page.locator("[data-row] bdi").first).to_contain_text("<img src=x")
    await check_fits(page)
    await check_accessible(page)


async def test_an_open_breaker_is_told_on_every_page(page: Page, empty: Stage) -> None:
    answer = await empty.http.post("/breakers/tool:write_file/open", json={"seconds": 600})
    assert answer.is_success, answer.text
    await page.goto(empty.url)
    told = page.locator("#banner")
    await expect(told).to_contain_text("1 circuit breaker is open", timeout=60_000)
    await expect(told).to_contain_text("tool:write_file")
    await check_accessible(page)
    await empty.http.post("/breakers/tool:write_file/close")
