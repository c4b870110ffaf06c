"""Constants that look like parameters become parameters, under the names of their options."""

from typing import Any

import pytest

from activities.tools.registry import Registry
from api.tasks.compilation.compiling import Compiled, Part, compile_runs
from api.tasks.compilation.natures import Tools
from tests.doubles.recorded_runs import Done, Recording, code, script, written
from workflows.definitions.parameters import filled
from workflows.definitions.pipeline import MAX_PARAMETERS, Pipeline

TOOLS = Tools(Registry().tools)


def compiled(recording: Recording) -> tuple[Compiled, Pipeline]:
    found = compile_runs([Part(recording.run)], TOOLS)
    assert found.problems == ()
    assert found.pipeline is not None
    return found, found.pipeline


def parameters_of(*args: str, prompt: str = "Do it.") -> dict[str, Any]:
    _, pipeline = compiled(Recording(prompt).turn(script("chart", *args, c_png="")))
    # Whatever becomes a parameter, the script is given what the agent gave it.
    given = [{"data": "${inputs.data}"}.get(arg, arg) for arg in args]
    [step] = filled(pipeline)
    assert step.args == given
    return pipeline.parameters


@pytest.mark.parametrize(
    ("args", "parameters"),
    [
        (["data", "--top", "25"], {"top": 25}),
        (["data", "--top=25"], {"top": 25}),
        (["data", "--share=0.50"], {"share": "0.50"}),
        (["data", "--share=0.5"], {"share": 0.5}),
        (["data", "--least=-3"], {"least": -3}),
        (["data", "--from", "2024-01-31"], {"from": "2024-01-31"}),
        (["data", "--from", "31.1.2024"], {"from": "31.1.2024"}),
        (["data", "--delimiter", ";"], {"delimiter": ";"}),
        (["data", "--sep=tab"], {"sep": "tab"}),
        (["data", "--page", "https://example.org/a?b=c"], {"page": "https://example.org/a?b=c"}),
        (["data", "7"], {"number": 7}),
        (["data", "2024-01-31"], {"date": "2024-01-31"}),
        (["data", "-n", "007"], {"n": "007"}),
        # Two of one name.
        (["data", "--n=5", "--n=6"], {"n": 5, "chart-n": 6}),
    ],
)
def test_numbers_dates_delimiters_and_addresses_are_parameters(
    args: list[str], parameters: dict[str, Any]
) -> None:
    assert parameters_of(*args) == parameters


def test_long_names_of_options_are_told_apart() -> None:
    option = f"--{'n' * 80}"
    names = list(parameters_of("data", option, "5", option, "6", option, "7"))
    assert names == ["n" * 50, f"chart-{'n' * 50}", f"{'n' * 50}-2"]


def test_constants_beyond_the_most_that_a_pipeline_takes_stay_where_they_are() -> None:
    args = [word for number in range(MAX_PARAMETERS + 5) for word in ("--n", str(number))]
    assert len(parameters_of("data", *args)) == MAX_PARAMETERS


def test_values_of_options_that_the_prompt_has_are_parameters() -> None:
    prompt = "Draw body_mass_g by species as a scatter plot titled Heavy birds."
    args = ("data", "--kind", "scatter", "--y=body_mass_g", "--title=Heavy birds", "--log", "yes")
    assert parameters_of(*args, prompt=prompt) == {
        "kind": "scatter",
        "y": "body_mass_g",
        "title": "Heavy birds",
    }


@pytest.mark.parametrize(
    "args",
    [
        ("data", "-o", "25"),
        ("data", "--output=2024"),
        ("data", "--kind", "bar"),
        ("data", "--log"),
        ("data", "--price", "it$"),
        ("data", "words of its own"),
    ],
)
def test_what_looks_like_none_stays_where_it_is(args: tuple[str, ...]) -> None:
    assert parameters_of(*args, prompt="Do it for it$.") == {}


def test_arguments_of_tools_keep_their_types() -> None:
    call = Done("mcp.hub.add", {"count": 25, "text": "25", "is": True, "none": None})
    found, pipeline = compiled(Recording().turn(call))
    assert pipeline.parameters == {"count": 25, "text": "25"}
    assert filled(pipeline)[0].args == call.arguments
    assert pipeline.steps[0].args == {
        "count": "${parameters.count}",
        "text": "${parameters.text}",
        "is": True,
        "none": None,
    }
    assert [constant.pointer for constant in found.constants] == [
        "/calls/1.1/arguments/count",
        "/calls/1.1/arguments/text",
    ]


def test_constants_within_code_are_told_and_stay() -> None:
    source = "rows = [r for r in open('/workspace/input/data') if float(r) > 2500]"
    found, pipeline = compiled(Recording("Only above 2500.").turn(code(source, o_csv="")))
    assert pipeline.parameters == {}
    assert [(c.pointer, c.value, c.parameter) for c in found.constants] == [
        ("/calls/1.1/arguments/source", "2500", None)
    ]


def test_what_stands_in_a_written_file_stays_there() -> None:
    _, pipeline = compiled(Recording("Limit 2500").turn(written("limit.txt", "2500\n")))
    assert pipeline.steps[0].args == {"name": "limit.txt", "text": "2500\n"}
