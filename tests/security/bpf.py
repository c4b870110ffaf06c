"""A classic BPF machine, as much of it as a seccomp filter uses (see seccomp(2) and bpf(4))."""

import struct

_ALLOW = 0x7FFF0000
_FAIL = 0x00050000
_KILL = 0x80000000


def decide(
    program: bytes, *, architecture: int, number: int, arguments: tuple[int, ...] = ()
) -> int | str:
    """What the filter does with a system call: "allow", "kill", or the errno that it gives."""
    padded = (*arguments, *(0 for _ in range(6 - len(arguments))))
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    code = list(struct.iter_unpack("<HBBI", program))
    accumulator = position = 0
    while True:
        opcode, if_true, if_false, value = code[position]
        position += 1
        if opcode == 0x06:
            return _verdict(value)
        if opcode == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
        else:
            test = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[opcode]
            position += if_true if test else if_false


def _verdict(value: int) -> int | str:
    if value == _ALLOW:
        return "allow"
    if value == _KILL:
        return "kill"
    assert value & 0xFFFF0000 == _FAIL
    return value & 0xFFFF
