"""Self-checks: folded answers in the page, choices where the script runs."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
HEADING = "## Self-check"


def has_self_check(notebook):
    """Whether a cell of the notebook holds a self-check."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return any(HEADING in "".join(cell["source"]) for cell in cells)


CHAPTERS = sorted(
    path.stem
    for path in (ROOT / "book").glob("*.ipynb")
    if has_self_check(path)
)
# without formulas, which take most of the time until a page is there
ONE = "plain/book/8_4_recurrent_networks.html"
EXPLAIN = "Explain the other answers"

pytestmark = pytest.mark.slow


def words(element):
    """Its text without formulas, which look otherwise once typeset."""
    for formula in element.find_all(class_="math"):
        formula.decompose()
    return " ".join(element.get_text().split())


def questions_of(chapter):
    """What the built page holds: for each question its folded answers.

    An answer is its text, "Yes." or "No.", and the explanation.
    """
    html = (SITE / "book" / f"{chapter}.html").read_text("utf-8")
    section = BeautifulSoup(html, "html.parser").find(id="self-check")
    questions = []
    for element in section.find_all(["p", "details"], recursive=False):
        if element.name == "p":
            questions.append((words(element), []))
            continue
        summary = element.summary.extract()
        verdict = element.strong.extract().get_text()
        questions[-1][1].append((words(summary), verdict, words(element)))
    return questions[1:]  # the first paragraph introduces them


def forms(visited):
    """All questions of the page that is open."""
    return visited.page.locator("form.selfcheck").all()


def choose(form, place):
    """Choose an answer and have it checked; the verdict."""
    form.get_by_role("radio").nth(place).check()
    form.get_by_role("button", name="Check").click()
    return form.locator(".verdict")


def right_and_wrong(chapter):
    """For each question the place of the right answer and of a wrong one."""
    verdicts = [
        [verdict for _, verdict, _ in answers]
        for _, answers in questions_of(chapter)
    ]
    return [(v.index("Yes."), v.index("No.")) for v in verdicts]


def count(visited):
    return visited.page.locator(".selfcheck-end p").inner_text()


# goes through all questions: chooses each answer, has it checked and the
# others explained; what is shown then, without formulas
THROUGH = """() => {
  const said = (e) => {
    const copy = e.cloneNode(true);
    copy.querySelectorAll(".math").forEach((formula) => formula.remove());
    return copy.textContent.split(/\\s+/).join(" ").trim();
  };
  const seen = (form, what) =>
    [...form.querySelectorAll(what)].filter((e) => e.checkVisibility());
  return [...document.querySelectorAll("form.selfcheck")].map((form) => {
    const press = (name) => seen(form, "button")
      .find((e) => e.textContent.trim() === name).click();
    return {
      question: said(form.querySelector("legend")),
      answers: [...form.querySelectorAll("label")].map(said),
      tries: [...form.querySelectorAll("input[type=radio]")].map((radio) => {
        radio.click();
        press("Check");
        const verdicts = seen(form, ".verdict").map(said);
        const early = seen(form, ".answer .why").length;
        press("EXPLAIN");
        return [verdicts, early, seen(form, ".answer .why").map(said)];
      }),
    };
  });
}""".replace("EXPLAIN", EXPLAIN)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_answer_gets_its_own_verdict(visit, chapter):
    questions = questions_of(chapter)
    assert len(questions) == 5
    visited = visit()
    visited.go(f"book/{chapter}.html")
    # moving the answers has lost no formula
    visited.page.wait_for_function(
        "() => [...document.querySelectorAll('#self-check .math')]"
        ".every(e => e.querySelector('mjx-container'))"
    )
    for form, (question, answers) in zip(
        visited.page.evaluate(THROUGH), questions, strict=True
    ):
        assert form["question"] == question
        assert [v for _, v, _ in answers].count("Yes.") == 1
        assert len(answers) in (3, 4)
        assert form["answers"] == [text for text, _, _ in answers]
        for place, (tried, (_, verdict, why)) in enumerate(
            zip(form["tries"], answers, strict=True)
        ):
            verdicts, early, explained = tried
            word = {"Yes.": "Right.", "No.": "Not yet."}[verdict]
            assert verdicts == [f"{word} {why}"]
            assert early == 0
            assert explained == [
                f"{v} {w}" for i, (_, v, w) in enumerate(answers) if i != place
            ]


@pytest.mark.parametrize(
    ("chapter", "width"), [(CHAPTERS[0], 1280), *((c, 360) for c in CHAPTERS)]
)
def test_nothing_moves_when_the_script_runs(visit, chapter, width):
    visited = visit(width=width)
    page = visited.page
    page.route("**/selfcheck.js*", lambda route: route.fulfill(body=""))
    visited.go(f"book/{chapter}.html")
    # as a reader left it who answered: nothing moves then either
    state = {str(n): {"first": 0, "now": n % 3} for n in range(1, 6)}
    page.evaluate(
        "state => localStorage.setItem('unrolled:selfcheck:'"
        " + location.pathname, JSON.stringify(state))",
        state,
    )
    page.wait_for_function(
        "() => !document.querySelector('.math:not(:has(mjx-container))')"
    )
    height = "document.querySelector('#self-check').offsetHeight"
    below = "document.querySelector('#take-away').getBoundingClientRect().top"
    page.locator("#self-check details").last.scroll_into_view_if_needed()
    before = page.evaluate(f"[{height}, {below}]")
    page.unroute("**/selfcheck.js*")
    page.evaluate(
        "() => { window.shifts = [];"
        " new PerformanceObserver(l => window.shifts.push("
        "...l.getEntries().map(e => e.value))).observe("
        "{type: 'layout-shift', buffered: false}); }"
    )
    page.add_script_tag(url=f"{visited.site}_static/selfcheck.js")
    page.wait_for_timeout(200)
    assert page.evaluate(f"[{height}, {below}]") == before
    assert page.evaluate("window.shifts") == []
    assert page.locator("form.selfcheck :checked").count() == 5


def test_answers_are_remembered_until_the_reader_starts_over(visit):
    visited = visit()
    visited.go(ONE)
    assert count(visited) == "Nothing answered yet."
    places = right_and_wrong("8_4_recurrent_networks")
    (right, _), (second, wrong) = places[:2]
    choose(forms(visited)[0], right)
    choose(forms(visited)[1], wrong)
    assert count(visited) == "Right now: 1 of 5. At the first try: 1 of 5."
    choose(forms(visited)[1], second)
    assert count(visited) == "Right now: 2 of 5. At the first try: 1 of 5."
    choose(forms(visited)[0], places[0][1])
    kept = "Right now: 1 of 5. At the first try: 1 of 5."
    assert count(visited) == kept

    visited.go(ONE)
    assert count(visited) == kept
    states = [
        (
            form.locator(":checked").count(),
            form.locator(".before").inner_text(),
        )
        for form in forms(visited)
    ]
    assert states[:2] == [(1, "Last time: not yet."), (1, "Last time: right.")]
    assert set(states[2:]) == {(0, "")}
    # the explanation is one press away, and no new try
    forms(visited)[1].get_by_role("button", name="Check").click()
    assert (
        forms(visited)[1].locator(".verdict").inner_text().startswith("Right.")
    )
    assert count(visited) == kept

    # another page has a memory of its own
    visited.go(f"book/{CHAPTERS[0]}.html")
    assert visited.page.locator("form.selfcheck :checked").count() == 0

    visited.go(ONE)
    visited.page.get_by_role("button", name="Start over").click()
    for _ in range(2):
        assert count(visited) == "Nothing answered yet."
        assert visited.page.locator("form.selfcheck :checked").count() == 0
        assert visited.page.locator(".verdict:not(:empty)").count() == 0
        visited.go(ONE)
    assert (
        visited.page.evaluate(
            "Object.keys(localStorage).filter(k => k.startsWith('unrolled'))"
        )
        == []
    )


@pytest.mark.parametrize(
    "kept", ["not JSON", "null", "7", '{"1": {"first": 0, "now": 9}}']
)
def test_a_memory_that_makes_no_sense_is_no_memory(visit, kept):
    visited = visit()
    visited.go(ONE)
    visited.page.evaluate(
        "kept => localStorage.setItem("
        "'unrolled:selfcheck:' + location.pathname, kept)",
        kept,
    )
    visited.go(ONE)
    assert count(visited) == "Nothing answered yet."
    choose(forms(visited)[0], 0)
    visited.go(ONE)
    assert visited.page.locator("form.selfcheck :checked").count() == 1


def test_where_nothing_can_be_stored_one_can_still_answer(visit):
    visited = visit(own=True)
    visited.page.add_init_script(
        "for (const name of ['getItem', 'setItem', 'removeItem']) {"
        " const plain = Storage.prototype[name];"
        " Storage.prototype[name] = function (key, ...rest) {"
        "  if (key.startsWith('unrolled')) throw new DOMException('no');"
        "  return plain.call(this, key, ...rest); }; }"
    )
    visited.go(ONE)
    for form, (right, wrong) in zip(
        forms(visited), right_and_wrong("8_4_recurrent_networks"), strict=True
    ):
        assert "Not yet." in choose(form, wrong).inner_text()
        assert "Right." in choose(form, right).inner_text()
    assert count(visited) == "Right now: 5 of 5. At the first try: 0 of 5."
    visited.page.get_by_role("button", name="Start over").click()
    assert count(visited) == "Nothing answered yet."


def test_by_keyboard(visit):
    visited = visit()
    visited.go(ONE)
    page, form = visited.page, forms(visited)[0]
    (right, _), *_ = right_and_wrong("8_4_recurrent_networks")
    page.locator("#exercises summary").last.focus()
    for _ in range(9):  # the formulas of the question take the focus too
        page.keyboard.press("Tab")
        if form.locator("input:focus").count():
            break
    page.keyboard.press("Space")
    for _ in range(right):
        page.keyboard.press("ArrowDown")
    # going past an answer is not trying it
    assert count(visited) == "Nothing answered yet."
    label = form.locator("label").nth(right)
    assert label.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert form.locator(".verdict").inner_text().startswith("Right.")
    assert count(visited) == "Right now: 1 of 5. At the first try: 1 of 5."
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    others = form.get_by_role("button", name=EXPLAIN)
    assert others.evaluate("e => e === document.activeElement")
    assert others.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert others.get_attribute("aria-expanded") == "true"
    assert form.locator(".answer .why:visible").count() > 0
    page.keyboard.press("Enter")
    assert form.locator(".answer .why:visible").count() == 0
    again = page.get_by_role("button", name="Start over")
    again.focus()
    page.keyboard.press("Enter")
    first = form.get_by_role("radio").first
    assert first.evaluate("e => e === document.activeElement")


def test_a_question_is_a_named_group_with_a_live_verdict(visit):
    visited = visit()
    visited.go(ONE)
    for form, (question, answers) in list(
        zip(
            forms(visited),
            questions_of("8_4_recurrent_networks"),
            strict=True,
        )
    )[1:]:  # the first has a formula in its name
        group = form.get_by_role("group", name=question, exact=True)
        assert group.get_by_role("radio").count() == len(answers)
        for text, _, _ in answers:
            answer = group.get_by_role("radio", name=text, exact=True)
            assert answer.count() == 1
        assert group.locator(".verdict[aria-live=polite]").count() == 1
    choose(forms(visited)[0], 0)
    form = forms(visited)[1]
    form.get_by_role("button", name="Check").click()
    assert form.locator(".verdict").inner_text() == "Choose an answer first."
    form.get_by_role("radio").first.check()
    assert form.locator(".verdict").inner_text() == ""


@pytest.mark.parametrize("width", [1280, 360])
def test_a_finger_hits_every_control(visit, width):
    visited = visit(width=width, has_touch=True, is_mobile=True)
    visited.go(ONE)
    choose(forms(visited)[0], 0)
    sizes = visited.page.locator(
        ":is(form.selfcheck, .selfcheck-end) :is(label, button:not([hidden]))"
    ).evaluate_all(
        "all => all.map(e => e.getBoundingClientRect())"
        ".map(box => [box.width, box.height])"
    )
    assert len(sizes) > 5 * 4
    assert all(min(size) >= 44 for size in sizes)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_without_the_script_there_are_folded_answers(visit, chapter):
    visited = visit(java_script_enabled=False)
    page = visited.page
    visited.go(f"book/{chapter}.html")
    section = page.locator("#self-check")
    assert section.locator("form").count() == 0
    total = sum(len(answers) for _, answers in questions_of(chapter))
    folds = section.locator("details")
    assert folds.count() == total
    assert section.locator("details > p:visible").count() == 0
    folds.first.locator("summary").click()
    assert folds.first.locator("p").is_visible()


def test_solutions_of_exercises_stay_folds(visit):
    visited = visit()
    visited.go(ONE)
    solutions = visited.page.locator("#exercises details > summary")
    assert solutions.all_inner_texts() == [
        f"Solution {number}" for number in range(1, 6)
    ]
