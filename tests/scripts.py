"""The scripts of the repository, which are in no package, as modules."""

import importlib.util
import os
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


# of the Chinese pages these stand for the others, which are looked at once a
# week (UNROLLED_WEEKLY=1)
QUICK_ZH = ("index", "8_1_sequence_models", "8_6_summary")


def built_pages() -> list[str]:
    """The pages of the built site, below its folder; in both languages."""
    site = ROOT / "_build" / "html"
    weekly = os.environ.get("UNROLLED_WEEKLY") == "1"
    return [
        *(f"book/{p.name}" for p in sorted((site / "book").glob("*.html"))),
        *(
            f"zh/book/{path.name}"
            for path in sorted((site / "zh" / "book").glob("*.html"))
            if weekly or path.stem in QUICK_ZH
        ),
    ]
