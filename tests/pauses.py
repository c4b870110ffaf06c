"""How often a test looks for what it waits for."""


def pause_after(waited: float) -> float:
    """Seconds until the next look, after waiting for so many.

    A look takes a part of a processor from what is waited for. What was soon there is seen at once,
    and what takes long a tenth later at most.
    """
    return min(max(waited / 10, 0.02), 0.1)
