"""What tests in a browser share."""

from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page

# The first needs a fifth less of the processors than the others.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# The narrowest and the widest screen that pages are made for, in CSS pixels.
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 2_560, "height": 1_300}

_POLICY = "Content Security Policy"


@contextmanager
def watched(page: Page) -> Iterator[None]:
    """Fails when the page's scripts do, or when something was kept from running."""
    errors: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and _POLICY in message.text:
            errors.append(message.text)

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", on_console)
    yield
    assert not errors, errors


async def check_accessible(page: Page) -> None:
    """Axe finds nothing wrong with the page as it stands."""
    await page.wait_for_load_state("domcontentloaded")  # A link may just have been followed.
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


async def check_fits(page: Page) -> None:
    """Nothing is wider than the screen: no page scrolls sideways as a whole."""
    width, shown = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= shown, f"the page is {width} px wide on a screen of {shown} px"
