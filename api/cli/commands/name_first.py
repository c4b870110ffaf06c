"""Groups of commands with a name, and options behind it: ``create NAME --cron ... pipeline``."""

from collections.abc import Sequence
from typing import Any

from api.cli.plain_help import PlainGroup


class NameFirst(PlainGroup):
    """By itself a group takes no option behind its argument, as the command may have the same."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._options_first(args))

    def _options_first(self, args: Sequence[str]) -> list[str]:
        if not args or args[0].startswith("-"):
            return [*args]
        name, *rest = args
        end = 0
        while end < len(rest) and rest[end].startswith("-"):
            end += 1 if self._stands_alone(rest[end]) else 2
        return [*rest[:end], name, *rest[end:]]

    def _stands_alone(self, text: str) -> bool:
        """Whether no value follows."""
        flags = [each for each in self.params if getattr(each, "is_flag", False)]
        names = {name for flag in flags for name in flag.opts}
        return "=" in text or text in {*names, "--help", "-h"}
