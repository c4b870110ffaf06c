"""Pieces of SVG. A drawing has attributes and classes only: the page's policy allows no style."""

from math import isfinite

from markupsafe import Markup, escape

# Names may be hostile, and long: a title of a megabyte would be sent with every page.
MAX_TEXT_CHARACTERS = 120

Value = str | int | float


def element(name: str, content: str | Markup = "", **attributes: Value) -> Markup:
    """An element. Content and values are escaped unless they are markup already; ``class_`` is
    ``class``, and ``aria_label`` ``aria-label``."""
    # Markup.format would take ten times as long, of which pages with many drawings have no use.
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text_of(value))}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{escape(content)}</{name}>")  # noqa: S704  (escaped above)


def picture(name: str, content: Markup, *, class_: str, **attributes: Value) -> Markup:
    """A picture with a name for those who cannot see it."""
    label = cut(name, MAX_TEXT_CHARACTERS * 4)
    return element("svg", content, class_=class_, role="img", aria_label=label, **attributes)


def cut(text: str, most: int = MAX_TEXT_CHARACTERS) -> str:
    """A text that is no longer than ``most`` characters and can stand in XML."""
    shown = "".join(sign for sign in text[: most + 1] if sign.isprintable())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def measure(value: float) -> float:
    """What can be drawn of a value: 0 at least, and a number."""
    return value if isfinite(value) and value > 0 else 0.0


def share(value: float, of: float) -> float:
    """From 0 to 1."""
    return min(1.0, measure(value) / of) if measure(of) else 0.0


def number(value: float) -> str:
    """A coordinate, to a hundredth: ``12``, ``0.5``."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _text_of(value: Value) -> str:
    return value if isinstance(value, str) else number(value)
