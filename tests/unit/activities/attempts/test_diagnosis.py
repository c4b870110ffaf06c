"""Why a script failed, from what it printed: said in a line, and kept out of workflow history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.attempts.diagnosis import LINE_MAX_CHARACTERS, failure_of, last_line
from activities.attempts.scripts import Script
from activities.skills.dependencies import Dependencies
from workflows.errors.scripts import ModuleMissing, NetworkMissing, ScriptFailed

TRACEBACK = b"""\
working
Traceback (most recent call last):
  File "/skills/tidy/scripts/a.py", line 3, in <module>
    import yaml
%s
"""


def skill_script(*, network: bool = False) -> Script:
    needed = Dependencies("tidy", "scripts/a.py")
    return Script({}, (), network=network, skill="tidy", dependencies=needed)


def code(skill: str | None = None) -> Script:
    return Script({}, (), skill=skill, is_code=True)


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        (TRACEBACK % b"ValueError: no rows", "ValueError: no rows"),
        (TRACEBACK % b"ValueError: no rows\nin 2 files\n  at all", "ValueError: no rows"),
        (TRACEBACK % b"my.Oops", "my.Oops"),
        (
            TRACEBACK % b"KeyError: 'a'\n\nDuring handling of the above exception, another "
            b"exception occurred:\n\nTraceback (most recent call last):\n  File x\nOSError: full",
            "OSError: full",
        ),
        (
            b"/skills/a.js:1\nthrow new Error('no')\n\nError: no rows\n    at Object.<anonymous>\n"
            b"\nNode.js v22.1.0\n",
            "Error: no rows",
        ),
        (
            b"usage: a.py [-h]\na.py: error: no such option: --x\n",
            "a.py: error: no such option: --x",
        ),
        (b"./a.sh: line 3: jq: command not found\n\n", "./a.sh: line 3: jq: command not found"),
        (b"Caf\xe9 \x1b[31mred\x1b[0m\tend \xe2\x80\xae", "Caf\ufffd [31mred [0m end"),
        (b"", None),
        (b" \n\t\n", None),
    ],
)
def test_the_line_that_says_why_is_found(printed: bytes, line: str | None) -> None:
    error = failure_of("s", 1, skill_script(), stderr=printed)
    assert error.said == (line or "")


def test_what_a_script_printed_is_in_the_account_but_not_in_the_message() -> None:
    error = failure_of("s", 3, skill_script(), stderr=TRACEBACK % b"ValueError: row 7 of Ann")
    assert "exit code 3" in str(error)
    assert "Ann" not in str(error)
    assert "Ann" not in repr(error.args)
    assert error.account.endswith("It ended with: ValueError: row 7 of Ann")


def test_a_script_that_complains_on_stdout_is_heard_too() -> None:
    error = failure_of("s", 1, skill_script(), stdout=b"starting\nNo such file: a.csv\n")
    assert error.said == "No such file: a.csv"


@pytest.mark.parametrize(
    "secret", ["https://ann:hunter2@example.com", "Bearer abcdef123456", "token=abcdef123456"]
)
def test_what_looks_like_a_credential_is_not_repeated(secret: str) -> None:
    error = failure_of("s", 1, skill_script(), stderr=TRACEBACK % f"E: at {secret}".encode())
    assert secret not in str(error.said)
    assert "***" in str(error.said)


def test_a_long_line_is_cut() -> None:
    error = failure_of("s", 1, skill_script(), stderr=b"x" * 100_000)
    assert len(str(error.said)) == LINE_MAX_CHARACTERS


@given(st.text())
def test_any_output_gives_one_printable_line_or_none(text: str) -> None:
    line = last_line(text)
    assert line is None or (line.isprintable() and line.strip())


def test_a_module_that_is_missing_is_named_with_what_to_write() -> None:
    printed = TRACEBACK % b"ModuleNotFoundError: No module named 'yaml.cyaml'"
    error = failure_of("s", 1, skill_script(), stderr=printed)
    assert isinstance(error, ModuleMissing)
    assert "yaml" not in str(error)
    assert '# dependencies = ["pyyaml"]' in error.account


def test_a_module_that_left_python_is_not_to_be_declared() -> None:
    printed = TRACEBACK % b"ModuleNotFoundError: No module named 'distutils'"
    assert type(failure_of("s", 1, skill_script(), stderr=printed)) is ScriptFailed


@pytest.mark.parametrize(
    ("script", "remedy"),
    [
        (code(), "What to do: begin the source with the lines `# /// script`, `# dep"),
        (
            Script({}, (), skill="tidy", is_code=True, dependencies=Dependencies("tidy", "code")),
            "or declare pyyaml in the requirements.txt of skill tidy",
        ),
    ],
)
def test_code_that_misses_a_module_is_told_what_it_has(script: Script, remedy: str) -> None:
    printed = TRACEBACK % b"ModuleNotFoundError: No module named 'yaml'"
    account = failure_of("s", 1, script, stderr=printed).account
    assert remedy in account
    assert account.count("'yaml'") == 1  # Said once, and in the words of Python.
    assert "ModuleNotFoundError: No module named 'yaml'. What to do: " in account
    assert account.startswith("Step s: the script failed with exit code 1. ")
    assert "declared" not in account


def test_a_package_of_npm_is_said_not_to_be_installed() -> None:
    printed = b"Error: Cannot find module 'left-pad'\nRequire stack:\n- /skills/tidy/a.js\n"
    error = failure_of("s", 1, skill_script(), stderr=printed)
    assert "'left-pad'. Packages of npm are not installed" in error.account


NO_NETWORK = [
    b"socket.gaierror: [Errno -3] Temporary failure in name resolution",
    b"OSError: [Errno 101] Network is unreachable",
    b"curl: (6) Could not resolve host: example.com",
    b"wget: unable to resolve host address 'example.com'",
    b"Error: getaddrinfo EAI_AGAIN example.com",
    b"Error: connect ENETUNREACH 93.184.216.34:443",
    b"requests.exceptions.ConnectionError: (... Failed to resolve 'example.com' ...)",
]


@pytest.mark.parametrize("printed", NO_NETWORK)
def test_without_network_the_setting_is_named(printed: bytes) -> None:
    for streams in ({"stderr": printed}, {"stdout": printed, "stderr": b"failed"}):
        error = failure_of("s", 1, skill_script(), **streams)
        assert isinstance(error, NetworkMissing)
        assert "add tidy to AGENTOS_NETWORKED_SKILLS" in str(error)


@pytest.mark.parametrize("printed", NO_NETWORK)
def test_code_is_told_that_it_never_has_the_network(printed: bytes) -> None:
    error = failure_of("s", 1, code("tidy"), stderr=printed)
    assert isinstance(error, NetworkMissing)
    assert "Code of your own never has it" in str(error)


@pytest.mark.parametrize("printed", NO_NETWORK)
def test_a_script_that_has_the_network_is_not_told_that_it_has_none(printed: bytes) -> None:
    assert type(failure_of("s", 1, skill_script(network=True), stderr=printed)) is ScriptFailed


@pytest.mark.parametrize(
    ("module", "versions"), [("imp", "<3.12"), ("distutils", "<3.12"), ("cgi", "<3.13")]
)
def test_a_module_that_has_left_python_is_said_to_have(module: str, versions: str) -> None:
    printed = TRACEBACK % f"ModuleNotFoundError: No module named '{module}'".encode()
    error = failure_of("a", 1, skill_script(), stderr=printed)
    assert type(error) is ScriptFailed
    assert f'requires-python = "{versions}"' in error.said
