"""Every claim of the course, as its pages printed it; for the summary.

``tools/claims.py`` collects the claims from the notebooks, ``make zh`` those
of the Chinese ones. Appears in :doc:`/book/8_6_summary`.
"""

import json
from importlib import resources

from unrolled.language import ENGLISH, spoken_language


def read_claims() -> list[dict[str, str]]:
    """The claims in the order of the pages, in the reader's language.

    Each with ``chapter`` (the page's file), ``title`` and ``section`` (its
    headings), ``anchor`` (of the section), ``sentence``, and ``english``, the
    sentence as the English page has it.
    """
    name = spoken_language()
    data = resources.files("unrolled") / "data"
    claims = json.loads((data / "claims.json").read_bytes())
    found = claims
    if name != ENGLISH:
        found = json.loads((data / f"claims.{name}.json").read_bytes())
    return [
        {**row, "english": claims[i]["sentence"]}
        for i, row in enumerate(found)
    ]
