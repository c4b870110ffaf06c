"""The text of a skill's ``SKILL.md`` below its head, whose fields are shown by themselves."""

_FENCE = "---"


def body_of(text: str) -> str:
    """Without the head between two lines of dashes, if there is one."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return text
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    return text if end is None else "\n".join(lines[end + 1 :])
