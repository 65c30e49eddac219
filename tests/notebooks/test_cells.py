"""Cells in another order, and the line that names the device."""

import ast
import symtable

import nbformat
import pytest

from unrolled.rnn import RNNLM

PAGES = (
    "8_2_text_preprocessing",
    "8_3_language_models",
    "8_4_recurrent_networks",
    "8_5_rnn_from_scratch",
    "8_5a_the_whole_book",
    "a_3_after_rnns",
    "a_5_classic_exercises",
    "a_5_1_text_and_data",
    "a_5_2_networks",
    "a_5_3_gradients",
)


@pytest.fixture
def book(request):
    return request.config.rootpath / "book"


def sources(path):
    notebook = nbformat.read(path, as_version=4)
    return [c.source for c in notebook.cells if c.cell_type == "code"]


def names_of(source):
    """The names that a cell makes, and those that it takes from elsewhere."""
    cell = symtable.symtable(source, "cell", "exec")
    made = {
        s.get_name()
        for s in cell.get_symbols()
        if s.is_assigned() or s.is_imported()
    }

    def read(table):
        top = table is cell
        found = {
            s.get_name()
            for s in table.get_symbols()
            if s.is_referenced() and (top or s.is_global())
        }
        return found.union(*map(read, table.get_children()))

    return made, read(cell) - made


def rebound(cells):
    """Names that a cell reads and that a later cell gives to another thing.

    Run again after the later one, the first would read what it did not mean.
    """
    names = [names_of(source) for source in cells]
    for number, (_, taken) in enumerate(names):
        before = set().union(*(made for made, _ in names[:number]))
        after = set().union(*(made for made, _ in names[number + 1 :]))
        yield from sorted(taken & before & after)


def test_what_is_found():
    assert list(rebound(["a = 1", "print(a)", "a = 2"])) == ["a"]
    assert list(rebound(["def f(): ...", "f()", "def f(): ..."])) == ["f"]
    assert list(
        rebound(["from x import f", "def g():\n return f", "f = 1"])
    ) == ["f"]
    assert not list(
        rebound(["a = 1", "a = 2\nprint(a)", "b = [a for a in b]"])
    )
    assert not list(rebound(["a = 1", "def g(a): return a", "a = 2"]))


@pytest.mark.parametrize("stem", PAGES)
def test_a_cell_may_be_run_again(stem, book):
    assert not list(rebound(sources(book / f"{stem}.ipynb")))


def test_only_the_line_of_the_device_need_change(book, monkeypatch):
    """On a device of shapes only, which no other device's tensors may meet."""
    monkeypatch.setattr(RNNLM, "forward", mixed_up(RNNLM.forward))
    cells = sources(book / "8_5_rnn_from_scratch.ipynb")
    line = 'device = "cpu"'
    (at,) = [i for i, source in enumerate(cells) if source.startswith(line)]
    last = next(i for i, s in enumerate(cells) if "\nuntrained =" in s)
    # a number that is read off a tensor: there is none here
    names = {"__name__": "__main__", "int": lambda value: 1}
    for number, source in enumerate(cells[: last + 1]):
        if number == at:
            source = source.replace(line, 'device = "meta"')
        tree = ast.parse(source)
        # of values nothing can be asserted
        tree.body = [s for s in tree.body if not isinstance(s, ast.Assert)]
        exec(compile(tree, f"cell {number}", "exec"), names)
    assert names["logits"].is_meta
    assert names["by_library"].is_meta
    assert names["by_library"].shape == names["logits"].shape
    assert all(p.is_meta for p in names["untrained"].parameters())
    assert names["by_page"].startswith(names["begins"])


def mixed_up(forward):
    """RNNLM's forward, which refuses what lies on another device."""

    def checked(self, X, state=None):
        assert X.device == self.W_xh.device
        return forward(self, X, state)

    return checked


def test_every_network_of_8_5_that_trains_goes_to_the_device(book):
    made = [
        node
        for source in sources(book / "8_5_rnn_from_scratch.ipynb")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "RNNLM"
        # small examples on 28 symbols and 16 units stay on the CPU
        and 16 not in [getattr(a, "value", None) for a in node.args]
    ]
    assert len(made) >= 3
    for call in made:
        assert "device" in [k.arg for k in call.keywords], ast.unparse(call)
