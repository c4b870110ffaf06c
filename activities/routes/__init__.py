"""The choice of what a task of type ``auto`` is, and what it makes of the task."""
