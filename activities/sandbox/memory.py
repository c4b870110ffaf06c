"""What processes hold together, with memory that several of them share counted once.

The kernel tells a process's share: each page divided by the number of its holders. Shares are read
one after the other, and around an exit they add up to more than there is (those left hold more),
around a fork to less. So no single sum kills a job, and no job escapes by forking all the time: one
that never stands still while it is looked at is stopped for a moment, and counted then.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence

from activities.sandbox.stopping import standing_still
from activities.sandbox.tree import Identity, Member, read_file

# Enough that processes which share memory and end one by one are not taken for more, and few
# enough to bound what the watchdog spends on a job that never stands still.
_LOOKS = 4
# Longer than a child that borrows its parent's memory (vfork) takes to its exec.
_PAUSE_SECONDS = 0.005


def held_bytes(list_members: Callable[[], list[Member]], allowed_bytes: int) -> int:
    """The memory that processes hold together; over ``allowed_bytes`` only when they surely do.

    ``list_members`` lists them afresh. Blocks for up to 0.1 s, and as long as the kernel takes to
    count: milliseconds for a large process.
    """
    looks: list[dict[Identity, int]] = []
    for number in range(_LOOKS):
        if number:
            time.sleep(_PAUSE_SECONDS)
        members = list_members()
        resident = sum(member.resident_bytes for member in members)
        if resident <= allowed_bytes:
            return resident
        # The youngest first: a child may end before it is read, and leaves its share to others.
        look = {member.identity: _share_bytes(member) for member in reversed(members)}
        after = {member.identity: member for member in list_members()}
        settled = look.keys() == after.keys()
        # Those born meanwhile took a part of the shares that were read.
        look |= {born: _share_bytes(after[born]) for born in after.keys() - look.keys()}
        total = sum(look.values())
        if settled and total <= allowed_bytes:
            return total
        looks.append(look)
    proven = agreed_bytes(looks)
    return proven if proven > allowed_bytes else _held_standing_still(list_members)


def _held_standing_still(list_members: Callable[[], list[Member]]) -> int:
    """Where processes come and go faster than they are read, as on a busy machine, looks prove
    little: each finds some of the shares gone with a child that has just ended."""
    with standing_still(list_members) as members:
        return sum(_share_bytes(member) for member in members)


def agreed_bytes(looks: Sequence[Mapping[Identity, int]]) -> int:
    """The most that several looks at the shares of processes prove.

    A process that lasted has a larger share the fewer short-lived ones shared with it, and never
    more than if those that lasted were alone: their largest shares add up to no more than there
    was. Memory that is handed from one short-lived process to the next shows in every look's sum.
    """
    lasting = set(looks[0]).intersection(*looks)
    held = sum(max(look[identity] for look in looks) for identity in lasting)
    return max(held, min(sum(look.values()) for look in looks))


def _share_bytes(member: Member) -> int:
    """A process's share of what it holds; nothing once it has ended.

    Where it may not be read (a container's root without CAP_SYS_PTRACE), what the process has
    resident stands in for it.
    """
    try:
        rollup = read_file(f"{member.folder}/smaps_rollup")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    except OSError:
        return member.resident_bytes
    shares = re.findall(rb"^(?:Swap)?Pss: +(\d+)", rollup, re.MULTILINE)
    return 1024 * sum(map(int, shares))
