"""A script run by an interpreter that waited for it is run as Python itself runs it."""

import marshal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from activities.sandbox.interpreter import PYTHON_FLAGS, sandbox_python
from activities.sandbox.warm import boot

PYTHON = str(sandbox_python())
OLDEST = (3, 11)
BASE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

SCRIPTS = {
    "its names, its search path and what is imported": """
import sys
print(sorted(globals()), __name__, __file__, __spec__, __doc__, __package__, __loader__.path)
print(sys.argv, sys.orig_argv, sys.path, sys.flags, sorted(sys.modules))
print(sorted(sys.path_importer_cache), len(sys.meta_path), len(sys.path_hooks))
""",
    "it is the main module": "import __main__; print(vars(__main__) is globals())",
    "a docstring": '"Draws a chart."\nprint(__doc__)',
    "a future statement": """
from __future__ import annotations
def f(x: y): ...
print(f.__annotations__)
""",
    "another encoding": b"# coding: latin-1\nprint('\xe9')",
    "an unknown encoding": "# coding: nosuch\n",
    "a syntax error": "print(1\nx = = 2",
    "a NUL": b"print(1)\0",
    "too deep for its parser": "-" * 100_000 + "1",
    "a warning about its source": "print(__name__ is 'x')",
    "an error": "def f():\n    1 / 0\nf()",
    "an error that another one caused": """
try:
    1 / 0
except ZeroDivisionError as error:
    raise ValueError("x") from error
""",
    "an error in a coroutine": "import asyncio\nasync def f():\n    1 / 0\nasyncio.run(f())",
    "a group of errors": "raise ExceptionGroup('all', [ValueError(1), KeyError(2)])",
    "an interrupt": "raise KeyboardInterrupt",
    "a hook for errors": "import sys\nsys.excepthook = lambda *told: print('hook', told[0])\n1 / 0",
    "a hook that is not there": "import sys\ndel sys.excepthook\n1 / 0",
    "a hook that raises": """
import sys
def hook(*told):
    raise KeyError("hook")
sys.excepthook = hook
1 / 0
""",
    "a hook that exits": "import sys\nsys.excepthook = lambda *told: sys.exit(5)\n1 / 0",
    "what is left of an error": """
import atexit, sys
names = "last_type", "last_value", "last_exc", "last_traceback"
atexit.register(lambda: print([str(getattr(sys, name, None))[:12] for name in names]))
atexit.register(lambda: print(sys.last_traceback.tb_lineno, sys.exc_info()))
1 / 0
""",
    "an error that comes from nowhere": "raise ValueError('x').with_traceback(None)",
    "an error that cannot be told": """
class Odd(Exception):
    def __str__(self):
        raise ValueError
raise Odd
""",
    "an error when nothing can be told": "import sys\nsys.stderr = None\n1 / 0",
    "a hook that raises when nothing can be told": """
import sys
sys.excepthook = lambda *told: 1 / 0
sys.stderr = None
1 / 0
""",
    "what lives to the end": """
class A:
    def __del__(self):
        print("gone", __name__)
a = A()
def f():
    b = A()
    1 / 0
f()
""",
    "annotations": "x: int = 1\nprint(__annotations__, '__annotations__' in globals())",
    "lines that are kept": "import linecache; print(sorted(linecache.cache))",
    "it is no longer the main module": "import sys\ndel sys.modules['__main__']\n1 / 0",
    "an exit": "import sys; sys.exit()",
    "an exit with a code": "raise SystemExit(3)",
    "an exit with words": "raise SystemExit('no such column')",
    "an exit at once": "import os; os._exit(7)",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "a call at exit": "import atexit; atexit.register(print, 'bye'); 1 / 0",
    "a thread that outlasts the script": """
import threading, time
threading.Thread(target=lambda: (time.sleep(0.1), print("done"))).start()
""",
    "processes of every kind": """
import multiprocessing
def double(number):
    return 2 * number
if __name__ == "__main__":
    for kind in ("fork", "spawn"):
        with multiprocessing.get_context(kind).Pool(2) as pool:
            print(pool.map(double, [1, 2]))
""",
    "a class that is pickled": """
import pickle
class A: ...
print(pickle.loads(pickle.dumps(A())).__class__)
""",
    "its own source": "import inspect\ndef f(): ...\nprint(inspect.getsource(f))",
    "a warning": "import warnings; warnings.warn('old')",
    "a warning that looks too far": "import warnings; warnings.warn('old', stacklevel=2)",
    "a warning that looks much too far": "import warnings; warnings.warn('old', stacklevel=3)",
    "a broken pipe of a program of its own": """
import subprocess
print(subprocess.run("yes | head -1; echo ${PIPESTATUS[0]}", shell=True, executable="/bin/bash"))
""",
    "what it finds open": "import os; print(sorted(os.listdir('/proc/self/fd')))",
    "what others see of it": """
print(open("/proc/self/cmdline").read().rstrip("\\0"), open("/proc/self/comm").read())
""",
    "its environment": "import os; print(sorted(os.environ.items()))",
}


@dataclass(frozen=True)
class Run:
    code: int
    printed: bytes
    complained: bytes


def cold(command: Sequence[str], environment: Mapping[str, str] = BASE) -> Run:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    # bwrap says of a signal what a shell does.
    code = 128 - done.returncode if done.returncode < 0 else done.returncode
    return Run(code, done.stdout, done.stderr)


def warm(
    command: Sequence[str], environment: Mapping[str, str] = BASE, *, python: str = PYTHON
) -> Run:
    flags = 1 + len(PYTHON_FLAGS)
    words = list(command[flags:]) if tuple(command[1:flags]) == PYTHON_FLAGS else []
    bounded = ["/usr/bin/prlimit", "--core=0", "--", *command]
    line, end = socket.socketpair()
    with line, end, _waiting(python, end.fileno()) as process:
        end.close()
        line.sendall(marshal.dumps((bounded, dict(environment), 60, words), 2))
        line.shutdown(socket.SHUT_WR)
        printed, complained = process.communicate()
        assert len(line.recv(2)) == 1
    code = process.returncode
    return Run(128 - code if code < 0 else code, printed, complained)


def _waiting(python: str, descriptor: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [python, *PYTHON_FLAGS, "-c", boot(descriptor)],
        env=BASE,
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _pythons() -> Iterator[str]:
    """That of the sandbox, and one of each other version that is installed."""
    yield PYTHON
    versions = {_version_of(PYTHON)}
    places = [Path("/usr/bin"), *(Path.home() / ".pyenv/versions").glob("3.*/bin")]
    places += (Path.home() / ".local/share/uv/python").glob("cpython-3.*/bin")
    for python in (str(place / "python3") for place in places):
        version = _version_of(python)
        if version >= OLDEST and version not in versions:
            versions.add(version)
            yield python


def _version_of(python: str) -> tuple[int, ...]:
    """None of a Python that does not start."""
    told = "import sys; print(*sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", told], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(map(int, done.stdout.split()))


PYTHONS = {"{}.{}".format(*_version_of(python)): python for python in _pythons()}


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
@pytest.mark.parametrize("source", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_run_as_python_runs_it(
    tmp_path: Path, source: str | bytes, python: str
) -> None:
    script = tmp_path / "script.py"
    script.write_bytes(source if isinstance(source, bytes) else source.encode())
    command = (python, *PYTHON_FLAGS, str(script), "a", "b c")
    expected = cold(command)
    told = expected.complained
    if "stacklevel=2" in str(source):  # No line of a program has the number of Python 3.13.
        told = told.replace(b"<sys>:0:", b"<sys>:1:")
    assert warm(command, python=python) == replace(expected, complained=told)


ABOVE = {
    "import inspect; print(*(frame.filename for frame in inspect.stack()[1:]))": "{}\n",
    "import traceback; traceback.print_stack()": '  File "{}", line 1, in <module>\n',
    "import faulthandler; faulthandler.dump_traceback()": '  File "{}", line 1 in <module>\n',
    "import sys; print(sys._getframe(1).f_back)": "None\n",
}


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
@pytest.mark.parametrize("source", ABOVE)
def test_one_frame_is_above_a_script(tmp_path: Path, source: str, python: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(source)
    seen = warm((python, *PYTHON_FLAGS, str(script)), python=python)
    expected = ABOVE[source].format("sys" if _version_of(python) < (3, 13) else "<sys>")
    lines = (seen.printed + seen.complained).decode().splitlines(keepends=True)
    own = [line for line in lines if str(script) not in line and source not in line]
    assert [line for line in own if "most recent call first" not in line] == [expected]


def test_it_goes_almost_as_deep_as_python_itself(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
def f(depth):
    try:
        return f(depth + 1)
    except RecursionError:
        return depth
print(f(1))
""")
    command = (PYTHON, *PYTHON_FLAGS, str(script))
    assert int(cold(command).printed) - int(warm(command).printed) in (1, 2)


def test_others_see_as_much_of_a_long_command_line_as_there_is_room_for(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os; print(open('/proc/self/cmdline').read(), os.environ['PATH'])")
    command = (PYTHON, *PYTHON_FLAGS, str(script), "x" * 20_000)
    ended = warm(command)
    assert ended.code == 0
    seen, path = ended.printed.decode().split(" ")
    assert "\0".join(command).startswith(seen.rstrip("\0"))
    assert len(seen) > len(boot(3))
    assert path == BASE["PATH"] + "\n"


@pytest.mark.parametrize(
    "listed",
    ["{0}", "{0}:{1}", "{0}::{0}", ":{1}", "{1}/", "nosuch", ""],
)
def test_modules_are_found_where_python_finds_them(tmp_path: Path, listed: str) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        (folder / "mine.py").write_text(f"print({number})")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; print(sys.path)\ntry:\n  import mine\nexcept ImportError: print(0)"
    )
    command = (PYTHON, *PYTHON_FLAGS, str(script))
    environment = {**BASE, "PYTHONPATH": listed.format(*folders)}
    assert warm(command, environment) == cold(command, environment)


@pytest.mark.parametrize("name", ["sitecustomize.py", "usercustomize.py", "codecs.py"])
def test_modules_that_python_would_have_started_with_are_started_with(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("import sys; sys.began = __name__")
    script = tmp_path / "script.py"
    script.write_text("import sys; print(getattr(sys, 'began', 'as always'))")
    command = (PYTHON, *PYTHON_FLAGS, str(script))
    environment = {**BASE, "PYTHONPATH": str(tmp_path / "mine")}
    assert warm(command, environment) == cold(command, environment)


@pytest.mark.parametrize(
    "words",
    [
        ("/bin/sh", "-c", "yes | head -1; echo $0 $1; exit 3", "a", "b"),
        ("/bin/nosuch",),
        ("/etc/passwd",),
        ("sh", "-c", "echo found"),
        (PYTHON, "-c", "import sys; print(sys.argv)", "a"),
    ],
    ids=" ".join,
)
def test_any_other_command_takes_its_place(words: tuple[str, ...]) -> None:
    assert warm(words) == cold(["/usr/bin/prlimit", "--core=0", "--", *words])


def test_without_a_job_it_ends() -> None:
    line, end = socket.socketpair()
    with line, end, _waiting(PYTHON, end.fileno()) as process:
        end.close()
        line.shutdown(socket.SHUT_WR)
        assert process.communicate() == (b"", b"")
        assert line.recv(1) == b""
    assert process.returncode == 0


@pytest.mark.parametrize(
    "message",
    [
        b"nonsense",
        marshal.dumps((["true"], {}, 60, []), 2)[:-1],
        marshal.dumps((["true"], {"a=b": "c"}, 60, []), 2),
        marshal.dumps((["true"], {}, "soon", ["script.py"]), 2),
    ],
    ids=["no message", "half a message", "a bad variable", "a bad bound"],
)
def test_what_goes_wrong_before_a_job_begins_is_not_told_to_the_job(message: bytes) -> None:
    line, end = socket.socketpair()
    with line, end, _waiting(PYTHON, end.fileno()) as process:
        end.close()
        line.sendall(message)
        line.shutdown(socket.SHUT_WR)
        assert process.communicate() == (b"", b"")
        assert line.recv(1) == b""
    assert process.returncode == 1
