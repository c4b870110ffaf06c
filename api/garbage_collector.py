"""The garbage collector of a process that first loads much, and then runs for long."""

import gc

# How many more objects may be made than freed before it looks; Python's own number is 700.
_NEW_OBJECTS = 10_000


def pause() -> None:
    """Until ``resume``: what is being loaded stays, and to look for garbage in it takes a fifth of
    the time that loading takes."""
    gc.disable()


def resume() -> None:
    """Let it look seldom, and never at what is there by now.

    That is a quarter of a million objects, mostly of libraries, which stay as long as the process.
    To look through them again stops everything for 0.1 to 0.2 s each time, heartbeats and streams
    too. Of what comes after, nearly all is freed without its help.
    """
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
    gc.enable()
