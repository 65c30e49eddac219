"""Export what the explorables show: trained weights and tables.

    python tools/explorables           (make explorables)

Every module beside this one has a function ``export``, which gives the
content of its files. They are written to book/_static/explorables/data, with
a manifest of their sizes and hashes.
"""

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "book" / "_static" / "explorables" / "data"
MANIFEST = "manifest.json"


def exporters() -> dict[str, ModuleType]:
    """The modules beside this one, by name."""
    found = {}
    for path in sorted(HERE.glob("[a-z]*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[path.stem] = module
    return found


def manifest(files: dict[str, bytes]) -> str:
    """Sizes and hashes, as the text of the manifest."""
    rows = {
        name: {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        for name, content in sorted(files.items())
    }
    return json.dumps(rows, indent=1) + "\n"


def main() -> None:
    """Export everything and write it."""
    files: dict[str, bytes] = {}
    for module in exporters().values():
        files |= module.export()
    DATA.mkdir(parents=True, exist_ok=True)
    for old in DATA.iterdir():
        old.unlink()
    for name, content in files.items():
        (DATA / name).write_bytes(content)
        print(f"{name}: {len(content):,} bytes")
    (DATA / MANIFEST).write_text(manifest(files), "utf-8")


if __name__ == "__main__":
    main()
