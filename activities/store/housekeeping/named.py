"""Who names a file or an artifact as an input: tasks, what schedules will make, and messages that
wait for an agent.

The conditions are those of the indexes ``tasks_by_input``, ``schedules_by_input`` and
``inbox_by_attachment``.
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


def by_message(message: str, ref: str) -> str:
    """Whether the row ``message`` of ``inbox`` names ``ref``, and no agent has read it."""
    return (
        f"jsonb_path_query_array({message}.attachments, '$.*') ? ({ref})"
        f" AND {message}.read_at IS NULL AND {message}.attachments IS NOT NULL"
    )


def is_unnamed(ref: str) -> str:
    """Whether no task, no schedule and no unread message names ``ref``."""
    return f"""
        NOT EXISTS (SELECT FROM tasks WHERE {by_task("tasks", ref)})
        AND NOT EXISTS (SELECT FROM schedules WHERE {by_schedule("schedules", ref)})
        AND NOT EXISTS (SELECT FROM inbox WHERE {by_message("inbox", ref)})"""
