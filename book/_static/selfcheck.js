// Self-checks: the folded answers at the end of a chapter become choices.
//
// The page itself holds, for each question, a paragraph that begins with its
// number in bold, then one <details> for each answer: the answer is its
// summary, and what it holds begins with "Yes." or "No." in bold. Without this
// script readers open these folds. selfcheck.css gives both forms one height.
{
  // No module, so that it runs on pages opened from a disk: the build of a
  // site in another language writes its words into these templates.
  const t = (parts, ...values) => String.raw({ raw: parts }, ...values);
  const WORDS = {
    yes: t`Yes.`,
    no: t`No.`,
    right: t`Right.`,
    wrong: t`Not yet.`,
    check: t`Check`,
    choose: t`Choose an answer first.`,
    others: t`Explain the other answers`,
    before: { true: t`Last time: right.`, false: t`Last time: not yet.` },
    none: t`Nothing answered yet.`,
    count: (now, first, all) =>
      t`Right now: ${now} of ${all}. At the first try: ${first} of ${all}.`,
    again: t`Start over`,
  };
  const KEY = `unrolled:selfcheck:${location.pathname}`;

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // What was answered on this page: { "1": { first: 2, now: 0 }, ... }, the
  // places of answers. Where storage is refused nothing is remembered.
  const remember = (answers) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(answers));
    } catch {}
  };
  const forget = () => {
    try {
      localStorage.removeItem(KEY);
    } catch {}
  };
  const recall = () => {
    try {
      const answers = JSON.parse(localStorage.getItem(KEY));
      return answers && typeof answers === "object" ? answers : {};
    } catch {
      return {};
    }
  };

  class Question {
    constructor(name, paragraph, folds) {
      this.name = name;
      this.answers = folds.map((fold, place) => this.answer(fold, place));
      this.before = make("span", { class: "before" });
      this.others = make(
        "button",
        { type: "button", "aria-expanded": "false", hidden: "" },
        WORDS.others,
      );
      this.verdict = make("div", { class: "verdict", "aria-live": "polite" });
      // nodes are moved, never copied: MathJax may be at work on them
      this.form = make(
        "form",
        { class: "selfcheck", autocomplete: "off" },
        make(
          "fieldset",
          {},
          make("legend", {}, ...paragraph.childNodes),
          ...this.answers.map(({ element }) => element),
          make(
            "div",
            { class: "buttons" },
            make("button", { type: "submit" }, WORDS.check),
            this.others,
            this.before,
          ),
          this.verdict,
        ),
      );
      this.form.addEventListener("change", () => this.clear());
      this.form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.check();
      });
      this.others.addEventListener("click", () =>
        this.explain(this.others.getAttribute("aria-expanded") === "false"),
      );
      paragraph.replaceWith(this.form);
      folds.forEach((fold) => fold.remove());
    }

    answer(fold, place) {
      const summary = fold.querySelector("summary");
      const mark = fold.querySelector("strong");
      const input = make("input", {
        type: "radio",
        name: `selfcheck-${this.name}`,
        value: place,
      });
      const text = make("span", {}, ...summary.childNodes);
      summary.remove();
      const why = make("div", { class: "why", hidden: "" }, ...fold.childNodes);
      return {
        input,
        mark,
        why,
        right: mark.textContent === WORDS.yes,
        element: make("div", { class: "answer" }, make("label", {}, input, text), why),
      };
    }

    get chosen() {
      return this.answers.findIndex(({ input }) => input.checked);
    }

    /** Take the verdict back: the explanation returns to its answer. */
    clear() {
      this.before.textContent = "";
      for (const { element, mark, right, why } of this.answers) {
        mark.textContent = right ? WORDS.yes : WORDS.no;
        element.append(why);
      }
      this.verdict.replaceChildren();
      delete this.verdict.dataset.right;
      this.explain(false);
      this.others.hidden = true;
    }

    check() {
      this.clear();
      const place = this.chosen;
      if (place < 0) {
        this.verdict.textContent = WORDS.choose;
        return;
      }
      const { mark, right, why } = this.answers[place];
      mark.textContent = right ? WORDS.right : WORDS.wrong;
      why.hidden = false;
      this.verdict.dataset.right = right;
      this.verdict.append(why);
      this.others.hidden = false;
      this.state = { first: this.state?.first ?? place, now: place };
      remember({ ...recall(), [this.name]: this.state });
      count();
    }

    /** Show or hide why the answers that were not chosen are right or wrong. */
    explain(open) {
      this.others.setAttribute("aria-expanded", open);
      for (const { element, why } of this.answers) {
        if (why.parentElement === element) why.hidden = !open;
      }
    }

    /** Show an earlier answer, without its explanation: the page keeps its height. */
    restore(state) {
      if (!this.answers[state?.now] || !this.answers[state.first]) return;
      this.state = state;
      this.answers[state.now].input.checked = true;
      this.before.textContent = WORDS.before[this.isRight("now")];
    }

    isRight(when) {
      return this.answers[this.state?.[when]]?.right ?? false;
    }

    reset() {
      this.state = undefined;
      this.form.reset();
      this.clear();
    }
  }

  const questions = [];
  const line = make("p");

  const count = () => {
    const right = (when) => questions.filter((q) => q.isRight(when)).length;
    line.textContent = questions.some((q) => q.state)
      ? WORDS.count(right("now"), right("first"), questions.length)
      : WORDS.none;
  };

  for (const number of document.querySelectorAll("section > p > strong:first-child")) {
    const paragraph = number.parentElement;
    const folds = [];
    let next = paragraph.nextElementSibling;
    for (; next?.localName === "details"; next = next.nextElementSibling) folds.push(next);
    if (folds.length > 1 && /^\d+\.$/.test(number.textContent)) {
      questions.push(new Question(String(questions.length + 1), paragraph, folds));
    }
  }

  if (questions.length) {
    const again = make("button", { type: "button" }, WORDS.again);
    again.addEventListener("click", () => {
      forget();
      questions.forEach((question) => question.reset());
      count();
      const [{ form, answers }] = questions;
      form.scrollIntoView({ block: "nearest" });
      answers[0].input.focus({ preventScroll: true });
    });
    questions.at(-1).form.after(make("div", { class: "selfcheck-end" }, line, again));
    const answers = recall();
    for (const question of questions) question.restore(answers[question.name]);
    count();
  }
}
