"""The fence: a run that has ended, or was followed by another, changes nothing any more.

Statements are composed of such fragments of text, when they are imported. No function of PostgreSQL
could take their place: what it wrote the rest of the statement would not see, and a row may not be
updated twice in one statement.
"""

from workflows.states import FINAL

FINAL_STATES = ", ".join(f"'{status}'" for status in sorted(FINAL))
IS_LIVING = f"tasks.status NOT IN ({FINAL_STATES})"

# Takes ``:task_id`` and ``:run``.
IS_PRESENT_RUN = f"tasks.id = :task_id AND tasks.run = :run AND {IS_LIVING}"

# Takes ``:execution`` as well: a reset of the workflow makes what went before it void.
IS_EXECUTION = "(CAST(:execution AS text) IS NULL OR tasks.executions ->> -1 = :execution)"
IS_PRESENT = f"{IS_PRESENT_RUN} AND {IS_EXECUTION}"
