"""The logs of a task: all attempts, found, followed, downloaded."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.addresses import page_of
from tests.browser.visits import NARROW, check_accessible, check_fits
from tests.integration.api_stage import Stage
from tests.live import Live, a_while, python, release
from tests.unit.api.web.text.hostile import HOSTILE


async def test_attempts_are_kept_apart_and_can_be_chosen(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print first\nretry\nprint second", "print other")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}/logs")
    attempts = page.locator("#logs .attempt-log")
    await expect(attempts).to_have_count(3)
    await expect(attempts.nth(0)).to_contain_text("attempt 1")
    await expect(attempts.nth(0).locator(".stderr")).to_contain_text("no")
    await expect(attempts.nth(1).locator("pre")).to_contain_text("second")
    await check_accessible(page)
    await page.get_by_label("Step").select_option("a")
    await page.get_by_label("Attempt", exact=True).select_option("2")
    await page.get_by_role("button", name="Show").click()
    await expect(attempts).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"logs\?step=a&attempt=2$"))


async def test_lines_are_found_at_once_and_by_the_server(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print apple\nprint banana\nprint cherry")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}/logs")
    await page.keyboard.press("/")
    await page.keyboard.type("AN")
    await expect(page.locator("#matches")).to_have_text("1 line")
    await expect(page.get_by_text("apple")).to_be_hidden()
    await expect(page.get_by_text("banana")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?q=AN$"))
    await page.reload()
    await expect(page.locator(".chunk > span")).to_have_count(1)
    await expect(page.locator(".chunk > span")).to_have_attribute("data-n", "2")
    await expect(page.get_by_text("1 of 3 lines")).to_be_visible()
    async with page.expect_download() as told:
        await page.get_by_role("link", name="Download shown").click()
    path = await (await told.value).path()
    assert path.read_text() == "==> a, attempt 1, stdout <==\nbanana\n"


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
async def test_lines_are_found_without_scripts(page: Page, stage: Stage) -> None:
    task_id = await stage.submit("print apple\nprint banana")
    await stage.until(task_id, "completed")
    await page.goto(f"{stage.url}/tasks/{task_id}/logs")
    await page.get_by_label("Lines with").fill("app")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".chunk > span")).to_have_text(["apple\n"])
    await page.get_by_role("link", name="Do not wrap lines").click()
    await expect(page.locator("#logs")).not_to_have_class(re.compile("wrap"))
    await expect(page).to_have_url(re.compile("q=app"))


async def test_a_log_is_followed_line_by_line(page: Page, live: Live) -> None:
    word = a_while()
    source = (
        "import subprocess, sys\n"
        "print('\\x1b[31mred\\x1b[0m <b>one</b>', flush=True)\n"
        "for n in range(300): print('line', n, flush=True)\n"
        "subprocess.run(['sleep', sys.argv[1]])\n"
        "print('last words')"
    )
    task_id = await live.submit(python("talk", source, word))
    await page.goto(page_of(live, f"/tasks/{task_id}/logs"))
    block = page.locator("#live-log pre.stdout")
    await expect(block).to_contain_text("line 299", timeout=60_000)
    await expect(block.locator(".ansi-1")).to_have_text("red")
    await expect(block).to_contain_text("<b>one</b>")
    await page.reload()  # Who comes later sees all that was printed before.
    await expect(block).to_contain_text("line 299")
    await expect(block.locator(".chunk > span")).to_have_count(301)
    await check_accessible(page)
    await page.get_by_role("button", name="Follow").click()
    await release(word)
    await expect(page.locator("#logs pre.stdout")).to_contain_text("last words", timeout=60_000)
    await expect(page.locator("#live-log .attempt-log")).to_have_count(0)
    # Who follows is at the end.
    await page.wait_for_function(
        "document.documentElement.scrollHeight - scrollY - innerHeight < 60"
    )


async def test_who_reads_above_is_left_there(page: Page, live: Live) -> None:
    word = a_while()
    source = (
        "import subprocess, sys\n"
        "for n in range(200): print('line', n, flush=True)\n"
        "subprocess.run(['sleep', sys.argv[1]])\n"
        "for n in range(200): print('more', n, flush=True)\n"
        "subprocess.run(['sleep', sys.argv[2]])"
    )
    second = a_while()
    task_id = await live.submit(python("talk", source, word, second))
    await page.goto(page_of(live, f"/tasks/{task_id}/logs"))
    block = page.locator("#live-log pre.stdout")
    await expect(block).to_contain_text("line 199", timeout=60_000)
    await page.evaluate("scrollTo(0, 300)")
    await release(word)
    await expect(block).to_contain_text("more 199", timeout=60_000)
    assert await page.evaluate("scrollY") == 300
    await release(second)
    await live.ended(task_id)


async def test_five_thousand_lines_do_not_make_the_page_slow(page: Page, live: Live) -> None:
    source = "for n in range(5000): print(f'\\x1b[3{n % 8}mline {n}\\x1b[0m of a long story')"
    task = await live.run(python("talk", source))
    await page.goto(page_of(live, f"/tasks/{task['task_id']}/logs"))
    assert await page.locator(".chunk > span").count() == 5_000
    timing = await page.evaluate(
        """async () => {
            const [load] = performance.getEntriesByType("navigation");
            const began = performance.now();
            document.getElementById("q").value = "4999";
            document.getElementById("q").dispatchEvent(new Event("input"));
            await new Promise((done) => setTimeout(done, 120));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            return [load.domComplete - load.responseEnd, performance.now() - began - 120];
        }"""
    )
    assert timing[0] < 5_000
    assert timing[1] < 2_000
    await expect(page.locator("#matches")).to_have_text("1 line")


async def test_hostile_output_runs_nothing_and_fits(page: Page, stage: Stage) -> None:
    words = [text for text in HOSTILE if text.isprintable()]
    task_id = await stage.submit("\n".join(f"print {text}" for text in [*words, "x" * 5_000]))
    await stage.until(task_id, "completed")
    await page.set_viewport_size(NARROW)
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{stage.url}/tasks/{task_id}/logs")
    await expect(page.locator("#logs")).to_contain_text("<script>alert(1)</script>")
    assert await page.locator("#logs :is(script, svg, iframe, style, img)").count() == 0
    await check_fits(page)
    await check_accessible(page)
