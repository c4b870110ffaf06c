"""Who names a file or an artifact as an input: tasks, and what schedules will make.

The conditions are those of the indexes ``tasks_by_input`` and ``schedules_by_input``.
"""


def by_task(task: str, ref: str) -> str:
    """Whether the row ``task`` of ``tasks`` names ``ref``, such as ``'file:' || files.id``."""
    return f"jsonb_path_query_array({task}.inputs, '$.*') ? ({ref}) AND {task}.inputs <> '{{}}'"


def by_schedule(schedule: str, ref: str) -> str:
    """Whether the row ``schedule`` of ``schedules`` names ``ref``, and nobody has deleted it."""
    return (
        f"jsonb_path_query_array({schedule}.task, '$.inputs.*') ? ({ref})"
        f" AND {schedule}.deleted_at IS NULL"
    )


def is_unnamed(ref: str) -> str:
    """Whether no task and no schedule names ``ref``."""
    return f"""
        NOT EXISTS (SELECT FROM tasks WHERE {by_task("tasks", ref)})
        AND NOT EXISTS (SELECT FROM schedules WHERE {by_schedule("schedules", ref)})"""
