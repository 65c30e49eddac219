"""What nbval cannot see in a notebook: faults that it would let pass."""

import ast
import re
from types import SimpleNamespace

import nbformat

import nbval_near
from scripts import load

forms = load("tools/forms.py")

ALLOWED_TAGS = {"hide-input", "nbval-ignore-output", "corpus"}
LIMITS = SimpleNamespace(  # of tolerances; this project sets no others
    **{name: default for name, (default, _) in nbval_near.SETTINGS.items()}
)
MOST_IGNORED = 3  # cells of one notebook whose output is not compared
LONGEST_CELL = 45  # lines
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|root|tmp|work|usr|opt|Users|content)/|[A-Z]:\\"
)
# two spaces inside a line, or at its start: a table drawn with spaces
ALIGNED = re.compile(r"^ |\S {2,}\S", flags=re.M)
MYST = re.compile(r"^(?::::|```\{|\{[a-z:-]+\}`)", flags=re.M)


def code_cells(notebook):
    """The code cells that hold any code."""
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.source.strip()
    ]


def texts(cell):
    """Everything that a cell printed or showed as text."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
        found.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


def claim_calls(cell):
    """The calls of claim() in a cell, as syntax trees."""
    return [
        node
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) == "claim"
    ]


def has_image(cell):
    """Whether the cell drew a figure."""
    return any(
        name.startswith("image/")
        for output in cell.outputs
        for name in output.get("data", {})
    )


def role(cell):
    """What the cell is for; None where its code is the lesson."""
    return cell.metadata.get("unrolled", {}).get("role")


def faults(notebook) -> list[str]:
    """Every fault of a notebook, as sentences; none is what we want."""
    found = []
    cells = code_cells(notebook)
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"not executed top to bottom: counts {counts}")
    for number, cell in enumerate(cells, start=1):
        found += [f"cell {number}: {fault}" for fault in _cell_faults(cell)]
    found += _form_faults(notebook)
    ignored = [
        c for c in cells if "nbval-ignore-output" in c.metadata.get("tags", [])
    ]
    if len(ignored) > MOST_IGNORED:
        found.append(f"{len(ignored)} cells are not compared")
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and MYST.search(cell.source):
            found.append(f"MyST in a text cell: {cell.source[:60]!r}")
    return found


def _cell_faults(cell):
    for output in cell.outputs:
        if output.output_type == "error":
            yield "ended in an error"
        if output.get("name") == "stderr":
            yield f"wrote to stderr: {output.text[:60]!r}"
        if output.output_type == "execute_result":
            yield "shows a bare value; print it"
    printed = texts(cell)
    if ABSOLUTE_PATH.search(printed):
        yield "prints an absolute path"
    if "object at 0x" in printed:
        yield "prints a memory address"
    for tag in set(cell.metadata.get("tags", [])) - ALLOWED_TAGS:
        yield f"has the tag {tag!r}"
    aligned = [
        line
        for output in cell.outputs
        for line in output.get("text", "").splitlines()
        if ALIGNED.search(line)
    ]
    if aligned:
        yield f"aligns with spaces; show a table: {aligned[0]!r}"
    if re.search(r"#\s*NBVAL_|^\s*[%!]", cell.source, flags=re.M):
        yield "has a magic or a marker that hides something"
        return  # a magic is not Python: the rest cannot be read
    try:
        own = cell.metadata.get("nbval_near", {})
        nbval_near.cell_tolerance(own, LIMITS)
    except ValueError as error:
        yield f"has a tolerance that it may not have: {error}"
    if cell.source.count("\n") + 1 > LONGEST_CELL:
        yield f"has more than {LONGEST_CELL} lines"
    if has_image(cell):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt) < 30:
            yield "draws a figure without alt text"
        if any("image/svg+xml" not in o.get("data", {}) for o in cell.outputs):
            yield "draws a figure that is not SVG, or prints beside it"
        elif any("image/png" not in o["data"] for o in cell.outputs):
            yield "has no PNG beside its SVG; run make execute"
        if role(cell) != "drawing":
            yield "draws a figure, but its role is not drawing"
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield "has a star import"
    yield from _claim_faults(cell)


def _form_faults(notebook):
    """What tools/forms.py would change, and figures without a caption."""
    shaped = nbformat.from_dict(notebook)
    forms.apply(shaped)
    for cell, right in zip(notebook.cells, shaped.cells, strict=True):
        if (cell.source, cell.metadata) != (right.source, right.metadata):
            yield f"not in its form; run make forms: {cell.source[:60]!r}"
    following = [*notebook.cells[1:], None]
    for cell, after in zip(notebook.cells, following, strict=True):
        if cell.cell_type == "code" and role(cell) == "drawing":
            if "figure" not in cell.metadata["unrolled"]:
                yield f"a drawing without a name: {cell.source[:60]!r}"
            if isinstance(ast.parse(cell.source).body[-1], ast.Expr):
                found = ast.unparse(ast.parse(cell.source).body[-1])
                # a semicolon is not seen where history is not stored
                if not found.startswith(("share_legend(", "picture(")):
                    yield f"a drawing that ends in a value: {found[:60]!r}"
            if after is None or not forms.CAPTION.match(after.source):
                yield f"a figure without a caption: {cell.source[:60]!r}"


def _claim_faults(cell):
    calls = claim_calls(cell)
    if (role(cell) == "finding") != bool(calls):
        yield "has claims and another role, or the role and no claim"
    asserts = [
        node
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Assert)
    ]
    if role(cell) == "check" and not (asserts and not cell.outputs):
        yield "is a check that asserts nothing, or that prints"
    if role(cell) == "finding" and asserts:
        yield "mixes a finding with a check"
    statements = [
        ast.dump(s.value)
        for s in ast.parse(cell.source).body
        if isinstance(s, ast.Expr)
    ]
    if any(ast.dump(call) not in statements for call in calls):
        yield "has a claim inside a loop, function or expression"
    for call in calls:
        sentence, holds = call.args
        names = [n for n in ast.walk(holds) if isinstance(n, ast.Name)]
        if not names:
            yield "has a claim whose truth is a constant"
        if not re.search(r"\d", ast.unparse(sentence)) and not any(
            isinstance(n, ast.FormattedValue) for n in ast.walk(sentence)
        ):
            yield "has a claim without a number"
