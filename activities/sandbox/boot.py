"""Runs in a sandbox that was started before its job came: waits for the job, then becomes it.

A Python script is run in this interpreter, which has started by then, as ``python script.py`` would
run it. Any other command takes its place.

Comes with ``python -B -u -c``, within the lines of ``warm.boot``, which run the script. From the
descriptor comes a message of ``warm``, and a byte goes back when the script begins. Nothing is
imported that ``python script.py`` would not have imported by itself, and nothing is left in the
script's own ``__main__``.

A script can tell all the same. It has one frame above its own, named and numbered as Python names
a place above all frames (from 3.13 on it would be line 0, and is line 1). ``/proc/self/environ``
shows the variables with which the sandbox began to wait.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # Not that of typing, which a script may not need.
    from types import CodeType
    from typing import Any, NoReturn

_INTERRUPTED = 130  # 128 and SIGINT, as a shell says it
_BEGUN = b"\1"


def begin(descriptor: int) -> "tuple[CodeType, dict[str, Any]]":
    """What is to be run when the job is there, and its names."""
    _look_like_none(sys._getframe(1).f_code)
    try:
        command, prepared = _prepare(_told(descriptor))
        _tell_begun(descriptor)
    except BaseException:  # The job gets another sandbox, and must not hear of this one.
        os._exit(1)
    if prepared is None:
        os.execv(command[0], command)
    return prepared


def _told(descriptor: int) -> bytearray:
    told = bytearray()
    while piece := os.read(descriptor, 64 * 1024):
        told += piece
    if not told:  # There is no job.
        os._exit(0)
    return told


def _prepare(told: bytearray) -> "tuple[list[str], tuple[CodeType, dict[str, Any]] | None]":
    """The job's command, and what is to be run and its names where that is a script for us."""
    command, environment, cpu_seconds, words = sys.modules["marshal"].loads(told)
    os.environ.clear()
    os.environ.update(environment)
    del sys.path[0]  # The current folder; no module comes from there, nor from beside the script.
    folders = _folders(environment)
    if not words or _change_the_start(folders):
        return _to_become(command), None
    _bound(cpu_seconds)
    if (code := _compiled(words[0])) is None:
        return _to_become(command), None
    sys.orig_argv[:] = command[-len(words) - 3 :]  # behind the bounds: python -B -u script.py ...
    _show(sys.orig_argv)
    sys.argv[:] = words
    known = {*sys.path}
    beside = os.path.dirname(os.path.realpath(words[0]))
    sys.path[:0] = [beside, *(folder for folder in folders if folder not in known)]
    return command, (code, _main_of(words[0]))


def end(error: BaseException) -> "NoReturn":
    """Tell of it as Python does at the end of a script, without the frame above that."""
    frames = error.__traceback__ and error.__traceback__.tb_next
    error.__traceback__ = frames
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, frames
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    if hasattr(sys, "excepthook"):
        _ask_hook(error)
    else:
        _complain("sys.excepthook is missing\n")
        sys.__excepthook__(type(error), error, frames)
    sys.exit(_INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1)


def _ask_hook(error: BaseException) -> None:
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as another:
        frames = another.__traceback__ and another.__traceback__.tb_next
        another.__traceback__ = frames
        _complain("Error in sys.excepthook:\n")
        sys.__excepthook__(type(another), another, frames)
        _complain("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, error.__traceback__)


def _complain(words: str) -> None:
    try:
        sys.stderr.write(words)
    except (AttributeError, OSError, ValueError):  # There is none any more.
        os.write(2, words.encode())


def _look_like_none(above: "CodeType") -> None:
    """Name the code above a script as Python names a place above all frames."""
    place = "sys" if sys.version_info < (3, 13) else "<sys>"
    sys.modules["_imp"]._fix_co_filename(above, place)
    if next(reversed(sys.modules)) == "linecache":  # From 3.13 on it comes with -c.
        del sys.modules["linecache"]
        sys.path_importer_cache.pop(os.getcwd(), None)


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


def _to_become(command: list[str]) -> list[str]:
    signal = sys.modules["_signal"]
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and so would it.
        signal.signal(number, signal.SIG_DFL)
    return command


def _tell_begun(descriptor: int) -> None:
    os.write(descriptor, _BEGUN)
    os.close(descriptor)


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
        try:
            os.pwrite(memory, line.ljust(end - start, b"\0"), start)
        finally:
            os.close(memory)
    except OSError:  # Not every kernel lets a process write there; it is for people who look.
        pass


def _main_of(path: str) -> "dict[str, Any]":
    main = type(sys)("__main__")
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("__main__", path)
    names = main.__dict__
    names.update(
        __builtins__=sys.modules["builtins"],
        __cached__=None,
        __file__=path,
        __loader__=loader,
    )
    if "__annotations__" in globals():  # From 3.14 on they are worked out when they are read.
        names["__annotations__"] = {}
    sys.modules["__main__"] = main
    sys.path_importer_cache[path] = None  # Python has asked whether modules lie in it.
    return names
