"""The Chinese edition: nothing missing, nothing stale, the same numbers."""

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools" / "translation"))

import catalogs  # noqa: E402
import cells  # noqa: E402
import certify  # noqa: E402
import checks  # noqa: E402
import generate  # noqa: E402
import library  # noqa: E402
import lines  # noqa: E402
import outputs  # noqa: E402
import pages  # noqa: E402
import prose  # noqa: E402
import site_zh  # noqa: E402
import update  # noqa: E402

WANTED = update.wanted()
NAMES = sorted(WANTED)
NOTEBOOKS = [n for n in pages.page_names() if n.endswith(".ipynb")]
WORDS = checks.glossary()
made = pytest.mark.skipif(
    not generate.TARGET.exists(), reason="make zh writes the Chinese pages"
)


def read(page, folder):
    return json.loads((folder / page).read_text("utf-8"))


# --- the catalogs ----------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_catalog_follows_the_english(name):
    old = catalogs.read(name)
    new = catalogs.text_of(catalogs.renewed(old, WANTED[name]))
    assert new == catalogs.path_of(name).read_text("utf-8"), (
        "the English has changed: make catalogs, then translate what is fuzzy"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_catalog_is_translated_and_the_checks_are_content(name):
    for message in catalogs.read(name):
        if message.id:
            assert message.string, message.id
            assert not message.fuzzy, message.id
            found = checks.found_in(message, message.string, WORDS)
            assert not found, message.string


def test_no_catalog_is_of_nothing():
    assert {path.stem for path in catalogs.FOLDER.glob("*.po")} == set(NAMES)


@pytest.mark.parametrize(
    ("english", "chinese", "kind"),
    [
        ("It has 1,000 words.", "它有 1,001 个词。", "numbers"),
        ("It has two.", "它有 2 个。", "numbers"),
        ("So $x_t$ is one.", "所以 $x_s$ 是一。", "formulas"),
        ("Call `f(x)`.", "调用 `f(y)`。", "code"),
        ("See [8.1](a.ipynb).", "见 [8.1](b.ipynb)。", "links"),
        ("<b>So</b> it is.", "<b>就是这样。", "tags"),
        ("It is *so*.", "它是这样。", "emphasis"),
        ("**Yes.** It is.", "**对。**是。", "emphasis"),  # no strong part
        ("One. Two.", "一，二。", "sentences"),
        ("It is not so.", "就是这样。", "negation"),
        ("Not one, but not two.", "不是一，而是二。", "negation"),
        ("It has at most two.", "它有两个。", "bound"),
        ("The perplexity falls.", "混乱度下降。", "term"),
        ("It is here.", "它 is here as it was before 了。", "English"),
        ("It has a word.", "它有word。", "spaces"),
        ("It has words.", "它有 词。", "spaces"),
        ("It has one, or two.", "它有一个,或两个。", "punctuation"),
        ("It (so) is.", "它(这样)是。", "punctuation"),
        ("It is.", " ", "missing"),
    ],
)
def test_what_the_checks_find(english, chinese, kind):
    found = checks.problems(english, chinese, words=WORDS)
    assert [problem.split(":")[0] for problem in found].count(kind) == 1


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("{a:.2f} of {n} are so.", "{n} 个中有 {b:.2f} 个是这样。"),
        ("{a:.2f} of {n} are so.", "有 {a:.2f 个，共 {n} 个。"),
        ("{a} are so.", "是 {a} 个，共 {a} 个。"),
    ],
)
def test_placeholders_are_the_same(english, chinese):
    found = checks.problems(english, chinese, is_template=True)
    assert found
    assert found[-1].startswith("placeholders")


@pytest.mark.parametrize(
    ("english", "chinese", "is_template"),
    [
        (
            "**Figure 2.** All of it, $x_t$, in `x` (8.1 to 8.5).",
            "**图 2.** 全部，$x_t$，在 `x` 中（8.1 到 8.5）。",
            False,
        ),
        ("{a} of {n:,} lose 5 %.", "{n:,} 个中有 {a} 个丢了 5 %。", True),
        (
            "Braces {{a}} stay, {n} does not move.",
            "花括号 {{a}} 保留，{n} 不动。",
            True,
        ),
        ("J. Bell wrote it, e.g. here.", "J. Bell 写的，例如这里。", False),
    ],
)
def test_what_is_right_passes(english, chinese, is_template):
    found = checks.problems(
        english, chinese, is_template=is_template, words=WORDS
    )
    assert found == []


def test_planted_errors_are_found():
    table = certify.main(10, 3)
    for kind, (planted, found) in table.items():
        least = {"a negation dropped": 4, "a wrong term": 6}.get(kind, planted)
        assert least <= found <= planted == 10, kind


def test_the_glossary_has_one_word_for_each_term():
    assert WORDS["perplexity"] == ["困惑度"]
    assert WORDS["bigram"] == ["二元"]
    assert checks.terms_in("Two hidden states and a state.", WORDS) == [
        "hidden state"
    ]


def test_a_changed_message_becomes_fuzzy_and_an_unknown_one_empty():
    old = catalogs.Catalog("zh_CN")
    old.add("It has two legs and a head.", "它有两条腿和一个头。")
    old.add("Gone.", "没了。")
    said = [("It has two legs and a tail.", "a"), ("Something else?", "b")]
    changed, new = (m for m in catalogs.renewed(old, said) if m.id)
    assert changed.fuzzy
    assert changed.string == "它有两条腿和一个头。"
    assert (new.string, new.fuzzy) == ("", False)


def test_a_translator_refuses_what_is_fuzzy_or_missing(tmp_path):
    catalog = catalogs.Catalog("zh_CN")
    catalog.add("Old.", "旧。", flags=["fuzzy"])
    catalog.add("New.", "新。")
    text = catalogs.text_of(catalog)
    catalogs.path_of("page", tmp_path).write_text(text, "utf-8")
    say = catalogs.translator("page", folder=tmp_path)
    assert say("New.") == "新。"
    for text in ("Old.", "Never."):
        with pytest.raises(catalogs.UntranslatedError, match=text[:-1]):
            say(text)


# --- what is walked through --------------------------------------------------


def test_the_pieces_of_markdown():
    source = (
        "# One\n\nTwo lines\nof text with $x$.\n\n- an item\n  of two\n"
        "- `x`\n\n| a cell | b |\n|---|---|\n\n```python\nnot = this\n```\n\n"
        "<details><summary>Solution 1</summary>\n\n$$x = \\text{so many}\n"
        "+ 1$$\n\n</details>\n\n$$x$$\n"
    )
    heard = []
    same = prose.translated(source, lambda text: heard.append(text) or text)
    assert heard == [
        "One",
        "Two lines of text with $x$.",
        "an item of two",
        "| a cell | b |",
        "Solution 1",
        "$$x = \\text{so many}\n+ 1$$",
    ]
    assert same == source.replace("lines\nof", "lines of").replace(
        "item\n  of", "item of"
    )


def test_the_pieces_of_code():
    source = (
        "# @title How\n# one\n# comment\nx = f(1)  # another\n\n\n"
        'def f(n):\n    """Docs."""\n    claim(\n        f"it is {n:.2f} "\n'
        '        f"{{so}}.",\n        n > 0,\n    )\n    print("alone")\n'
    )
    heard = []
    said = {
        "How": "如何",
        "one comment": "一条注释",
        "another": "另一条",
        "Docs.": "文档。",
        "it is {n:.2f} {{so}}.": "它是 {n:.2f}，即 {{so}}。",
    }

    def say(text):
        heard.append(text)
        return said[text]

    other = cells.translated(source, say)
    assert sorted(heard) == sorted(said)
    assert blanked(other) == blanked(source)
    assert '"""文档。"""' in other
    assert "# 一条注释\n" in other
    assert 'print("alone")' in other
    scope = {"claim": lambda sentence, _: print(sentence)}
    exec(compile(other.split("\n\n\n")[1], "x", "exec"), scope)


def test_wrapping_counts_wide_characters_twice():
    rows = lines.wrapped(
        "一二三四五，六七 abc defg", 10
    )  # no line begins "，"
    assert rows == ["一二三四", "五，六七", "abc defg"]
    assert all(lines.columns(row) <= 10 for row in rows)


@pytest.mark.parametrize(
    ("line", "english", "chinese", "other"),
    [
        ("3 of 1,000.", "{a} of {n:,}.", "{n:,} 中的 {a}。", "1,000 中的 3。"),
        ("a is {b}.", "{x} is {{b}}.", "{x} 是 {{b}}。", "a 是 {b}。"),
        (
            "it is a, b, 1.50.",
            "it is {name}, {n:.2f}.",
            "{n:.2f} 是 {name}。",
            "1.50 是 a, b。",  # the last of them is the number
        ),
        ("one thing.", "{a} of {n}.", "", None),
        ("1 and 2.", "{a} and {a}.", "{a} 与 {a}。", None),  # not both
    ],
)
def test_a_printed_line_gives_its_numbers(line, english, chinese, other):
    assert outputs.converted(line, english, {english: chinese}.get) == other


def test_only_whole_lines_of_the_library_are_taken_for_its_own():
    known = ["Holds: {sentence}", "a {kind}", "Exercise {name}: {called} ..."]
    words = {
        "Holds: {sentence}": "成立：{sentence}",
        "Exercise {name}: {called} ...": "练习 {name}：{called}",
        "it is {n}.": "它是 {n}。",
    }
    printed = outputs.Printed(words.get, words.get, known)
    assert printed.line("Holds: it is 3.", ["it is {n}."]) == "成立：它是 3。"
    assert printed.line("Exercise 8-1: f ...", []) == "练习 8-1：f"
    assert printed.line("a mark at each turn", []) == "a mark at each turn"
    printed = outputs.Printed(
        {"the {n}:": "第 {n} 个：", "so many:": "这么多："}.get, None, []
    )
    prints = ["the {n}:", "so many:"]
    assert printed.line("the 2: [1, 2]", prints) == "第 2 个： [1, 2]"
    assert printed.line("the 2: so many: 5", prints) == "第 2 个： 这么多： 5"
    assert printed.line("it was 2: 5", prints) == "it was 2: 5"


def test_a_sentence_that_no_claim_prints_is_an_error():
    printed = outputs.Printed(
        {"Holds: {sentence}": "成立：{sentence}"}.get,
        {"Holds: {sentence}": "成立：{sentence}"}.get,
        ["Holds: {sentence}"],
    )
    with pytest.raises(ValueError, match="no claim of the cell prints"):
        printed.line("Holds: it was 3.", ["it is {n}."])


def test_the_words_of_scripts():
    assert site_zh.key("so ${a ? `${b}` : 1} and ${c}") == "so {1} and {2}"
    assert site_zh.key("plain") == "plain"
    said = {"so {1} of {2}": "{2} 之 {1}", "No.": "不对。"}.get
    script = "t`so ${a} of ${b}`; f(t`No.`)"
    assert site_zh.reworded(script, said) == "t`${b} 之 ${a}`; f(t`不对。`)"


# --- the pages that are made -----------------------------------------------


class _Blank(ast.NodeTransformer):
    def visit_JoinedStr(self, node):
        return ast.Constant("")

    def visit_Constant(self, node):
        return ast.Constant("") if isinstance(node.value, str) else node


def blanked(source):
    """The code without strings and comments."""
    return ast.dump(_Blank().visit(ast.parse(source)))


def numbers(text):
    return Counter(re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text))


def whole(output):
    """An output, with texts that are cut into lines joined."""
    data = {k: "".join(v) for k, v in output.get("data", {}).items()}
    return {**output, "data": data}


@made
@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_chinese_notebook_is_the_same_but_for_the_words(page):
    english, chinese = read(page, pages.BOOK), read(page, generate.TARGET)
    both = list(zip(english["cells"], chinese["cells"], strict=True))
    for one, other in both:
        source, theirs = "".join(one["source"]), "".join(other["source"])
        assert one["id"] == other["id"]
        if one["cell_type"] == "markdown":
            continue
        if pages.role_of(one) == pages.INSTALL:
            theirs = theirs.replace(generate.SPEAK, "")
        assert blanked(source) == blanked(theirs)
        for before, after in zip(
            one["outputs"], other["outputs"], strict=True
        ):
            if before["output_type"] == "stream":
                said = numbers("".join(before["text"]))
                assert said == numbers("".join(after["text"]))
            elif pages.role_of(one) != "listing":
                assert whole(before) == whole(after)
    said = " ".join("".join(other["source"]) for _, other in both)
    assert len(re.findall("[\u4e00-\u9fff]", said)) > 1000


def test_links_follow_the_headings():
    text = "See [a](b.ipynb#one-two), [here](#one-two), [c](c.ipynb#one-two)."
    anchors = {"b.ipynb": {"one-two": "一二"}, "a.md": {"one-two": "三"}}
    assert generate.linked(text, "a.md", anchors) == (
        "See [a](b.ipynb#一二), [here](#三), [c](c.ipynb#one-two)."
    )


@made
def test_links_lead_to_headings_that_are_there():
    anchors = {
        page: generate.headings(
            generate.prose_of(
                page, (generate.TARGET / page).read_text("utf-8")
            )
        )
        for page in pages.page_names()
    }
    number = 0
    for page in pages.page_names():
        text = (generate.TARGET / page).read_text("utf-8")
        prose_of = generate.prose_of(page, text)
        for target, name in generate.LINK.findall(prose_of):
            assert name in anchors[target or page], (page, target, name)
            number += 1
    assert number > 100


@made
def test_what_the_library_says_and_the_list_of_claims_are_current():
    stored = generate.DATA / f"{catalogs.LANGUAGE}.mo"
    assert stored.read_bytes() == library.compiled()
    claims = json.loads(generate.CLAIMS.read_text("utf-8"))
    assert claims == generate.collect(generate.TARGET)
    english = json.loads((generate.DATA / "claims.json").read_text("utf-8"))
    for one, other in zip(english, claims, strict=True):
        assert one["chapter"] == other["chapter"]
        assert numbers(one["sentence"]) == numbers(other["sentence"])


def test_a_page_that_lacks_words_is_not_written(tmp_path):
    for path in catalogs.FOLDER.glob("*.po"):
        if path.stem != "8_2_text_preprocessing":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(catalogs.UntranslatedError, match="8_2_text"):
        generate.generate(tmp_path, tmp_path / "zh")
    assert not (tmp_path / "zh").exists()
