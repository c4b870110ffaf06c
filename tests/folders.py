"""Where the project and the doubles of its tests lie."""

from pathlib import Path

PROJECT = Path(__file__).parents[1]
DOUBLES = PROJECT / "tests" / "doubles"
