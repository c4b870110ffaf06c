"""Tools of the house: found in folders and packages, or refused with the line to mend."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from activities.tools.own.loading import MAX_MODULES, modules
from activities.tools.registry import Registry
from workflows.errors.tools import ToolDefinitionInvalid, ToolModuleBroken, ToolNameTaken
from workflows.states import Permission

HEAD = "from activities.tools.registry import tool\n"
GREET = HEAD + '@tool()\ndef greet(name: str) -> str:\n    """Greets."""\n    return name\n'


def registry_of(folder: Path, **files: str) -> Registry:
    """The tools of a folder with these modules."""
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source)
    return Registry(modules([folder]))


def test_a_function_of_a_folder_is_a_tool_with_its_docstring_types_and_flags(
    tmp_path: Path,
) -> None:
    source = (
        "from __future__ import annotations\n"
        + HEAD
        + "from typing import Annotated\nfrom pydantic import Field\n"
        "from workflows.states import Permission\n"
        "@tool(permission=Permission.ASK, is_retry_safe=True, timeout_seconds=5)\n"
        "def find_customer(name: Annotated[str, Field(max_length=9, description='whole')],\n"
        "                  limit: int = 3) -> dict[str, object]:\n"
        '    """Find customers.\n\n    By their name."""\n'
        "    return {}\n"
    )
    found = registry_of(tmp_path, crm=source).find("find_customer")
    assert found.description == "Find customers.\n\nBy their name."
    assert found.schema["properties"] == {
        "name": {"type": "string", "maxLength": 9, "description": "whole"},
        "limit": {"type": "integer", "default": 3},
    }
    assert found.schema["required"] == ["name"]
    assert found.permission is Permission.ASK
    assert (found.is_retry_safe, found.timeout_seconds) == (True, 5)
    assert found.is_own
    assert not found.is_for_agents_only
    assert [at for at, _ in found.problems({"name": "ten letters", "of": 1})] == ["/name", "/of"]


def test_a_tool_without_a_context_or_with_that_of_a_tool_is_for_pipelines_too(
    tmp_path: Path,
) -> None:
    source = HEAD + (
        "from activities.tools.context import AgentContext, ToolContext\n"
        '@tool()\nasync def alone() -> str:\n    "x"\n    return ""\n'
        '@tool()\nasync def told(context: ToolContext) -> str:\n    "x"\n    return ""\n'
        '@tool()\nasync def agents(context: AgentContext) -> str:\n    "x"\n    return ""\n'
    )
    found = registry_of(tmp_path, three=source)
    assert {"alone", "told", "agents"} <= set(found.tools)
    assert {"alone", "told", "agents"} & set(found.for_pipelines) == {"alone", "told"}
    assert found.find("told").schema["properties"] == {}


def test_modules_beside_tools_are_imported_and_hide_none_of_python(tmp_path: Path) -> None:
    (tmp_path / "_shout.py").write_text("def shout(text: str) -> str:\n    return text.upper()\n")
    (tmp_path / "notes.txt").write_text("no module")
    source = "from _shout import shout\n" + GREET.replace("return name", "return shout(name)")
    found = registry_of(tmp_path, greeting=source, json="")
    assert found.find("greet").is_own
    assert json.loads("1") == 1


def test_a_folder_that_is_not_there_has_no_tools(tmp_path: Path) -> None:
    assert not any(tool.is_own for tool in Registry(modules([tmp_path / "none"])).tools.values())


BROKEN = {
    "syntax": ("x = 1\ndef f(:\n    pass\n", "broken.py:2: ", "SyntaxError"),
    "import": ("x = 1\nimport nowhere_at_all\n", "broken.py:2: ", "No module named"),
    "raises": ("def f():\n    raise ValueError('no key')\nf()\n", "broken.py:2: ", "no key"),
    "exits": ("import sys\nsys.exit(3)\n", "broken.py:2: ", "SystemExit"),
    "not text": ("\0", "broken.py", "null bytes"),
    "secret": ("raise ValueError('password=hunter2hunter2')\n", "broken.py:1: ", "ValueError"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_module_that_cannot_be_imported_is_refused_with_its_line(
    tmp_path: Path, kind: str
) -> None:
    source, place, reason = BROKEN[kind]
    with pytest.raises(ToolModuleBroken) as refused:
        registry_of(tmp_path, broken=source)
    assert place in str(refused.value)
    assert reason in str(refused.value)
    assert "AGENTOS_TOOLS_PATH" in str(refused.value)
    assert "hunter2" not in str(refused.value)


UNSOUND = {
    "no docstring": ("def f(a: int) -> int:\n    return a", "no docstring"),
    "no type": ('def f(a) -> int:\n    "x"', "'a' has no type"),
    "any number": ('def f(*a: int) -> int:\n    "x"', "*a has no schema"),
    "any names": ('def f(**a: int) -> int:\n    "x"', "*a has no schema"),
    "by place": ('def f(a: int, /) -> int:\n    "x"', "positional only"),
    "capitals": ('def Find(a: int) -> int:\n    "x"', "a-z, 0-9 and _"),
    "hidden": ('def f(_a: int) -> int:\n    "x"', "may begin neither"),
    "unknown type": ("def f(a: 'Nowhere') -> int:\n    \"x\"", "Nowhere"),
    "no schema": (
        'import socket\ndef f(b: int, a: socket.socket) -> int:\n    "x"',
        "argument 'a' has the type socket.socket, for which there is no JSON. Use text,",
    ),
    "a function": (
        'from collections.abc import Callable\ndef f(a: Callable[[], int]) -> int:\n    "x"',
        "argument 'a' has the type collections.abc.Callable[[], int], for which there is no JSON.",
    ),
    "misfit": (
        "from typing import Annotated\nfrom pydantic import Field\n"
        'def f(a: Annotated[int, Field(discriminator="b")]) -> int:\n    "x"',
        "argument 'a' has the type int, which its Field() does not fit.",
    ),
}


@pytest.mark.parametrize("kind", UNSOUND)
def test_a_function_that_no_model_could_call_is_refused_with_its_line(
    tmp_path: Path, kind: str
) -> None:
    source, reason = UNSOUND[kind]
    source = source.replace("def ", "@tool(\n    timeout_seconds=3,\n)\ndef ", 1)
    with pytest.raises(ToolDefinitionInvalid) as refused:
        registry_of(tmp_path, unsound=HEAD + source + "\n")
    [line] = [
        number
        for number, text in enumerate((HEAD + source).splitlines(), start=1)
        if text.startswith("def ")
    ]
    assert f"unsound.py:{line}: " in str(refused.value)
    assert reason in str(refused.value)
    assert "arbitrary_types_allowed" not in str(refused.value)


@pytest.mark.parametrize("permission", list(Permission))
def test_a_permission_as_text_is_the_permission(tmp_path: Path, permission: Permission) -> None:
    """Code compares it by identity: a text would have the tool called without asking."""
    source = GREET.replace("@tool()", f'@tool(permission="{permission}")')
    assert registry_of(tmp_path, asks=source).find("greet").permission is permission


WRONG_OPTIONS = {
    "permission='Ask'": "write Permission.AUTO, Permission.ASK or Permission.DENY, or as text",
    "permission=True": 'or as text "auto", "ask" or "deny"',
    "is_retry_safe='no'": "write True or False",
    "timeout_seconds='5'": "write a number of seconds above 0, at most 86400",
    "timeout_seconds=0": "above 0",
    "timeout_seconds=True": "above 0",
    "timeout_seconds=float('inf')": "above 0",
    "cache=5": "as in `cache=timedelta(days=1)`",
    "cache=__import__('datetime').timedelta(0)": "at least 1 second",
    "need='web'": "Need.SKILLS",
    "call_type='x'": "write 'skill', 'code'",
    "reads='files'": "write 'data' or 'means'",
    "unsafe_if=True": "a plain function",
    "question='nme'": "is no argument of the function; it has: name",
    "fallback='read_file'": "write `Fallback(tool=...)`",
}


@pytest.mark.parametrize("option", WRONG_OPTIONS)
def test_an_option_that_cannot_be_is_refused_with_its_line_and_what_to_write(
    tmp_path: Path, option: str
) -> None:
    with pytest.raises(ToolDefinitionInvalid) as refused:
        registry_of(tmp_path, wrong=GREET.replace("@tool()", f"@tool({option})"))
    assert "wrong.py:3: greet" in str(refused.value)
    assert f"`{option.partition('=')[0]}=" in str(refused.value)
    assert WRONG_OPTIONS[option] in str(refused.value)


NO_FUNCTIONS = {
    "class": '@tool()\nclass Greeter:\n    """Greets."""\n',
    "partial": "from functools import partial\ntool()(partial(print, 1))\n",
    "built in": "\ntool()(len)\n",
    "yields": '@tool()\nasync def f() -> int:\n    "x"\n    yield 1\n',
}


@pytest.mark.parametrize("kind", NO_FUNCTIONS)
def test_what_is_no_plain_function_is_refused_with_its_line(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ToolDefinitionInvalid, match=r"odd\.py:[23]: .*(no function|it yields)"):
        registry_of(tmp_path, odd=HEAD + NO_FUNCTIONS[kind])


def test_two_tools_of_one_name_in_one_module_are_refused_with_both_lines(tmp_path: Path) -> None:
    again = GREET.removeprefix(HEAD)
    with pytest.raises(ToolNameTaken, match=r"both\.py:7: .*'greet'.*both\.py:3"):
        registry_of(tmp_path, both=GREET + again)
    assert registry_of(tmp_path, both=GREET).find("greet").place.endswith("both.py:3")
    assert registry_of(tmp_path, both="\n" + GREET).find("greet").place.endswith("both.py:4")


def test_a_class_beside_two_tools_of_one_name_is_refused_with_a_line(tmp_path: Path) -> None:
    source = GREET + NO_FUNCTIONS["class"] + GREET.removeprefix(HEAD)
    with pytest.raises(ToolDefinitionInvalid, match=r"both\.py:6: Greeter"):
        registry_of(tmp_path, both=source)


def test_a_type_of_the_module_is_called_as_its_file_is(tmp_path: Path) -> None:
    source = HEAD + 'class Weird: ...\n@tool()\ndef f(a: Weird) -> int:\n    "x"\n    return 1\n'
    with pytest.raises(ToolDefinitionInvalid, match=r"has the type odd\.Weird, for which"):
        registry_of(tmp_path, odd=source)


def test_the_decorator_without_parentheses_says_how_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ToolDefinitionInvalid, match=r"unsound\.py:3: .*@tool\(\)"):
        registry_of(tmp_path, unsound=GREET.replace("@tool()", "@tool"))


@pytest.mark.parametrize("name", ["read_file", "finish"])
def test_a_tool_of_the_house_takes_no_name_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolNameTaken, match=rf"mine\.py:3: .*{name}.* in AgentOS"):
        registry_of(tmp_path, mine=GREET.replace("greet", name))


def test_two_tools_of_one_name_are_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(ToolNameTaken, match=r"two\.py:3: .*'greet'.*one\.py:3"):
        registry_of(tmp_path, one=GREET, two=GREET)


def test_too_many_modules_are_refused(tmp_path: Path) -> None:
    for number in range(MAX_MODULES + 1):
        (tmp_path / f"m{number}.py").touch()
    with pytest.raises(ToolModuleBroken, match=f"more than {MAX_MODULES}"):
        Registry(modules([tmp_path]))


PACKAGE = {
    "acme_tools/__init__.py": "from acme_tools import greeting\n",
    "acme_tools/greeting.py": GREET,
    "acme_tools-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme-tools\nVersion: 1.0\n",
}


def installed(folder: Path, entry: str) -> Path:
    """A folder with an installed package that has this entry point."""
    points = {"acme_tools-1.0.dist-info/entry_points.txt": f"[agentos.tools]\n{entry}\n"}
    for name, text in (PACKAGE | points).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def own_tools_of_a_process(path: Path) -> subprocess.CompletedProcess[str]:
    """What a process finds that has a package on its path."""
    look = (
        "from activities.tools.own.loading import modules\n"
        "from activities.tools.registry import Registry\n"
        "found = Registry(modules([])).tools.values()\n"
        "print([tool.name for tool in found if tool.is_own])\n"
    )
    code = f"import sys; sys.path.insert(0, {str(path)!r})\n{look}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_an_installed_package_brings_tools_by_its_entry_point(tmp_path: Path) -> None:
    found = own_tools_of_a_process(installed(tmp_path, "greetings = acme_tools"))
    assert found.stdout == "['greet']\n", found.stderr


def test_an_installed_package_that_cannot_be_loaded_names_its_line(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "site-packages"
    files = {
        "broken_tools/__init__.py": "from broken_tools import reading\n",
        "broken_tools/reading.py": "import json\n\njson.loads('{')\n",
        "broken_tools-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: broken-tools\n",
        "broken_tools-1.0.dist-info/entry_points.txt": "[agentos.tools]\nx = broken_tools\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    sys.path.append(str(folder))
    try:
        with pytest.raises(ToolModuleBroken, match=r"tools/reading\.py:3: .*JSONDecodeError"):
            list(modules([]))
    finally:
        sys.path.remove(str(folder))


@pytest.mark.parametrize(
    "entry", ["greetings = acme_tools.nowhere", "x = acme_tools.greeting:greet"]
)
def test_an_entry_point_that_leads_to_no_module_names_its_package(
    tmp_path: Path, entry: str
) -> None:
    found = own_tools_of_a_process(installed(tmp_path, entry))
    assert "ToolModuleBroken: acme-tools: " in found.stderr
    assert "acme-tools" in found.stderr
