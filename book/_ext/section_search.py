"""A search that opens pages where the words stand.

Sphinx's index knows on which page a word occurs. This writes beside it, for
every page, the sections with their words, so that ``_static/search.js`` can
send a reader to the section, put the one that bears the word as its heading
first and the library's entries after the pages.
"""

import functools
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from docutils import nodes

HEADING = 50  # a word of a heading weighs as much as this many in the text


def words_by(language) -> Callable[[str], list[str]]:
    """The function that gives the words of a text as Sphinx indexes them."""
    stem = functools.cache(language.stem)  # a book repeats its words

    def words(text: str) -> list[str]:
        found = filter(language.word_filter, language.split(text))
        return [stem(word.lower()).lower() for word in found]

    return words


def _own_text(section: nodes.section) -> tuple[str, str]:
    """Its prose and its code, without those of the sections inside it."""
    prose, code = [], []

    def walk(node: nodes.Node) -> None:
        for child in node.children:
            if isinstance(child, nodes.literal_block):
                code.append(child.astext())
            elif isinstance(child, (nodes.Text, nodes.math_block)):
                prose.append(child.astext())
            elif not isinstance(
                child, (nodes.section, nodes.title, nodes.raw)
            ):
                walk(child)
                prose.append("\n")

    walk(section)
    return "".join(prose), "\n".join(code)


def sections_of(doctree: nodes.document, words: Callable) -> list[list]:
    """For each section: its anchor, heading and the weights of its words.

    The anchor of a page's first section is empty: it is the page's top.
    """
    found = []
    for section in doctree.findall(nodes.section):
        heading = section.next_node(nodes.title).astext()
        prose, code = _own_text(section)
        weights = Counter(words(prose))
        weights |= Counter(set(words(code)))
        for word in set(words(heading)):
            weights[word] += HEADING
        top = isinstance(section.parent, nodes.document)
        anchor = "" if top else section["ids"][0]
        found.append([anchor, heading, dict(weights)])
    return found


def write_sections(app, exception) -> None:
    """Write the index of sections beside Sphinx's own."""
    if exception or app.builder.name != "html":
        return
    words = words_by(app.builder.indexer.lang)
    pages = {
        name: sections_of(app.env.get_doctree(name), words)
        for name in sorted(app.env.found_docs)
    }
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
    script = f"export default {text};\n"
    (Path(app.outdir) / "_static" / "sections.js").write_text(script, "utf-8")


def add_script(app, page, template, context, doctree) -> None:
    """Load the script on the search page alone."""
    if page == "search":
        app.add_js_file("search.js", type="module")


def setup(app) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_sections)
    return {"version": "1", "parallel_read_safe": True}
