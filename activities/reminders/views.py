"""Reminders as agents read them."""

from datetime import timedelta

from activities.store.reading.reminders import StoredReminder
from workflows.definitions.durations import duration_text

_TEXT_CHARACTERS = 200


def told(reminder: StoredReminder) -> str:
    """A line: its id, when it comes, and what it says."""
    words = [f"{str(reminder.id)[:8]}: {reminder.next_at.isoformat(timespec='seconds')}"]
    if reminder.every_seconds is not None:
        words.append(f"then every {duration_text(timedelta(seconds=reminder.every_seconds))}")
    if reminder.until_at is not None:
        words.append(f"until {reminder.until_at.isoformat(timespec='seconds')}")
    text = " ".join(reminder.content.split())[:_TEXT_CHARACTERS]
    return f"{', '.join(words)}: {text}"
