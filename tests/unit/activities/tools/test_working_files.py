"""How a model names the files of its task, and where they lie for a script."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.tools.working_files import MAX_LEASED_ARTIFACTS, WorkingFile, WorkingFiles, placed
from workflows.errors.tools import WorkingFileNotFound

SALES, OLD, NEW, PLOT = (UUID(int=number) for number in range(1, 5))


def given_input(name: str, key: UUID) -> WorkingFile:
    return WorkingFile(key, name, f"file:{key}", 10, "text/csv", is_input=True)


def made(name: str, key: UUID) -> WorkingFile:
    return WorkingFile(key, name, f"artifact:{key}", 20, "text/csv")


@pytest.fixture
def files() -> WorkingFiles:
    """An input, two versions of a file, and one in a folder."""
    return WorkingFiles(
        placed(
            [
                given_input("sales", SALES),
                made("clean.csv", OLD),
                made("plots/a.png", PLOT),
                made("clean.csv", NEW),
            ]
        )
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sales", SALES),
        (f"file:{SALES}", SALES),
        ("/workspace/input/sales", SALES),
        (f"/api/v1/files/{SALES}", SALES),
        ("clean.csv", NEW),
        ("./clean.csv", NEW),
        (" clean.csv\n", NEW),
        ("/workspace/output/clean.csv", NEW),
        ("/workspace/input/clean.csv", NEW),
        (f"artifact:{NEW}", NEW),
        (f"/api/v1/artifacts/{NEW}", NEW),
        (f"https://agentos.example/api/v1/artifacts/{NEW}", NEW),
        (f"http://localhost:8000/below/api/v1/artifacts/{NEW}", NEW),
        (f"artifact:{OLD}", OLD),
        (f"/api/v1/artifacts/{OLD}", OLD),
        ("plots/a.png", PLOT),
        ("/workspace/input/plots-a.png", PLOT),
        ("/workspace/input/plots/a.png", PLOT),
    ],
)
def test_a_file_is_found_however_the_model_names_it(
    files: WorkingFiles, text: str, found: UUID
) -> None:
    assert files.find(text).id == found


@pytest.mark.parametrize(
    "text",
    [
        f"artifact:{SALES}",  # It is a file.
        f"file:{NEW}",  # It is an artifact.
        f"artifact:{UUID(int=1_000)}",
        f"/api/v1/artifacts/{UUID(int=1_000)}",
        f"https://agentos.example/api/v1/tasks/{NEW}",
        "https://elsewhere.example/clean.csv",
        "s3://bucket/clean.csv",
        "artifact:x",
        "../clean.csv",
        "/etc/passwd",
        "",
    ],
)
def test_a_file_that_is_not_the_tasks_own_is_not_found(files: WorkingFiles, text: str) -> None:
    with pytest.raises(WorkingFileNotFound, match="This task has no file"):
        files.find(text)


def test_a_missing_file_brings_the_nearest_name(files: WorkingFiles) -> None:
    with pytest.raises(WorkingFileNotFound, match=r"Did you mean 'clean\.csv'\?"):
        files.find("cleen.csv")
    with pytest.raises(WorkingFileNotFound, match=r"It has: sales, plots/a\.png, clean\.csv\."):
        files.find("zzz")


def test_of_files_with_the_same_name_the_latest_is_listed(files: WorkingFiles) -> None:
    assert [file.id for file in files.files] == [SALES, PLOT, NEW]


def test_every_version_has_a_place_of_its_own_and_the_latest_the_plain_one(
    files: WorkingFiles,
) -> None:
    assert files.find("clean.csv").path == "/workspace/input/clean.csv"
    old = files.find(f"artifact:{OLD}")
    assert old.path == f"/workspace/input/{OLD}-clean.csv"
    assert files.find(old.path) == old


def test_arguments_that_name_files_become_paths(files: WorkingFiles) -> None:
    args = ["sales", f"--with=artifact:{OLD}", f"/api/v1/artifacts/{PLOT}", "--kind", "bar", "x=1"]
    found = files.in_arguments(args)
    assert found.words == (
        "/workspace/input/sales",
        f"--with=/workspace/input/{OLD}-clean.csv",
        "/workspace/input/plots-a.png",
        "--kind",
        "bar",
        "x=1",
    )
    assert [file.id for file in found.files] == [SALES, OLD, PLOT]


@pytest.mark.parametrize(
    "args",
    [
        ["-o", "clean.csv"],
        ["--output", "clean.csv"],
        ["--output=clean.csv"],
        ["--out-file", "clean.csv"],
        ["--csv-out=clean.csv"],
        ["./clean.csv"],
        ["a,clean.csv"],
        ["--route", "x"],
    ],
)
def test_a_file_to_be_made_keeps_its_name(files: WorkingFiles, args: list[str]) -> None:
    found = files.in_arguments(args)
    assert found.words == tuple(args)
    assert found.files == ()


def test_an_argument_after_the_value_of_an_output_option_is_a_file(files: WorkingFiles) -> None:
    assert files.in_arguments(["-o", "x.csv", "sales"]).words[2] == "/workspace/input/sales"
    assert files.in_arguments(["-o=x.csv", "sales"]).words[1] == "/workspace/input/sales"


def test_inputs_and_the_latest_artifacts_are_leased_and_those_that_are_named() -> None:
    many = [made(f"{number}.csv", uuid4()) for number in range(MAX_LEASED_ARTIFACTS + 2)]
    files = WorkingFiles(placed([given_input("sales", SALES), *many]))
    leased = files.to_lease()
    assert len(leased) == MAX_LEASED_ARTIFACTS + 1
    assert leased["sales"] == f"file:{SALES}"
    assert {"0.csv", "1.csv"}.isdisjoint(leased)
    assert files.to_lease([files.find("1.csv")])["1.csv"] == many[1].ref


def test_an_artifact_may_take_the_name_of_an_input() -> None:
    files = WorkingFiles(placed([given_input("sales", SALES), made("sales", NEW)]))
    assert files.find("sales").id == NEW
    assert files.find(f"file:{SALES}").path == f"/workspace/input/{SALES}-sales"


@given(
    st.lists(
        st.text(st.sampled_from("ab/-é."), min_size=1, max_size=300).filter(
            lambda name: all(part not in ("", ".", "..") for part in name.split("/"))
        ),
        max_size=8,
    )
)
def test_no_two_files_share_a_place_and_every_place_is_a_file_name(names: list[str]) -> None:
    files = placed([made(name, UUID(int=number)) for number, name in enumerate(names)])
    inside = [file.inside for file in files]
    assert len(set(inside)) == len(inside)
    assert all(name and "/" not in name and len(name.encode()) <= 255 for name in inside)
    assert [file.name for file in files] == names
