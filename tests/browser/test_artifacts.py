"""The files of a task: a table, and what each looks like."""

import io
import json
import re
import zipfile

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.addresses import page_of
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.live import Live, python
from tests.unit.api.web.text.hostile import HOSTILE

# One pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
HTML = "<h1>Report</h1><script>document.title='ran'; top.ran = 1</script><img src='/icon.svg'>"
NAME = '"><script>alert(1)<script> \u05d0.txt'
FILES = {
    NAME: "named to do harm",
    "table.csv": "name,amount\nada,3\nbob,5\n",
    "notes.md": "# Notes\n\n**bold** ![x](https://evil.example/p.png)",
    "data.json": json.dumps({"outer": {"inner": [1, 2]}}),
    "report.html": HTML,
    "code.py": "def f():\n    return 1\n",
    "hostile.md": "\n\n".join(HOSTILE[:-1]),
    "hostile.csv": "a,b\n" + "\n".join(f'"{text.replace(chr(34), "")}",1' for text in HOSTILE[:-1]),
}
SOURCE = f"""
import base64, pathlib
for name, text in {FILES!r}.items():
    pathlib.Path(name).write_bytes(text.encode(errors="replace"))
pathlib.Path("dot.png").write_bytes(base64.b64decode({PNG!r}))
pathlib.Path("noise.bin").write_bytes(bytes(range(256)) * 10)
"""


async def _made(live: Live) -> str:
    task = await live.run(python("make", SOURCE))
    assert task["status"] == "completed", task
    return page_of(live, f"/tasks/{task['task_id']}/artifacts")


async def _look(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name, exact=True).click()
    await expect(page.locator("#preview h3")).to_have_text(name)
    await check_accessible(page)


async def test_each_kind_of_file_can_be_looked_at(page: Page, live: Live) -> None:
    await page.goto(await _made(live))
    await check_accessible(page)
    preview = page.locator("#preview")
    await _look(page, "table.csv")
    await expect(page).to_have_url(re.compile(r"\?artifact=[0-9a-f-]{36}#preview$"))
    await expect(preview.get_by_role("columnheader")).to_have_text(["name", "amount"])
    await _look(page, "notes.md")
    await expect(preview.locator("strong")).to_have_text("bold")
    assert await preview.locator("img").count() == 0
    await _look(page, "data.json")
    await expect(preview).to_contain_text("inner")
    await _look(page, "code.py")
    await expect(preview.locator(".code-keyword").first).to_have_text("def")
    await _look(page, "noise.bin")
    await expect(preview).to_contain_text("download it")
    await _look(page, "dot.png")
    await page.wait_for_function("document.querySelector('#preview img').naturalWidth === 1")


async def test_html_is_shown_in_a_frame_in_which_nothing_runs(
    context: BrowserContext, live: Live
) -> None:
    page = await context.new_page()  # One that may be told what the policy keeps from running.
    await page.goto(await _made(live))
    await page.get_by_role("link", name="report.html", exact=True).click()
    frame = page.frame_locator("#preview iframe")
    await expect(frame.get_by_role("heading")).to_have_text("Report")
    assert await page.evaluate("window.ran") is None


async def test_hostile_files_do_nothing_to_the_page(page: Page, live: Live) -> None:
    await page.goto(await _made(live))
    for name in ("hostile.md", "hostile.csv", NAME):
        await _look(page, name)
        assert await page.locator("#preview :is(script, svg, iframe, style, form)").count() == 0
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await page.reload()
    await check_fits(page)
    await check_accessible(page)


async def test_all_files_are_downloaded_as_one(page: Page, live: Live) -> None:
    await page.goto(await _made(live))
    async with page.expect_download() as told:
        await page.get_by_role("link", name="Download all as zip").click()
    content = (await (await told.value).path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {*FILES, "dot.png", "noise.bin"} == set(archive.namelist())
