"""Collect the claims of all chapters from what their notebooks printed.

    python tools/claims.py

Writes lib/unrolled/data/claims.json: for each claim the chapter, the heading
above it and the sentence that held when the notebook was last executed. The
summary shows them; it is left out itself.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "lib" / "unrolled" / "data" / "claims.json"
SUMMARY = "8_6_summary"
HELD = re.compile(r"^(?:Holds: |成立：)(.*)$", flags=re.M)


def anchor(heading: str) -> str:
    """The name under which a link reaches a heading, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


def claims_of(path: Path) -> list[dict[str, str]]:
    """The claims of one notebook, in order."""
    notebook = json.loads(path.read_text("utf-8"))
    title = section = ""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for marks, words in re.findall(
                r"^(#+) (.*)$", "".join(cell["source"]), flags=re.M
            ):
                if marks == "#":
                    title = words
                section = words
        printed = "".join(
            "".join(output.get("text", ""))
            for output in cell.get("outputs", [])
        )
        found += [
            {
                "chapter": path.stem,
                "title": title,
                "section": section,
                "anchor": anchor(section),
                "sentence": sentence,
            }
            for sentence in HELD.findall(printed)
        ]
    return found


def collect(book: Path = ROOT / "book") -> list[dict[str, str]]:
    """The claims of every notebook of a folder but the summary."""
    return [
        claim
        for path in sorted(book.glob("*.ipynb"))
        if path.stem != SUMMARY
        for claim in claims_of(path)
    ]


if __name__ == "__main__":
    claims = collect()
    text = json.dumps(claims, indent=1, ensure_ascii=False)
    TABLE.write_text(text + "\n", "utf-8")
    print(f"{len(claims)} claims in {TABLE.relative_to(ROOT)}")
