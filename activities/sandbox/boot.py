"""Runs in a sandbox that was started before its job came: waits for the job, then becomes it.

A Python script is run in this interpreter, which has started by then, as ``python script.py`` would
run it. Any other command takes its place.

A script of its own: ``python -B -u -c SOURCE DESCRIPTOR``. From the descriptor comes a message of
``warm``. Nothing is imported that ``python script.py`` would not have imported by itself, and
nothing is left in the script's own ``__main__``.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # Not that of typing, which a script may not need.
    from types import CodeType
    from typing import NoReturn

_FRAMES_AROUND = 2
_INTERRUPTED = 130  # 128 and SIGINT, as a shell says it


def main(descriptor: int) -> None:
    told = bytearray()
    while piece := os.read(descriptor, 64 * 1024):
        told += piece
    os.close(descriptor)
    if not told:  # There is no job.
        os._exit(0)
    command, environment, cpu_seconds, words = sys.modules["marshal"].loads(told)
    os.environ.clear()
    os.environ.update(environment)
    del sys.path[0]  # The current folder; no module comes from there, nor from beside the script.
    folders = _folders(environment)
    if not words or _change_the_start(folders):
        _become(command)
    _bound(cpu_seconds)
    if (code := _compiled(words[0])) is None:
        _become(command)
    sys.orig_argv[:] = command[-len(words) - 3 :]  # behind the bounds: python -B -u script.py ...
    _show(sys.orig_argv)
    sys.argv[:] = words
    known = {*sys.path}
    beside = os.path.dirname(os.path.realpath(words[0]))
    sys.path[:0] = [beside, *(folder for folder in folders if folder not in known)]
    _run(words[0], code)


def _folders(environment: dict[str, str]) -> list[str]:
    """Those that Python would have searched before its own."""
    listed = environment.get("PYTHONPATH")
    return list(dict.fromkeys(map(os.path.abspath, listed.split(":")))) if listed else []


def _change_the_start(folders: list[str]) -> bool:
    """Whether Python would have started with a module from there."""
    begun = {*sys.modules, "sitecustomize", "usercustomize"}
    names = (name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder))
    return any(name.partition(".")[0] in begun for name in names)


def _compiled(path: str) -> "CodeType | None":
    """None where a Python of its own is to say what is wrong with the script."""
    try:
        with open(path, "rb") as file:
            return compile(file.read(), path, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, MemoryError, OverflowError, RecursionError):
        return None


def _become(command: list[str]) -> "NoReturn":
    signal = sys.modules["_signal"]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would it.
        signal.signal(number, signal.SIG_DFL)
    os.execv(command[0], command)


def _bound(cpu_seconds: int) -> None:
    searched = {*sys.path_importer_cache}
    import resource

    # At the first a process gets SIGXCPU, by which its end is known; at the second SIGKILL.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    del sys.modules["resource"]
    for folder in {*sys.path_importer_cache} - searched:
        del sys.path_importer_cache[folder]


def _show(command: list[str]) -> None:
    """Have others see this command line, as far as there is room, and not how all this began."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # proc(5): arg_start, arg_end
    line = os.fsencode("\0".join(command))[: end - start - 1]
    try:
        memory = os.open("/proc/self/mem", os.O_WRONLY)
        os.pwrite(memory, line.ljust(end - start, b"\0"), start)
        os.close(memory)
    except OSError:  # Not every kernel lets a process write there; it is for people who look.
        pass


def _run(path: str, code: "CodeType") -> None:
    main = type(sys)("__main__")
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)
    main.__dict__.update(
        __annotations__={},
        __builtins__=sys.modules["builtins"],
        __cached__=None,
        __file__=path,
        __loader__=loader,
    )
    sys.modules["__main__"] = main
    sys.path_importer_cache[path] = None  # Python has asked whether modules lie in it.
    # What looks one frame too far finds the name that Python has for the place where it began.
    begin = compile("exec(code, names)", "sys", "exec")
    try:
        exec(begin, {"code": code, "names": main.__dict__})
    except SystemExit:
        raise
    except BaseException as error:
        _tell(error)


def _tell(error: BaseException) -> None:
    """As Python tells of it at the end of a script, without the frames around that."""
    frames = error.__traceback__
    for _ in range(_FRAMES_AROUND):
        frames = frames and frames.tb_next
    error.__traceback__ = frames
    sys.excepthook(type(error), error, frames)
    sys.exit(_INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
