"""A real browser on a real API. Without Chromium on the machine these tests are skipped."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from deploy.local.services import Services
from tests.browser.visits import CHROMIUM_NAMES, watched
from tests.doubles.scripted_models import ScriptedModels
from tests.integration.api_stage import Stage, api_stage
from tests.live import Live
from tests.live_models import modelled_stack

# As long as something may take that is awaited, on a busy machine.
_PATIENCE_MS = 30_000


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        # Where all must be tested, what is missing is a failure.
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave("Chromium is not installed: apt install chromium-headless-shell")
    async with async_playwright() as playwright:
        # Its own sandbox needs rights that containers do not have.
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def context(
    browser: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[BrowserContext]:
    """A browser of its own for a test. Parametrized indirectly it gets options, such as
    ``{"java_script_enabled": False}``."""
    options = getattr(request, "param", {})
    context = await browser.new_context(locale="en-GB", timezone_id="UTC", **options)
    context.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A tab. At its end, an error in the page's own scripts, or something that the policy for
    content has kept from running, fails the test."""
    page = await context.new_page()
    with watched(page):
        yield page


@pytest.fixture(scope="package")
def skills_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("skills")


@pytest.fixture(scope="package")
async def stage(infrastructure: Services, skills_folder: Path) -> AsyncIterator[Stage]:
    """An API with a worker whose steps do as they are told."""
    async with api_stage(infrastructure, skills_folder) as stage:
        yield stage


@pytest.fixture(scope="package")
async def live(
    models: ScriptedModels, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """The whole stack, whose models say what a test has written."""
    async with modelled_stack(tmp_path_factory.mktemp("live"), models) as live:
        yield live
