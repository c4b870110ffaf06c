"""To whom secrets of the environment may be given."""

import re
from dataclasses import dataclass
from typing import Self

from activities.tools.mcp.targets import Target
from workflows.errors import BadInput

DEFAULT_TEAM_NAME = "default"
_GRANT = re.compile(r"(?:(?P<team>[^=]+)/)?(?P<name>[A-Z][A-Z0-9_]{0,99})=(?P<target>.+)")


@dataclass(frozen=True, slots=True)
class Grant:
    """That a team may give a secret of the environment to a target."""

    team: str
    name: str
    target: Target

    @classmethod
    def parse(cls, text: str) -> Self:
        """``NAME=TARGET``, or ``TEAM/NAME=TARGET``. Raises ``BadInput``."""
        match = _GRANT.fullmatch(text.strip())
        if match is None:
            raise BadInput(
                reason=f"{text[:100]!r} does not say where a secret may go: write "
                "NAME=https://host, or TEAM/NAME=COMMAND"
            )
        team = match["team"] or DEFAULT_TEAM_NAME
        return cls(team.strip(), match["name"], Target.parse(match["target"]))
