"""What the audit log tells of. A newer server may know more."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

ACTIONS: Final[Mapping[str, Sequence[str]]] = {
    "task": ("cancelled", "paused", "resumed", "retried", "deleted", "told"),
    "file": ("deleted",),
    "call": ("approved", "denied"),
    "tool": ("enabled", "disabled", "permission_set", "limited", "fallback_set"),
    "mcp_server": ("registered", "removed"),
    "dead_letter": ("requeued", "discarded"),
    "bulk": ("started", "aborted"),
    "breaker": ("opened", "closed"),
    "cache": ("cleared",),
    "schedule": ("created", "changed", "paused", "resumed", "ran", "deleted"),
    "webhook": ("created", "changed", "deleted", "switched_off", "secret_set", "resent"),
    "agent": (
        *("created", "changed", "paused", "resumed", "restarted", "interrupted", "terminated"),
        *("deleted", "noted", "note_deleted"),
    ),
    "message": ("withdrawn",),
    "reminder": ("created", "cancelled"),
    "agent_template": ("set", "deleted"),
    "group": ("created", "changed", "deleted", "members_added", "members_removed"),
    "key": ("created", "revoked"),
    "team": ("quota_set", "limited", "weighted", "retention_set"),
    "secret": ("set", "removed"),
}
"""The verbs of each noun; ``task.cancelled`` is an action."""


def hint_on(text: str) -> str | None:
    """What may have been meant by an action that is none; None if there is one of that name."""
    names = [f"{noun}.{verb}" for noun, verbs in ACTIONS.items() for verb in verbs]
    if text in ACTIONS or text in names:
        return None
    near = difflib.get_close_matches(text, [*ACTIONS, *names], n=1)
    if near:
        return f"No action is named {text!r}. Did you mean {near[0]}?"
    noun = text.partition(".")[0]
    if noun in ACTIONS:
        return f"No action is named {text!r}. Of {noun} there are: {', '.join(ACTIONS[noun])}."
    return f"No action is named {text!r}. They begin with: {', '.join(ACTIONS)}."
