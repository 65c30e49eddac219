"""The project's files agree with one another."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

import unrolled

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    p.stem
    for p in (ROOT / "lib" / "unrolled").glob("*.py")
    if p.stem != "__init__"
)


def read(name):
    return (ROOT / name).read_text("utf-8")


def test_importing_unrolled_loads_nothing_heavy():
    code = "import sys, unrolled; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "unrolled" in loaded.split()
    assert not {"torch", "matplotlib", "d2l"} & set(loaded.split())


def test_one_test_file_for_each_module():
    tests = {p.stem for p in (ROOT / "tests").glob("test_*.py")}
    assert {f"test_{m}" for m in MODULES} <= tests


def test_modules_stay_small():
    for module in MODULES:
        lines = read(f"lib/unrolled/{module}.py").count("\n")
        assert 40 <= lines <= 450, f"{module} has {lines} lines"


def test_no_module_is_named_as_what_it_holds():
    for module in MODULES:
        source = read(f"lib/unrolled/{module}.py")
        assert not re.search(rf"^(?:def|class) {module}\b", source, re.M)


def test_one_version_everywhere():
    version = unrolled.__version__
    assert f"version: {version}" in read("CITATION.cff")
    assert f"## {version}" in read("CHANGELOG.md")
    for path in (ROOT / "book").glob("*.ipynb"):
        assert f'TAG = \\"v{version}\\"' in path.read_text("utf-8")


def test_one_repository_address_everywhere():
    url = yaml.safe_load(read("_config.yml"))["repository"]["url"]
    places = ["README.md", "CITATION.cff", "pyproject.toml"]
    places += [f"book/{p.name}" for p in (ROOT / "book").glob("*.ipynb")]
    for place in places:
        text = read(place)
        text = text.replace("https://github.com/ACCOUNT/", "an example: ")
        found = set(re.findall(r"https://github\.com/[\w.-]+/unrolled", text))
        assert found == {url}, place


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


def test_the_readme_maps_every_chapter_module_and_test():
    readme = read("README.md")
    for path in (ROOT / "book").glob("*.ipynb"):
        assert f"book/{path.name}" in readme
    for module in MODULES:
        assert f"lib/unrolled/{module}.py" in readme
        assert f"tests/test_{module}.py" in readme
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link


def test_make_targets_named_in_the_readme_exist():
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.M))
    for target in re.findall(r"(?:`|^)make (\w+)", read("README.md"), re.M):
        assert target in targets, target


def test_torch_is_a_floor_for_those_who_bring_their_own():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    (torch,) = [d for d in project["dependencies"] if d.startswith("torch")]
    assert re.fullmatch(r"torch>=[\d.]+", torch)
