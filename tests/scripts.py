"""The scripts of the repository, which are in no package, as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load(path: str) -> ModuleType:
    """Run the script at this path from the root; it must not do its work."""
    # what it imports from its own folder
    folder = str((ROOT / path).parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
