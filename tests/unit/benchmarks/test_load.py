"""What the benchmarks print of the machine's load."""

from pathlib import Path

from tests.benchmarks.load import Load, Pressure

PRESSURE = """some avg10=48.20 avg60=37.33 avg300=20.62 total=104438392
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""


def test_the_kernels_account_of_pressure_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cpu"
    file.write_text(PRESSURE)
    assert Load.now(file).pressure == Pressure(48.2, 104.438392)


def test_a_kernel_that_keeps_no_account_has_cores_and_averages_all_the_same(tmp_path: Path) -> None:
    load = Load.now(tmp_path / "missing")
    assert load.pressure is None
    assert load.cores >= 1
    assert "CPU pressure" not in str(load)
    assert "CPU pressure" not in load.since(load)


def test_an_account_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "cpu"
    file.write_text("none of this is pressure")
    assert Load.now(file).pressure is None


def test_the_share_of_time_in_which_something_waited_is_told() -> None:
    before = Load(2, (0.5, 0.25, 0.1), Pressure(1.0, 10.0), taken_at=100.0)
    after = Load(2, (3.0, 1.5, 0.6), Pressure(40.0, 25.0), taken_at=120.0)
    assert str(before) == "2 cores, load average 0.50, 0.25, 0.10; CPU pressure 1% in the last 10 s"
    assert after.since(before) == (
        "2 cores, load average 3.00, 1.50, 0.60; CPU pressure 40% in the last 10 s, 75% meanwhile"
    )
