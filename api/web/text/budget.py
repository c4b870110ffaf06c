"""How long a page may take to be made beautiful."""

import time
from collections.abc import Callable

from markupsafe import Markup

from api.web.text.code import highlight
from api.web.text.markdown import as_it_is, markdown
from api.web.text.pretty import pretty
from api.web.text.visible import plain

SECONDS = 1.0


class Budget:
    """Makes HTML of the texts of a page; what would take too long in all is left as it is."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._until = time.monotonic() + seconds

    def markdown(self, text: str) -> Markup:
        return self._made(markdown, text) or as_it_is(text)

    def pretty(self, text: str) -> Markup:
        return self._made(pretty, text) or plain(text)

    def code(self, text: str, language: str) -> Markup:
        return self._made(lambda source: highlight(source, language), text) or plain(text)

    def _made(self, make: Callable[[str], Markup], text: str) -> Markup | None:
        return make(text) if time.monotonic() < self._until else None
