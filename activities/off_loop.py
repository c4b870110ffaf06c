"""Work that keeps a processor busy, beside the event loop: one piece at a time, in turn."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")

# One thread: each that computes makes the loop wait its turn for the interpreter, some 5 ms. And
# only what is made of many short steps may be done here. A single long call into a library, such
# as to parse a million values, keeps the interpreter all the same: bound what it is given first.
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="off-loop")


async def off_loop(work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """What ``work`` returns or raises; the loop serves others meanwhile."""
    future = _THREAD.submit(work, *args, **kwargs)
    return await asyncio.wrap_future(future)
