"""The tools behind the make targets."""

import json

from scripts import load


class TestClaims:
    """make claims collects what the notebooks printed."""

    def test_the_stored_claims_are_those_of_the_notebooks(self):
        claims = load("tools/claims.py")
        stored = json.loads(claims.TABLE.read_text("utf-8"))
        assert stored == claims.collect(), "make claims, then make execute"
        assert len(stored) > 100

    def test_a_notebook_by_hand(self, tmp_path):
        def text(source):
            return {"cell_type": "markdown", "source": [source]}

        def code(*printed):
            outputs = [{"output_type": "stream", "text": list(printed)}]
            return {"cell_type": "code", "source": [], "outputs": outputs}

        cells = [
            text("# 8.9 A title\n\nHolds: not this one."),
            code("Holds: one is 1.\n", "noise\n"),
            text("## It's 2, isn't it?"),
            code("Not checked on this text: x.\nHolds: two is 2.\n"),
        ]
        path = tmp_path / "8_9_x.ipynb"
        path.write_text(json.dumps({"cells": cells}), "utf-8")
        rows = load("tools/claims.py").claims_of(path)
        assert [(r["section"], r["anchor"], r["sentence"]) for r in rows] == [
            ("8.9 A title", "89-a-title", "one is 1."),
            ("It's 2, isn't it?", "its-2-isnt-it", "two is 2."),
        ]
        assert {(r["chapter"], r["title"]) for r in rows} == {
            ("8_9_x", "8.9 A title")
        }
