// Section 8.4: Shannon's guessing game (1951), the reader beside three models.
//
// The page itself does not hold the passage: the file with the models'
// distributions has it, as indices into the vocabulary.

import { Explorable, make } from "./base.js";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz "];
const BEST = 2; // the Kneser-Ney model's place in the file
const TOP = 5;

const STYLE = `
.past { display: flex; flex-wrap: wrap; row-gap: 0.3rem; font-family: monospace; }
.word { display: flex; }
.word span { min-width: 0.62rem; text-align: center; }
.word b, .word small { display: block; min-height: 1.2em; line-height: 1.2; }
.word small { font-size: 0.75rem; color: var(--grey); }
.given b { font-weight: 400; }
.own b { color: var(--one); }
.next b { border-bottom: 3px solid var(--two); }
.keys { display: flex; flex-wrap: wrap; gap: 0.25rem; margin: 0.6rem 0; }
.keys button { min-width: 2.2rem; padding: 0.25rem 0.4rem; }
.keys button[aria-disabled="true"] {
  color: var(--grey); text-decoration: line-through; border-style: dashed;
  cursor: default;
}
.typed { width: 4rem; }
tbody th { white-space: nowrap; }
`;

const sum = (values) => values.reduce((a, b) => a + b, 0);
const called = (letter) => (letter === " " ? "space" : letter);

/**
 * The indices of a distribution's entries, largest first. Equal entries stand
 * in the order of the vocabulary. Any fixed order would do: all that the bound
 * needs is that the guesser's order depends on nothing but the past.
 */
const order = (law) =>
  law.map((p, index) => index).sort((a, b) => law[b] - law[a] || a - b);

/** From the numbers of guesses: their mean, and the entropy of their shares. */
function score(ranks) {
  if (!ranks.length) return { mean: null, bound: null };
  const counts = new Map();
  for (const rank of ranks) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / ranks.length);
  return {
    mean: sum(ranks) / ranks.length,
    bound: -sum(shares.map((q) => q * Math.log2(q))) + 0, // no minus zero
  };
}

class Shannon extends Explorable {
  static title = "Guess the next character";

  async build(root) {
    this.game = await this.data("shannon.json");
    root.append(
      make("style", {}, STYLE),
      make(
        "p", { class: "quiet" },
        "Guess until you are right; then comes the next character. Press the buttons, or " +
          "type. Below each character is the number of guesses that it took you.",
      ),
    );
    this.past = make("div", { class: "past", role: "img" });
    this.keys = make("div", { class: "keys", role: "group", "aria-label": "next character" });
    root.append(this.past, this.keys);
    this.letters = new Map(
      LETTERS.map((letter) => [
        letter, this.button(this.keys, called(letter), () => this.guess(letter)),
      ]),
    );
    const row = this.controls(root);
    this.typed = make("input", {
      type: "text", class: "typed", autocomplete: "off", autocapitalize: "none",
      spellcheck: "false",
    });
    row.append(make("label", {}, make("span", {}, "type here"), this.typed));
    this.typed.addEventListener("input", () => {
      const letter = this.typed.value.slice(-1).toLowerCase();
      this.typed.value = "";
      this.guess(letter);
    });
    // On a button the space bar presses it, as everywhere; letters are free.
    this.keys.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (/^[a-z]$/i.test(event.key)) this.guess(event.key.toLowerCase());
    });
    this.help = this.button(row, "show me the model's guesses", () => {
      this.helped.add(this.ranks.length);
      this.update();
    });
    this.button(row, "start again", () => this.begin());
    this.line = this.said(root);
    this.top = make("p");
    this.table = make("div", { class: "scroll" });
    root.append(
      this.top, this.table,
      make(
        "p", { class: "quiet" },
        "Bound: Shannon's upper bound on the bits per character, the entropy of the numbers " +
          "of guesses. From few characters it is rough, on average too low: after one it is 0.",
      ),
      make(
        "p", { class: "quiet" },
        "The models have read this story up to where the text above begins, and guess from the " +
          "most probable character down; Kneser-Ney has order 6. -log2 P, a mean per " +
          "character, uses their probabilities themselves.",
      ),
    );
    this.clear();
  }

  clear() {
    this.ranks = []; // of the reader, one for each character found
    this.wrong = []; // guesses at the next one
    this.helped = new Set(); // places at which the model's guesses were shown
    this.last = "";
  }

  begin() {
    this.clear();
    this.update();
  }

  get over() {
    return this.ranks.length === this.game.passage.length;
  }

  guess(letter) {
    // Wrong ones are not `disabled`: that would take the focus away.
    if (this.over || !this.letters.has(letter) || this.wrong.includes(letter)) return;
    if (this.game.characters[this.game.passage[this.ranks.length]] === letter) {
      this.ranks.push(this.wrong.length + 1);
      this.wrong = [];
      this.last = `${called(letter)} is right. `;
    } else {
      this.wrong.push(letter);
      this.last = `Not ${called(letter)}. `;
    }
    this.update();
  }

  get state() {
    const { context, characters, passage, models } = this.game;
    const found = this.ranks.length;
    const shown = !this.over && this.helped.has(found);
    return {
      context,
      length: passage.length,
      found: passage.slice(0, found).map((index) => characters[index]).join(""),
      wrong: [...this.wrong],
      helped: [...this.helped],
      top: shown
        ? order(models[BEST].laws[found]).slice(0, TOP)
            .map((index) => [characters[index], models[BEST].laws[found][index]])
        : null,
      reader: { ranks: [...this.ranks], ...score(this.ranks) },
      models: models.map(({ name, laws }) => {
        const met = passage.slice(0, found);
        const ranks = met.map((index, place) => order(laws[place]).indexOf(index) + 1);
        const bits = sum(met.map((index, place) => -Math.log2(laws[place][index])));
        return { name, ranks, ...score(ranks), bits: found ? bits / found : null };
      }),
    };
  }

  update() {
    const state = this.state;
    const text = state.context + state.found;
    const cell = (letter, below, kind) =>
      make("span", { class: kind }, make("b", {}, letter), make("small", {}, below));
    const cells = [
      ...[...state.context].map((letter) => cell(letter, "", "given")),
      ...[...state.found].map((letter, place) => cell(letter, String(this.ranks[place]), "own")),
      ...(this.over ? [] : [cell("\u00a0", "", "next")]),
    ];
    this.past.replaceChildren(); // lines break after spaces only
    let word = null;
    cells.forEach((part, place) => {
      if (!word || text[place - 1] === " ") {
        word = make("span", { class: "word" });
        this.past.append(word);
      }
      word.append(part);
    });
    this.past.setAttribute("aria-label", `The text so far: ${text}`);
    for (const [letter, button] of this.letters) {
      button.setAttribute("aria-disabled", this.over || state.wrong.includes(letter));
    }
    this.help.disabled = this.over;
    const found = state.found.length;
    const where = this.over
      ? `That was the last of the ${found} characters; the story goes on.`
      : `Found: ${found} of ${state.length}. Wrong guesses at the next: ${state.wrong.length}.`;
    const count = state.helped.length;
    const help = count ? ` Characters with the model's guesses shown: ${count}.` : "";
    const top = state.top
      ? "The Kneser-Ney model's guesses: " +
        state.top.map(([letter, p]) => `${called(letter)} (${p.toFixed(3)})`).join(", ") + "."
      : "";
    this.line.textContent = this.last + where + help;
    this.top.textContent = top;
    this.show(state);
  }

  show(state) {
    const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
    const rows = [{ name: "you", ...state.reader }, ...state.models];
    const head = ["", "guesses, mean", "bound, bits", "-log2 P, bits"].map((words) =>
      make("th", { scope: "col" }, words),
    );
    this.table.replaceChildren(
      make(
        "table", {},
        make("thead", {}, make("tr", {}, ...head)),
        make(
          "tbody", {},
          ...rows.map(({ name, mean, bound, bits }) =>
            make(
              "tr", {},
              make("th", { scope: "row" }, name),
              ...[mean, bound, bits].map((value) => make("td", {}, number(value))),
            ),
          ),
        ),
      ),
    );
  }
}

customElements.define("unrolled-shannon", Shannon);
