"""The tools behind the make targets."""

import json
import re
import subprocess
import tomllib

import pytest

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


class TestMutate:
    """make mutate lays out all that the tests of a module need."""

    def test_all_that_the_tests_load_is_there(self, tmp_path, monkeypatch):
        mutate = load("tools/mutate.py")
        monkeypatch.setattr(mutate, "SCRATCH", tmp_path / "mutants")
        library = {"ladder": "course/ladder", "coding": "coding"}
        mutate.prepare(list(library), library)
        config = tomllib.loads((mutate.SCRATCH / "pyproject.toml").read_text())
        settings = config["tool"]["mutmut"]
        for path in settings["only_mutate"] + settings["also_copy"]:
            assert (mutate.SCRATCH / path).exists()
        tests = list((mutate.SCRATCH / "tests").glob("test_*.py"))
        assert len(tests) == 3
        loaded = [
            name
            for path in tests
            for name in re.findall(r'load\("([^"]+)"\)', path.read_text())
        ]
        assert loaded == ["tools/ladder.py"]
        assert (mutate.SCRATCH / loaded[0]).exists()
        table = (mutate.SCRATCH / "tests" / "error_messages.txt").read_text()
        assert table.startswith("# coding\n")
        assert table.count("\n# ") == 0

    def test_the_part_of_a_table(self):
        part_of = load("tools/mutate.py").part_of
        table = "Words.\n\n# a\n\nx\n\n# b\n\ny # a\n"
        assert part_of(table, ["b"]) == "# b\n\ny # a\n"
        assert part_of(table, ["a", "b"]) == table.split("\n\n", 1)[1]


class TestRefresh:
    """make refresh brings what is derived up to date, in order."""

    @pytest.fixture
    def repository(self, tmp_path):
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        (tmp_path / ".gitignore").write_text("ignored\n", "utf-8")
        (tmp_path / "a.txt").write_text("one", "utf-8")
        (tmp_path / "book").mkdir()
        for name in ("8_1_x", "8_6_summary"):
            (tmp_path / "book" / f"{name}.ipynb").write_text("{}", "utf-8")
        return tmp_path

    def test_it_says_what_each_step_did(self, repository, capsys):
        refresh = load("tools/refresh.py")
        plan = [
            ("the first", ["sh", "-c", "echo two > a.txt; echo > b.txt"]),
            ("the second", ["sh", "-c", "echo > ignored"]),
            ("the third", ["rm", "a.txt"]),
        ]
        refresh.refresh(plan, repository)
        shown = capsys.readouterr().out.splitlines()
        assert [line.strip() for line in shown if " s" not in line[-3:]] == [
            "1/3  the first",
            "changed: a.txt",
            "new: b.txt",
            "2/3  the second",
            "nothing changed",
            "3/3  the third",
            "gone: a.txt",
        ]

    def test_it_stops_where_a_step_fails(self, repository, capsys):
        refresh = load("tools/refresh.py")
        plan = [
            ("the first", ["sh", "-c", "echo why; exit 3"]),
            ("the second", ["touch", "never"]),
        ]
        with pytest.raises(SystemExit, match="this step failed: sh -c"):
            refresh.refresh(plan, repository)
        assert "why" in capsys.readouterr().out
        assert not (repository / "never").exists()

    def test_the_order_and_the_notebooks(self, repository):
        refresh = load("tools/refresh.py")
        summary, chapter = "book/8_6_summary.ipynb", "book/8_1_x.ipynb"

        def scripts(chosen):
            plan = refresh.steps(chosen, repository)
            return [" ".join(command[1:]) for _, command in plan]

        whole = scripts([])
        assert whole == [
            "tools/first_cell.py",
            "tools/ladder.py",
            f"tools/execute.py {chapter}",
            "tools/claims.py",
            f"tools/execute.py {summary}",
            "tools/explorables",
            "build . -n -W --keep-going",
            "tools/rooms.py",
        ]
        assert scripts([str(repository / chapter)]) == whole
        only = scripts([str(repository / summary)])
        assert only == [line for line in whole if chapter not in line]
        with pytest.raises(SystemExit, match="no notebook of the book: "):
            refresh.steps([str(repository / "book/8_9.ipynb")], repository)

    def test_each_step_is_a_script_that_exists(self):
        refresh = load("tools/refresh.py")
        for _, command in refresh.steps([]):
            for word in command[1:]:
                if word.startswith(("tools/", "book/")):
                    assert (refresh.ROOT / word).exists()
