"""What becomes of a command when nobody reads its output any more, as behind ``head``.

Of stdout whoever reads has seen enough, and the command ends. Of stderr that says nothing: what the
command was asked for is done all the same.
"""

import os
from typing import TextIO


class BrokenOff(BrokenPipeError):
    """Stdout closed while a command was changing things: some of them may not have been done."""


def print_nothing_more(stream: TextIO) -> None:
    """What is still buffered would end the program badly when it is written at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
