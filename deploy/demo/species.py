"""The demo's data as several files, for work that is done side by side."""

import csv
from collections.abc import Mapping
from pathlib import Path

_COLUMN = "Species"


def split_by_species(data: Path, folder: Path) -> Mapping[str, Path]:
    """Write a CSV file for each species into a new ``folder``; gives them by the first word of
    their names in lower case, in the order of the data."""
    rows: dict[str, list[dict[str, str]]] = {}
    with data.open(newline="", encoding="utf-8") as source:
        reader = csv.DictReader(source)
        columns = reader.fieldnames or ()
        for row in reader:
            rows.setdefault(row[_COLUMN].split()[0].lower(), []).append(row)
    folder.mkdir()
    paths = {name: folder / f"{name}.csv" for name in rows}
    for name, path in paths.items():
        with path.open("w", newline="", encoding="utf-8") as target:
            writer = csv.DictWriter(target, columns)
            writer.writeheader()
            writer.writerows(rows[name])
    return paths
