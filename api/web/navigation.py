"""Where one can go from every page."""

from dataclasses import dataclass

# What is reached through one place in the navigation.
_TOGETHER = {"/agents": ("/agents", "/groups")}


@dataclass(frozen=True, slots=True)
class Place:
    """``key`` is what one types after ``g``."""

    path: str
    name: str
    key: str
    counts_waiting: bool = False

    def holds(self, path: str) -> bool:
        """Whether a page is below it."""
        if self.path == "/":
            return path == "/" or path.startswith("/tasks")
        roots = _TOGETHER.get(self.path, (self.path,))
        return any(path == root or path.startswith(f"{root}/") for root in roots)


NAVIGATION = (
    Place("/", "Tasks", "t"),
    Place("/waiting", "Waiting for you", "w", counts_waiting=True),
    Place("/dead-letters", "Dead letters", "d"),
    Place("/agents", "Agents", "a"),
    Place("/schedules", "Schedules", "c"),
    Place("/webhooks", "Webhooks", "h"),
    Place("/tools", "Tools", "o"),
    Place("/skills", "Skills", "k"),
    Place("/usage", "Usage", "u"),
    Place("/audit", "Audit", "l"),
    Place("/settings", "Settings", "s"),
)
