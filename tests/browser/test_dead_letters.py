"""The pages of dead letters: found, looked at, mended, requeued and discarded."""

import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.visits import NARROW, WIDE, check_accessible, check_fits
from tests.integration.api_stage import Stage, pipeline

SCRIPT = "<script>document.title = 'taken over'</script><img src=x onerror=alert(1)>"


def _with_step(step: str, *sources: str, **more: Any) -> dict[str, Any]:
    """A pipeline whose last step has this name."""
    made = {**pipeline(*sources), **more}
    made["steps"][-1]["id"] = step
    return made


async def _failed(stage: Stage, step: str, *sources: str, **more: Any) -> dict[str, Any]:
    """The dead letter of a task that has failed at a step of this name."""
    body = {"pipeline": _with_step(step, *(sources or ("print x", "fail"))), **more}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "failed")
    found = await stage.http.get("/dead-letters", params={"task_id": task_id})
    [letter] = found.json()["items"]
    return dict(letter)


async def _upload(stage: Stage, content: str) -> str:
    answer = await stage.http.post("/files", files={"file": ("a.txt", content)})
    return f"file:{answer.json()['id']}"


async def _letter(http: httpx.AsyncClient, letter: dict[str, Any]) -> dict[str, Any]:
    return dict((await http.get(f"/dead-letters/{letter['id']}")).json())


async def test_the_page_opens_on_the_largest_group_and_shows_its_letters(
    page: Page, stage: Stage
) -> None:
    many = [await _failed(stage, "largest_of_all") for _ in range(3)]
    few = await _failed(stage, "small")
    await page.goto(f"{stage.url}/dead-letters?text=fail")
    current = page.locator(".groups [aria-current]")
    await expect(current).to_have_count(1)
    await expect(page.locator("#group tbody tr")).not_to_have_count(0)
    await page.goto(f"{stage.url}/dead-letters?fingerprint={many[0]['fingerprint']}")
    await expect(page.locator("#group tbody tr")).to_have_count(3)
    await expect(page.locator("#group h2")).to_have_text("3 × largest_of_all")
    spark = page.locator(".groups .current svg")
    await expect(spark).to_have_attribute("role", "img")
    await page.locator(".groups a", has_text="small").click()
    await expect(page.locator("#group tbody tr")).to_have_count(1)
    assert few["fingerprint"] in page.url
    await check_accessible(page)


async def test_a_new_letter_appears_in_an_open_page(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.url}/dead-letters?text=comes_later")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await _failed(stage, "comes_later")
    await expect(page.locator("#group h2")).to_have_text("1 × comes_later", timeout=30_000)


async def test_a_letter_is_mended_and_requeued_after_the_page_has_said_what_happens(
    page: Page, stage: Stage
) -> None:
    bad, good = [await _upload(stage, text) for text in ("bad", "good")]
    sources = ("print x", f"refuse data {bad}\ncat INPUT_DATA", "print y")
    definition = {**pipeline(*sources), "inputs": ["data"]}
    body = {"pipeline": definition, "inputs": {"data": bad}}
    task_id = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await stage.until(task_id, "failed")
    found = await stage.http.get("/dead-letters", params={"task_id": task_id})
    letter = found.json()["items"][0]
    await page.goto(f"{stage.url}/dead-letters/{letter['id']}")
    foresight = page.locator("#foresight")
    await expect(foresight.locator(".chip.good")).to_contain_text(["a"])
    await expect(foresight.locator(".chip.busy")).to_contain_text(["b", "c"])
    await page.get_by_label("Begin").select_option("a")
    # What happens is said anew as soon as something changes.
    await expect(foresight.locator(".chip.busy")).to_contain_text(["a", "b", "c"])
    await page.get_by_label("Begin").select_option("")
    await expect(foresight.locator(".chip.busy")).to_have_count(2)
    async with page.expect_response("**/requeue"):
        await page.get_by_label("Input data").fill(good)
        await page.get_by_label("Why, for the audit log").fill("The file was wrong.")
    await expect(foresight.get_by_role("button", name="Run it again")).to_be_visible()
    await check_accessible(page)
    await foresight.get_by_role("button", name="Run it again").click()
    await expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    await stage.until(task_id, "completed")
    await page.reload()
    await expect(page.locator("main")).to_contain_text("The file was wrong.")
    trail = page.locator("tbody tr")
    await expect(trail.first).to_contain_text("dead_letter.requeued")


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_without_scripts_what_was_changed_is_shown_before_it_is_done(
    page: Page, stage: Stage
) -> None:
    letter = await _failed(stage, "plain")
    await page.goto(f"{stage.url}/dead-letters/{letter['id']}")
    await page.get_by_label("Begin").select_option("start")
    await page.get_by_role("button", name="Run it again").click()
    await expect(page.get_by_text("You have changed something")).to_be_visible()
    assert (await _letter(stage.http, letter))["state"] == "open"
    await expect(page.locator("#foresight .chip.busy")).to_have_count(2)
    await page.get_by_role("button", name="Run it again").click()
    await expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    assert (await _letter(stage.http, letter))["state"] == "requeued"


async def test_the_pipeline_is_edited_as_yaml_and_its_mistakes_are_said(
    page: Page, stage: Stage
) -> None:
    letter = await _failed(stage, "edited")
    await page.goto(f"{stage.url}/dead-letters/{letter['id']}")
    await page.get_by_text("Edit the pipeline").click()
    field = page.get_by_label("Pipeline, as YAML")
    whole = await field.input_value()
    assert "source: fail" in whole
    await field.fill("steps: [")
    await field.blur()
    await expect(page.locator("#foresight .problem")).to_contain_text("not valid YAML")
    await expect(page.get_by_role("button", name="Run it again")).to_have_count(0)
    await field.fill(whole.replace("source: fail", "source: print y"))
    await field.blur()
    await page.get_by_role("button", name="Run it again").click()
    await expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    await expect(page.locator("#alerts")).to_be_empty()  # The mistake is mended.
    await stage.until(letter["task_id"], "completed")


async def test_a_letter_is_discarded_with_a_reason(page: Page, stage: Stage) -> None:
    letter = await _failed(stage, "useless")
    await page.goto(f"{stage.url}/dead-letters/{letter['id']}")
    await page.get_by_text("Nothing is to be done about it").click()
    await page.get_by_role("textbox", name="Why", exact=True).fill("It was a test.")
    await page.get_by_role("button", name="Discard").click()
    await expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    await expect(page.locator("tbody")).to_contain_text("dead_letter.discarded")
    found = await _letter(stage.http, letter)
    assert (found["state"], found["note"]) == ("discarded", "It was a test.")
    await page.goto(f"{stage.url}/dead-letters?state=discarded&fingerprint={letter['fingerprint']}")
    await expect(page.locator("#group")).to_contain_text("discarded")


async def test_many_are_requeued_and_the_rest_is_left_when_somebody_aborts(
    page: Page, stage: Stage
) -> None:
    letters = [await _failed(stage, "bulky") for _ in range(5)]
    await page.goto(f"{stage.url}/dead-letters?fingerprint={letters[0]['fingerprint']}")
    await page.get_by_role("link", name="Requeue all 5…").click()
    await expect(page.locator("#foresight")).to_contain_text("5 dead letters are dealt with")
    await expect(page.locator("#foresight .chip.good")).to_contain_text(["a × 5"])
    await check_accessible(page)
    await page.get_by_label("Begin with step").fill("start")
    await page.get_by_label("Begin with step").blur()
    await expect(page.locator("#foresight .chip.busy")).to_have_count(2)
    await page.get_by_label("First to be awaited").fill("0")
    await page.get_by_label("Letters a minute").fill("1")
    await page.get_by_label("Why, for the audit log").fill("The network is back.")
    await page.get_by_role("button", name="Requeue 5").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Requeue 5")
    await expect(page.locator("#run")).to_contain_text("1 of 5 dealt with", timeout=30_000)
    await check_accessible(page)
    await page.get_by_label("Why, for the audit log").fill("It is not.")
    await page.get_by_role("button", name="Abort").click()
    await expect(page.locator(".head .state")).to_contain_text("aborted")
    await expect(page.get_by_role("button", name="Abort")).to_have_count(0)
    states = [(await _letter(stage.http, letter))["state"] for letter in letters]
    assert sorted(states) == ["open"] * 4 + ["requeued"]
    await page.get_by_role("link", name="All bulk runs").click()
    await expect(page.locator("tbody tr").first).to_contain_text("The network is back.")
    await check_accessible(page)


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_many_are_discarded_without_scripts(page: Page, stage: Stage) -> None:
    letters = [await _failed(stage, "rubbish") for _ in range(2)]
    await page.goto(
        f"{stage.url}/dead-letters/bulk/discard?fingerprint={letters[0]['fingerprint']}"
    )
    await page.get_by_label("Why, for the audit log").fill("Rubbish.")
    await page.get_by_role("button", name="Discard 2").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Discard 2")
    for letter in letters:

        async def is_discarded(letter: dict[str, Any] = letter) -> bool:
            return (await _letter(stage.http, letter))["state"] == "discarded"

        for _ in range(200):
            if await is_discarded():
                break
            await page.wait_for_timeout(100)
        assert await is_discarded()


async def test_a_number_that_is_none_is_refused_beside_its_field(page: Page, stage: Stage) -> None:
    letter = await _failed(stage, "numbered")
    path = f"{stage.url}/dead-letters/bulk/requeue"
    answer = await page.request.post(
        path,
        form={"fingerprint": letter["fingerprint"], "rate": "many", "act": "run", "seen": ""},
        headers={"Origin": stage.url, "Accept": "text/html"},
    )
    assert answer.status == 422
    assert "it is a whole number" in await answer.text()


HOSTILE = f"{SCRIPT}\u202egpj.exe\u2066"


async def test_hostile_errors_are_shown_and_not_obeyed(page: Page, stage: Stage) -> None:
    letter = await _failed(stage, "hostile")
    error = {"code": "script-failed", "message": (HOSTILE + "x" * 4_096)[:4_096]}
    parts = {**letter["parts"], "step": HOSTILE, "runs": HOSTILE, "message": HOSTILE}
    await stage.execute(
        "UPDATE dead_letters SET error = CAST(:error AS jsonb), parts = CAST(:parts AS jsonb),"
        " name = :name, part = :name, fingerprint = 'deadbeef00000000' WHERE id = :id",
        error=json.dumps(error),
        parts=json.dumps(parts),
        name=HOSTILE,
        id=UUID(letter["id"]),
    )
    await stage.execute(
        "UPDATE execution_logs SET stderr = repeat('x', 1000000) || :said WHERE sub_task_id = :id",
        said=HOSTILE,
        id=UUID(letter["sub_task_id"]),
    )
    for path in ("?fingerprint=deadbeef00000000", f"/{letter['id']}"):
        answer = await page.goto(f"{stage.url}/dead-letters{path}")
        assert answer is not None
        assert len(await answer.body()) < 60_000
        assert "taken over" not in await page.title()
        await expect(page.locator("main")).to_contain_text("<script>document.title")
        assert await page.locator("main script, main img").count() == 0
        await check_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_fit_a_narrow_and_a_wide_screen_and_axe_finds_nothing(
    page: Page, stage: Stage, context: BrowserContext, scheme: str
) -> None:
    letter = await _failed(stage, "narrow")
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    paths = (
        "/dead-letters",
        f"/dead-letters/{letter['id']}",
        "/dead-letters/bulk/discard?text=narrow",
        "/bulk",
    )
    for size in (NARROW, WIDE):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        for path in paths:
            await page.goto(f"{stage.url}{path}")
            await check_fits(page)
            await check_accessible(page)


async def test_where_nothing_has_failed_the_page_says_what_would_come(
    page: Page, stage: Stage
) -> None:
    await page.goto(f"{stage.url}/dead-letters?state=requeued&text=no_such_letter")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await check_accessible(page)
