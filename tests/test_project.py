"""The project's files agree with one another."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import unrolled
from scripts import load

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "lib" / "unrolled"
# the name of each module -> its path in the library, without the ending
MODULES = {
    path.stem: path.relative_to(LIBRARY).with_suffix("").as_posix()
    for path in sorted(LIBRARY.rglob("*.py"))
    if path.stem != "__init__"
}
TEACHING = sorted(
    name
    for name, path in MODULES.items()
    if path == name
    and name not in ("claims", "checks", "language", "reference")
)


def read(name):
    return (ROOT / name).read_text("utf-8")


def loaded_by(code):
    """The modules that a fresh Python has after this code."""
    code = f"import sys; {code}; print(*sys.modules)"
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    return set(printed.split())


def test_importing_unrolled_loads_nothing_heavy():
    loaded = loaded_by("import unrolled")
    assert "unrolled" in loaded
    assert not {"torch", "matplotlib", "d2l", "pytest"} & loaded


def test_teaching_modules_need_none_of_the_course_s_machinery():
    names = [f"unrolled.{name}" for name in TEACHING]
    loaded = loaded_by(f"import {', '.join(names)}")
    assert set(names) <= loaded
    machinery = {"unrolled.claims", "unrolled.course", "unrolled.reference"}
    others = {"matplotlib", "pandas", "IPython", "d2l", "pytest"}
    assert not (machinery | others) & loaded


def imported_by(path):
    """The modules of the library that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return {name for name in found if name.split(".")[0] == "unrolled"}


def test_arrows_between_modules_go_one_way():
    for path in MODULES.values():
        imported = imported_by(f"lib/unrolled/{path}.py")
        forbidden = r"unrolled\.(?:claims|reference)\b"
        if not path.startswith("course/"):
            forbidden += r"|unrolled\.course\b"
        assert not [x for x in imported if re.match(forbidden, x)], path
    assert "unrolled.course.tasks.EXERCISES" in imported_by(
        "lib/unrolled/course/exercises.py"
    )


def names_in(source):
    """Every name that a piece of code uses or imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.add(node.name)
    return found


def public_names(source):
    """Functions, classes and methods; not errors, nor types of arguments."""
    tree = ast.parse(source)
    in_signatures = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for annotation in [
                node.returns,
                *(argument.annotation for argument in node.args.args),
            ]:
                if annotation is not None:
                    in_signatures |= names_in(ast.unparse(annotation))
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if node.name in in_signatures:
                continue
            yield node.name
            for method in getattr(node, "body", []):
                if isinstance(node, ast.ClassDef) and isinstance(
                    method, ast.FunctionDef
                ):
                    yield method.name


def users():
    """Names used on each page, in each tool and in each module."""
    folders = ("tools", "experiments", "book/_ext", "tests/benchmarks")
    scripts = [path for f in folders for path in (ROOT / f).rglob("*.py")]
    found = {
        path: names_in(path.read_text("utf-8"))
        for path in [*scripts, *LIBRARY.rglob("*.py")]
    }
    for path in (ROOT / "book").glob("*.ipynb"):
        notebook = json.loads(path.read_text("utf-8"))
        found[path] = set().union(
            *(
                names_in("".join(cell["source"]))
                for cell in notebook["cells"]
                if cell["cell_type"] == "code"
            )
        )
    return found


def test_every_public_name_is_used_outside_its_module():
    found = users()
    for name in TEACHING:
        path = LIBRARY / f"{name}.py"
        elsewhere = set().union(*(n for p, n in found.items() if p != path))
        for public in public_names(path.read_text("utf-8")):
            # Python or torch calls these
            if public.startswith("_") or public in ("forward", "backward"):
                continue
            if not public.endswith("Error"):
                assert public in elsewhere, f"{name}.{public} is not used"


def test_the_library_page_shows_every_module_and_who_uses_it():
    shown = re.findall(
        r"^## ([\w.]+)\n\n```\{used-in\} ([\w.]+)\n```\n\n```\{eval-rst\}\n"
        r"\.\. automodule:: unrolled\.([\w.]+)$",
        read("book/library.md"),
        flags=re.M,
    )
    assert all(len(set(names)) == 1 for names in shown)
    assert sorted(names[0] for names in shown) == sorted(
        path.replace("/", ".") for path in MODULES.values()
    )


def test_who_uses_a_module_is_read_from_the_imports():
    importers = load("book/_ext/from_notebooks.py").importers
    pages, modules = importers("series")
    assert [page.stem for page in pages] == [
        "8_1_sequence_models",
        "8_1a_errors_over_the_horizon",
        "a_5_classic_exercises",
    ]
    assert modules == []
    assert importers("horizon")[1] == ["course.several"]
    pages, modules = importers("ngrams")
    assert "8_3_language_models" in [page.stem for page in pages]
    assert modules == ["course.tasks"]
    assert importers("course.tasks") == ([], ["course.exercises"])
    assert importers("course.series") == ([], [])


# other programs import these
STAY = {
    "batches": "SequenceLoader random_batches sequential_batches",
    "claims": "claim",
    "corpus": "load_corpus",
    "generation": "generate",
    "markov": "MarkovChain",
    "metrics": "bits_per_token perplexity",
    "ngrams": "KneserNeyLM NgramLM count_ngrams fit_zipf",
    "reference": "import_d2l",
    "rnn": "RNNLM",
    "training": "clip_gradients evaluate train",
    "vocab": "Vocab clean_lines tokenize",
}


def test_names_that_other_programs_import_stay_where_they_are():
    for module, names in STAY.items():
        imported = importlib.import_module(f"unrolled.{module}")
        for name in names.split():
            assert callable(getattr(imported, name))


def test_every_folder_of_the_library_is_installed():
    stated = tomllib.loads(read("pyproject.toml"))["tool"]["setuptools"]
    folders = {
        ".".join(path.parent.relative_to(ROOT / "lib").parts)
        for path in LIBRARY.rglob("*.py")
    }
    assert set(stated["packages"]) == folders


def test_one_test_file_for_each_module():
    tests = {p.stem for p in (ROOT / "tests").glob("test_*.py")}
    assert {f"test_{m}" for m in MODULES} <= tests


def test_modules_stay_small():
    counted = load("tools/count_lines.py").library()
    for module in counted:
        if module.module == "course.tasks":  # it is data
            continue
        assert module.lines <= 250, f"{module.module}: {module.lines} lines"


def test_what_the_course_teaches_stays_small(capsys):
    tool = load("tools/count_lines.py")
    counted = tool.library()
    with capsys.disabled():
        print("\n" + tool.table(counted))
    assert tool.taught(counted) <= 1500


def test_lines_are_counted_by_their_kind():
    source = '''"""Holds nothing.

Two lines more.
"""

import math  # a comment

# another


def root(x):
    """Of x."""
    x = check_number("x", x, "[0, inf)")
    if x == 7:
        words = "seven"
        raise ValueError(
            words
        )
    for y in (x,):
        if y:
            raise TypeError
        elif not y:
            raise KeyError
    try:
        text = """one
        string"""
    except ValueError:
        raise KeyError from None
    if x:
        raise ValueError
    else:
        return math.sqrt(x)
'''
    counted = load("tools/count_lines.py").count(source, "roots")
    assert counted.lines == source.count("\n") == 32
    # import, def, try, two of text, if, raise, else, return
    assert counted.code == 9
    # one call, five of the branch, five of the loop, two of the except
    assert counted.checks == 13


def test_no_module_is_named_as_what_it_holds():
    for module, path in MODULES.items():
        source = read(f"lib/unrolled/{path}.py")
        assert not re.search(rf"^(?:def|class) {module}\b", source, re.M)


def test_one_version_everywhere():
    version = unrolled.__version__
    assert f"version: {version}" in read("CITATION.cff")
    assert f"## {version}" in read("CHANGELOG.md")


def tracked():
    """The text of every file that git knows."""
    names = subprocess.check_output(
        ["git", "ls-files", "-z"], cwd=ROOT, text=True
    ).split("\0")
    for name in filter(None, names):
        try:
            yield name, read(name)
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # a picture, or a file deleted but not yet committed


def test_the_address_is_a_placeholder_in_one_place():
    url = yaml.safe_load(read("_config.yml"))["repository"]["url"]
    assert url == "https://github.com/_owner_/unrolled"
    here = str(Path(__file__).relative_to(ROOT))
    named = [
        name
        for name, text in tracked()
        if re.search(r"github\.com/[\w.-]+/unrolled\b|/_owner_/", text)
        and name not in (here, "tests/test_address.py")
    ]
    assert named == ["_config.yml"]


def test_one_first_cell_everywhere():
    cell = load("tools/first_cell.py")
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        first = cell.first_code_cell(json.loads(path.read_text("utf-8")))
        assert "".join(first["source"]) == cell.SOURCE, path.name
        assert first["metadata"] == cell.METADATA, path.name
        printed = "".join(first["outputs"][0]["text"])
        assert re.fullmatch(r"Python 3[^\n]*may differ\.\n", printed)


REGISTRIES = (
    r"//(?:www\.|test\.)?(?:pypi\.org|pypi\.python\.org|anaconda\.org"
    r"|conda-forge\.org|npmjs\.com|npmjs\.org|crates\.io|rubygems\.org"
    r"|pypi\.io|pypistats\.org|libraries\.io)"
)


def test_every_page_ran_in_its_time():
    """As it was last executed, on idle cores; no clock runs here."""
    pages = sorted((ROOT / "book").glob("*.ipynb"))
    assert len(pages) > 15
    for path in pages:
        facts = json.loads(path.read_text("utf-8"))["metadata"]["unrolled"]
        assert 0 < facts["seconds"] <= 40, f"execute {path.stem} when idle"


def test_no_link_to_a_package_registry():
    for name, text in tracked():
        # an old address of the rules above is not a link
        if name != "tests/test_project.py":
            assert not re.search(REGISTRIES, text), name


def test_workflows_test_every_supported_python():
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["requires-python"] == f">={matrix[0]}"
    minors = [int(version.removeprefix("3.")) for version in matrix]
    assert minors == list(range(11, 15))


def test_the_publishing_workflow_runs_what_is_tested():
    workflow = yaml.safe_load(read(".github/workflows/publish.yml"))
    steps = workflow["jobs"]["publish"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    assert runs == [
        "make book",
        ".venv/bin/python tools/publish_notebooks.py --site _build/html",
    ]
    assert workflow["permissions"]["contents"] == "write"
    branch = yaml.safe_load(read("_config.yml"))["repository"]["branch"]
    assert branch == load("tools/publish_notebooks.py").BRANCH


def test_requirements_and_constraints_agree():
    named = re.findall(r"^([\w-]+)[=<>]", read("requirements.txt"), re.M)
    fixed = dict(
        line.lower().replace("_", "-").split("==")
        for line in read("constraints.txt").splitlines()
        if "==" in line and not line.startswith("#")
    )
    assert len(named) > 8
    for name in named:
        assert name.lower() in fixed, f"{name} is not in constraints.txt"
    assert fixed["torch"] == "2.13.0"
    assert fixed["d2l"] == "0.17.0"
    assert "torch==2.13.0" in read("requirements.txt")
    assert "d2l==0.17.0" in read("requirements.txt")


def test_every_requirement_earns_its_place_in_words():
    for line in read("requirements.txt").splitlines():
        if line and not line.startswith("#"):
            assert re.search(r"\s#\s+\S+ \S+", line), line


def test_the_readme_names_every_page_and_says_what_modules_hold():
    readme = read("README.md")
    for path in (ROOT / "book").glob("*.ipynb"):
        assert f"](book/{path.name})" in readme
    for path in MODULES.values():
        source = read(f"lib/unrolled/{path}.py")
        words = ast.get_docstring(ast.parse(source)).split("\n")[0]
        name = path.replace("/", ".")
        row = f"| [`{name}`](lib/unrolled/{path}.py) | {words[:-1]} |"
        assert row in readme.splitlines(), f"wanted in the README: {row}"


def test_findings_in_the_readme_are_claims_of_the_course():
    (words,) = re.findall(
        r"^\*\*What it found\.\*\* (.*?)\n\n", read("README.md"), re.M | re.S
    )
    claims = json.loads(read("lib/unrolled/data/claims.json"))
    numbers = re.findall(r"\d[\d.,]*\d", words)
    assert len(numbers) >= 4
    said = " ".join(claim["sentence"] for claim in claims)
    for number in numbers:
        assert re.search(rf"\b{re.escape(number)}\b", said), number


GUIDES = ("README.md", "CONTRIBUTING.md")


@pytest.mark.parametrize("guide", GUIDES)
def test_what_a_guide_names_exists(guide):
    text = read(guide)
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.M))
    for target in re.findall(r"(?:`|^)make (\w+)", text, re.M):
        assert target in targets, target


def test_contributors_are_told_of_every_target_and_every_role():
    guide = read("CONTRIBUTING.md")
    known = {"book", "serve", "test"}  # in the README
    for target in set(re.findall(r"^([a-z]+):", read("Makefile"), re.M)):
        assert target in known or f"| `make {target}` |" in guide, target
    for role in load("tools/forms.py").TITLES:
        assert role.startswith("install") or f"`{role}`" in guide, role


def test_torch_is_a_floor_for_those_who_bring_their_own():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    (torch,) = [d for d in project["dependencies"] if d.startswith("torch")]
    assert re.fullmatch(r"torch>=[\d.]+", torch)
