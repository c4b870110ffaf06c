"""The page of a new task: what a person does there, with scripts and without."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage

UNSCRIPTED = [{"java_script_enabled": False}]
HOSTILE = "<script>alert(1)</script>\u202egpj.exe"

ONE_INPUT = """\
name: tidy
inputs: [data]
steps:
  - id: look
    code:
      language: shell
      source: "print $INPUT_DATA"
"""
DROP = """
([name, content]) => {
  const files = new DataTransfer();
  files.items.add(new File([content], name, { type: "text/csv" }));
  for (const type of ["dragenter", "dragover", "drop"])
    document.querySelector("h1").dispatchEvent(
      new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
}
"""


async def _go(page: Page, stage: Stage, query: str = "") -> None:
    await page.goto(f"{stage.url}/tasks/new{query}")


async def _started(page: Page, stage: Stage) -> Mapping[str, Any]:
    """The task, once the page has led to it."""
    await page.wait_for_url("**/tasks/*-*-*-*-*")
    return await stage.task(page.url.rpartition("/")[2])


async def test_a_file_that_is_dropped_becomes_the_input_of_a_pipeline(
    page: Page, stage: Stage
) -> None:
    await _go(page, stage)
    await page.get_by_label("Pipeline", exact=True).fill(ONE_INPUT)
    await expect(page.get_by_label("Reference of data")).to_be_visible()
    await page.evaluate(DROP, ["sales 2026.csv", "a,b\n1,2\n"])
    await expect(page.locator(".upload")).to_contain_text("sales 2026.csv 8 B")
    await page.get_by_role("button", name="Start").click()
    task = await _started(page, stage)
    assert task["name"] == "tidy"
    kept = await stage.http.get(f"/files/{task['inputs']['data'].removeprefix('file:')}")
    assert kept.text == "a,b\n1,2\n"


async def test_a_pipeline_in_a_file_is_opened_where_it_is_dropped(page: Page, stage: Stage) -> None:
    await _go(page, stage)
    await page.evaluate(DROP, ["tidy.yaml", ONE_INPUT])
    await expect(page.get_by_label("Pipeline", exact=True)).to_have_value(ONE_INPUT)
    await expect(page.locator("#pipeline-problems")).to_contain_text("1 step:")
    await page.evaluate(DROP, ["sales.csv", "a,b\n"])
    await expect(page.locator(".upload")).to_contain_text("sales.csv")
    await page.keyboard.press("Control+Enter")
    assert (await _started(page, stage))["name"] == "tidy"


async def test_what_is_wrong_is_told_with_its_line_while_somebody_types(
    page: Page, stage: Stage
) -> None:
    await _go(page, stage)
    field = page.get_by_label("Pipeline", exact=True)
    await field.fill("name: x\nsteps:\n  - id: a\n    code: {language: pascal, source: x}\n")
    link = page.get_by_role("link", name="Line 4")
    await expect(link).to_be_visible()
    await expect(page.locator("#pipeline-problems")).to_contain_text("step a")
    await expect(page.locator(".gutter .bad")).to_have_text("4")
    await expect(page.locator("#announcer")).to_contain_text("first on line 4")
    await check_accessible(page)
    await link.click()
    await expect(field).to_be_focused()
    selected = await field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)")
    assert selected == "language: pascal, source: x}"
    await field.fill("name: x\nsteps:\n  - id: a\n    tool: none\n")
    await expect(page.locator("#pipeline-problems")).to_contain_text("no tool named 'none'")
    await field.fill("name: x\nsteps:\n  - id: a\n    code: {language: python, source: x}\n")
    await expect(page.locator("#pipeline-problems")).to_contain_text("1 step:")
    await expect(page.locator(".gutter .bad")).to_have_count(0)


async def test_tab_indents_and_escape_lets_the_keyboard_leave(page: Page, stage: Stage) -> None:
    await _go(page, stage)
    field = page.get_by_label("Pipeline", exact=True)
    await field.fill("steps:\n- id: a\n- id: b")
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("steps:\n- id: a\n- id: b  ")
    await field.evaluate("f => f.setSelectionRange(7, 20)")
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("steps:\n  - id: a\n  - id: b  ")
    await page.keyboard.press("Shift+Tab")
    await expect(field).to_have_value("steps:\n- id: a\n- id: b  ")
    await field.evaluate("f => f.setSelectionRange(14, 14)")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("steps:\n- id: a\n  \n- id: b  ")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(field).not_to_be_focused()


async def test_rows_follow_the_inputs_that_are_declared_and_keep_what_was_given(
    page: Page, stage: Stage
) -> None:
    await _go(page, stage)
    field = page.get_by_label("Pipeline", exact=True)
    await field.fill(ONE_INPUT)
    await page.get_by_label("Reference of data").fill("https://example.com/a.csv")
    await field.fill(ONE_INPUT.replace("[data]", "[rates, data]"))
    await expect(page.get_by_label("Reference of rates")).to_be_visible()
    await expect(page.get_by_label("Reference of data")).to_have_value("https://example.com/a.csv")
    names = await page.locator("#rows input[type=hidden]").evaluate_all("i => i.map(e => e.name)")
    assert names == ["inputs.0.name", "inputs.1.name"]


async def test_a_task_is_edited_and_run_again_with_its_inputs(page: Page, stage: Stage) -> None:
    file = (await stage.http.post("/files", files={"file": ("a.csv", b"a")})).json()["id"]
    body = {"pipeline": ONE_INPUT, "inputs": {"data": f"file:{file}"}, "priority": 7}
    first = (await stage.http.post("/tasks", json=body)).json()["task_id"]
    await _go(page, stage, f"?from={first}")
    await expect(page.get_by_text("Everything is as it was in")).to_be_visible()
    field = page.get_by_label("Pipeline", exact=True)
    await field.fill((await field.input_value()).replace("name: tidy", "name: tidier"))
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url(lambda url: "/tasks/" in url and "/new" not in url)
    task = await _started(page, stage)
    assert task["task_id"] != first
    assert (task["name"], task["priority"]) == ("tidier", 7)
    assert task["inputs"] == {"data": f"file:{file}"}


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_without_scripts_a_pipeline_is_checked_mended_given_a_file_and_started(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("a,b\n")
    await _go(page, stage)
    await page.get_by_label("Pipeline", exact=True).fill(ONE_INPUT.replace("shell", "pascal"))
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_role("link", name="Line 6")).to_be_visible()
    await page.get_by_label("Pipeline", exact=True).fill(ONE_INPUT)
    await page.get_by_role("button", name="Check").click()
    await page.get_by_label("File for data").set_input_files(tmp_path / "data.csv")
    await page.get_by_role("button", name="Start").click()
    task = await _started(page, stage)
    kept = await stage.http.get(f"/files/{task['inputs']['data'].removeprefix('file:')}")
    assert kept.text == "a,b\n"


@pytest.mark.parametrize("context", UNSCRIPTED, indirect=True)
async def test_what_is_wrong_is_told_beside_its_field_and_everything_stays(
    page: Page, stage: Stage
) -> None:
    await _go(page, stage)
    await page.get_by_label("Pipeline", exact=True).fill(ONE_INPUT)
    await page.get_by_text("More", exact=True).click()
    await page.get_by_label("Priority").fill("eleven")
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_label("Priority")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Priority")).to_have_value("eleven")
    await expect(page.get_by_label("Pipeline", exact=True)).to_have_value(ONE_INPUT)
    await expect(page.get_by_role("alert").filter(has_text="nothing was started")).to_be_visible()
    await check_fits(page)


async def test_a_form_that_is_sent_twice_makes_one_task(page: Page, stage: Stage) -> None:
    await _go(page, stage, "?example=hello")
    form = await page.locator("#new-task").evaluate(
        "form => [...new FormData(form)].filter(([, value]) => typeof value === 'string')"
    )
    sent = [(name, (None, value)) for name, value in form]
    headers = {"Accept": "text/html"}
    answers = [
        await stage.http.post(f"{stage.url}/tasks/new", files=sent, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    changed = [(name, (None, "9")) if name == "priority" else (name, part) for name, part in sent]
    other = await stage.http.post(f"{stage.url}/tasks/new", files=changed, headers=headers)
    assert other.status_code == 409
    assert "has begun" in other.text
    assert answers[0].headers["Location"] in other.text


async def test_tools_of_an_agent_are_searched_and_ticked(page: Page, stage: Stage) -> None:
    await _go(page, stage, "?type=agent")
    tools = page.get_by_role("group", name="Tools")
    await expect(tools.get_by_role("checkbox").first).to_be_hidden()
    await tools.get_by_role("radio", name="Only these").check()
    await tools.get_by_role("searchbox").fill("web_search")
    shown = tools.get_by_role("checkbox").filter(visible=True)
    await expect(shown).to_have_count(1)
    await shown.check()
    await check_accessible(page)
    ticked = await page.locator("#new-task").evaluate(
        "form => new FormData(form).getAll('agent.tools')"
    )
    assert ticked == ["web_search"]


@pytest.mark.parametrize("kind", ["pipeline", "agent", "plan", "auto"])
async def test_each_form_fits_a_narrow_screen_and_axe_finds_nothing(
    page: Page, stage: Stage, kind: str
) -> None:
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await _go(page, stage, f"?type={kind}")
    await check_fits(page)
    for summary in await page.locator("summary").all():
        await summary.click()
    await check_fits(page)
    await check_accessible(page)


async def test_hostile_names_and_texts_stay_text(page: Page, stage: Stage) -> None:
    await _go(page, stage)
    field = page.get_by_label("Pipeline", exact=True)
    await field.fill(f'name: "{HOSTILE}"\nsteps:\n  - id: "{HOSTILE}"\n    skill: "{HOSTILE}"\n')
    await expect(page.get_by_role("link", name="Line 3")).to_be_visible()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("alert").filter(has_text="not right yet")).to_be_visible()
    assert await page.locator("main script").count() == 0
    await expect(page.get_by_label("Pipeline", exact=True)).to_have_value(
        f'name: "{HOSTILE}"\nsteps:\n  - id: "{HOSTILE}"\n    skill: "{HOSTILE}"\n'
    )
