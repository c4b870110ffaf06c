"""Text for the pages of Temporal, which show Markdown. What is not ours stands in code: nothing in
it makes a link, loads a picture, or changes what comes after it."""

from collections.abc import Sequence

_LONGEST_CODE = 200


def code(text: str) -> str:
    """A name within a line."""
    words = " ".join(text.replace("`", "'").split())
    return f"`{words[:_LONGEST_CODE]}`" if words else "``"


def codes(texts: Sequence[str], most: int = 10) -> str:
    """Some names, and how many more there are."""
    shown = ", ".join(map(code, texts[:most]))
    left = len(texts) - most
    return f"{shown} and {left} more" if left > 0 else shown


def block(text: str, most: int) -> str:
    """The beginning of a text, as it is. The fence is longer than any in it."""
    cut = text if len(text) <= most else f"{text[:most]}…"
    fence = "`" * max(3, 1 + max(map(len, _runs(cut)), default=0))
    return f"{fence}text\n{cut}\n{fence}"


def _runs(text: str) -> Sequence[str]:
    """The stretches of backticks: a longer one ends the fence."""
    kept = "".join(each if each == "`" else " " for each in text)
    return kept.split()
