"""Tables that fill themselves from the modules of a package: whoever adds one names it nowhere."""

import importlib
import pkgutil
from collections.abc import Sequence
from types import ModuleType


def modules_of(package: ModuleType) -> Sequence[ModuleType]:
    """Import all that is directly in ``package``; in the order of the names."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(module.name) for module in found]
