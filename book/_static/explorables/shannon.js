// Section 8.4: Shannon's guessing game (1951), the reader beside four models.
//
// The page itself does not hold the passages: the file with the models'
// distributions has them, as indices into the vocabulary. The network is
// loaded at the first guess, and runs here.

import { Explorable, commas, make, sentences } from "./base.js";
import { loadNetwork, softmax, sum } from "./rnn.js";
import { t } from "./say.js";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz "];
const MILLION = 1e6; // the file's probabilities are whole millionths
const TOP = 5;
const ENOUGH = 10; // characters, before one may stop and compare
const PEOPLE = [0.6, 1.3]; // Shannon (1951), table I: bits, 100 letters known
const TEXTS = {
  time_machine: {
    piece: (number) => t`The Time Machine, ${number}`,
    source: sentences(
      t`From the last tenth of The Time Machine (H. G. Wells, 1895).`,
      t`The models learnt from the first eight tenths of the same book and have not read this part.`,
    ),
  },
  builtin: {
    piece: (number) => t`The Hunting Tooth, ${number}`,
    source: sentences(
      t`From The Hunting Tooth, the story that comes with this course.`,
      t`The models have not read it: they learnt from another book, the first eight tenths of The Time Machine.`,
    ),
  },
};

const STYLE = `
.past { display: flex; flex-wrap: wrap; align-items: start; row-gap: 0.3rem; font-family: monospace; }
.word { display: flex; }
.word span { min-width: 0.62rem; text-align: center; }
.word b, .word small { display: block; min-height: 1.2em; line-height: 1.2; }
.word small { font-size: max(0.75rem, 12px); padding: 0 2px; }
.word small + small { color: var(--grey); }
.given b { font-weight: 400; }
.own b { text-decoration: underline; text-underline-offset: 0.2em; }
.next b { border-bottom: 3px solid var(--family-people, #a87900); }
.line { min-height: 3em; }
.keys {
  display: grid; gap: 0.25rem; margin: 0.4rem 0;
  grid-template-columns: repeat(auto-fill, minmax(2.75rem, 1fr));
}
.keys button { min-width: 0; min-height: 2.75rem; padding: 0; }
.keys button:last-child { grid-column: span 2; }
.keys button[aria-disabled="true"] {
  color: var(--grey); text-decoration: line-through; border-style: dashed;
  cursor: default;
}
.controls :is(button, select, input) { min-height: 2.75rem; }
.typed { width: 4rem; }
.verdict { border-left: 4px solid var(--family-people, #a87900); padding-left: 0.8rem; }
.quiet { font-size: 0.85rem; }
table { font-variant-numeric: tabular-nums; }
th { font-weight: 600; vertical-align: bottom; }
tbody th { white-space: nowrap; }
tbody th::before {
  content: ""; display: inline-block; width: 0.8em; margin-right: 0.4em;
  vertical-align: middle; border-top: 4px solid var(--family);
}
`;
const FAMILIES = {
  you: "var(--family-people, #a87900)",
  network: "var(--family-network, #0072b2)",
};
const COUNTING = "var(--family-counting, #d55e00)";

const PLAYERS = {
  "you": t`you`, "network": t`network`, "7-gram": t`7-gram`, "bigram": t`bigram`,
  "unigram": t`unigram`,
};
const THE = { "network": t`the network`, "7-gram": t`the 7-gram` };

const called = (letter) => (letter === " " ? t`space` : letter);
const number = (value) => value.toFixed(2);
const guesses = (count) => (count === 1 ? t`1 guess` : t`${count} guesses`);

/**
 * The indices of a distribution's entries, largest first. Equal entries stand
 * in the order of the vocabulary. Any fixed order would do: all that the bound
 * needs is that the guesser's order depends on nothing but the past.
 */
const order = (shares) =>
  shares.map((p, index) => index).sort((a, b) => shares[b] - shares[a] || a - b);

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
  static title = t`Guess the next character`;

  async build(root) {
    this.game = await this.data("shannon.json");
    root.append(
      make("style", {}, STYLE),
      make(
        "p", {},
        sentences(
          t`Guess the next character until you are right: press the keys, or type.`,
          t`Below each one stand your guesses and, under them, those of the course's network.`,
        ),
      ),
    );
    const which = this.controls(root);
    this.select = make("select");
    const met = {};
    this.game.passages.forEach(({ text }, place) => {
      met[text] = (met[text] ?? 0) + 1;
      this.select.append(make("option", { value: place }, TEXTS[text].piece(met[text])));
    });
    this.select.addEventListener("change", () => this.begin());
    which.append(make("label", {}, make("span", {}, t`passage`), this.select));
    this.button(which, t`another passage`, () => {
      this.select.value = (this.number + 1) % this.game.passages.length;
      this.begin();
    });
    this.source = make("p", { class: "quiet" });
    this.past = make("div", { class: "past", role: "img" });
    root.append(this.source, this.past);
    this.line = this.said(root);
    this.line.classList.add("line");
    this.keys = make("div", { class: "keys", role: "group", "aria-label": t`next character` });
    this.end = make("div", { class: "verdict", "aria-live": "polite", tabindex: -1 });
    root.append(this.end, this.keys);
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
    row.append(make("label", {}, make("span", {}, t`type here`), this.typed));
    this.typed.addEventListener("input", () => {
      const letter = [...this.typed.value].at(-1);
      this.typed.value = "";
      if (letter) this.guess(letter.toLowerCase());
    });
    // On a button the space bar presses it, as everywhere; all else is free.
    this.keys.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const one = [...event.key].length === 1 && event.key !== " ";
      if (one) this.guess(event.key.toLowerCase());
    });
    this.help = this.button(row, t`show me the 7-gram's guesses`, () => {
      this.helped.add(this.ranks.length);
      this.update();
    });
    this.stop = this.button(row, t`stop and compare`, () => {
      this.stopped = true;
      this.last = "";
      this.update();
      this.end.focus(); // this button can no longer have it
    });
    this.button(row, t`start again`, () => this.begin());
    this.top = make("p");
    this.table = make("div", { class: "scroll" });
    root.append(
      this.top, this.table,
      make(
        "p", { class: "quiet" },
        sentences(
          t`Bound: Shannon's upper bound on the bits per character, the entropy of the numbers of guesses.`,
          t`From few characters it is rough, on average too low: after one it is 0.`,
        ),
      ),
      make(
        "p", { class: "quiet" },
        sentences(
          t`The models guess from the most probable character down.`,
          t`The 7-gram is smoothed by Kneser and Ney's method; the network (0.3 MB, loaded at your first guess) is that of section 8.5 with one layer, and has been shown what you are shown.`,
          t`−log2 P, a mean per character, uses their probabilities themselves.`,
        ),
      ),
    );
    this.networks = new Map(); // its distributions, for each passage played
    this.clear();
  }

  clear() {
    this.number = Number(this.select.value);
    this.ranks = []; // of the reader, one for each character found
    this.wrong = []; // guesses at the next one
    this.helped = new Set(); // places at which the model's guesses were shown
    this.stopped = false;
    this.last = "";
  }

  begin() {
    this.clear();
    this.update();
  }

  get text() {
    return this.game.passages[this.number];
  }

  get over() {
    return this.stopped || this.ranks.length === this.text.passage.length;
  }

  /** The network reads the passage; once, at the first guess. */
  async meet() {
    const { number } = this;
    if (this.networks.has(number)) return;
    this.networks.set(number, null);
    try {
      this.network ??= await (this.loading ??= loadNetwork());
    } catch (error) {
      this.loading = null; // the next guess tries again
      this.networks.delete(number);
      this.missing = error.message;
      this.update();
      return;
    }
    this.missing = null;
    const { context, passage } = this.game.passages[number];
    const { characters } = this.game;
    const { tokens } = this.network;
    let state = this.network.begin();
    const read = (letter) => {
      state = this.network.step(state, tokens.indexOf(letter));
    };
    for (const letter of context) read(letter);
    const found = passage.map((index) => {
      // over the same 27 characters as all others: nobody can guess <unk>
      const logits = this.network.logits(state);
      const shares = softmax([...characters].map((letter) => logits[tokens.indexOf(letter)]));
      read(characters[index]);
      return shares;
    });
    this.networks.set(number, found);
    this.update();
  }

  /** A letter that was pressed or typed; every one of them is answered. */
  guess(letter) {
    if (this.over) {
      this.last = t`This game is over: take another passage, or start again.`;
    } else if (!this.letters.has(letter)) {
      this.last = t`“${letter}” does not count: guess a letter from a to z, or the space.`;
    } else if (this.wrong.includes(letter)) {
      // Wrong ones are not `disabled`: that would take the focus away.
      this.last = t`${called(letter)} was wrong already.`;
    } else {
      this.meet();
      this.count(letter);
    }
    this.update();
  }

  count(letter) {
    const place = this.ranks.length;
    if (this.game.characters[this.text.passage[place]] === letter) {
      this.ranks.push(this.wrong.length + 1);
      this.wrong = [];
      const rival = this.rank("network", place);
      const [right, after] = [called(letter), guesses(this.ranks.at(-1))];
      this.last = rival
        ? t`${right} is right, in ${after}; the network took ${rival}.`
        : t`${right} is right, in ${after}.`;
    } else {
      this.wrong.push(letter);
      this.last = t`Not ${called(letter)}.`;
    }
  }

  /** A model's probabilities at a place of the passage, or null. */
  shares(name, place) {
    const { characters, unigram, bigram } = this.game;
    const { context, passage } = this.text;
    const before = place ? passage[place - 1] : characters.indexOf(context.at(-1));
    if (name === "network") return this.networks.get(this.number)?.[place] ?? null;
    const counted = {
      unigram, bigram: bigram[before], "7-gram": this.text["7-gram"][place],
    }[name];
    return counted.map((count) => count / MILLION);
  }

  /** How many guesses a model takes at a place, or null. */
  rank(name, place) {
    const shares = this.shares(name, place);
    return shares && order(shares).indexOf(this.text.passage[place]) + 1;
  }

  /** A model's results over the characters found. */
  scored(name) {
    const met = this.text.passage.slice(0, this.ranks.length);
    const all = met.map((_, place) => this.shares(name, place));
    if (all.includes(null)) return { name, ranks: null, mean: null, bound: null, bits: null };
    const ranks = met.map((_, place) => this.rank(name, place));
    const bits = sum(met.map((index, place) => -Math.log2(all[place][index])));
    return { name, ranks, ...score(ranks), bits: met.length ? bits / met.length : null };
  }

  get state() {
    const { characters } = this.game;
    const { text, context, passage } = this.text;
    const found = this.ranks.length;
    const shown = !this.over && this.helped.has(found);
    const best = shown ? this.shares("7-gram", found) : null;
    const state = {
      text,
      context,
      length: passage.length,
      found: passage.slice(0, found).map((index) => characters[index]).join(""),
      wrong: [...this.wrong],
      helped: [...this.helped],
      over: this.over,
      top: best && order(best).slice(0, TOP).map((index) => [characters[index], best[index]]),
      reader: { ranks: [...this.ranks], ...score(this.ranks) },
      models: ["network", "7-gram", "bigram", "unigram"].map((name) => this.scored(name)),
    };
    return { ...state, verdict: this.over && found ? this.verdict(state) : [] };
  }

  /** What came out, in sentences. */
  verdict({ reader, models, helped }) {
    const rivals = models.slice(0, 2).filter(({ bound }) => bound !== null);
    const yours = number(reader.bound);
    const against = ({ name, bound }) => {
      const [the, theirs] = [THE[name], number(bound)];
      const difference = Number(yours) - Number(theirs);
      if (difference < 0) return t`better than ${the} (${theirs})`;
      return difference > 0 ? t`worse than ${the} (${theirs})` : t`as well as ${the} (${theirs})`;
    };
    const needs = ({ name, bits }) => t`${THE[name]} needs ${number(bits)}`;
    // the network is not among them where it could not be loaded
    const [[one, other], [its, others]] = [rivals.map(against), rivals.map(needs)];
    const [low, high] = PEOPLE;
    const where =
      yours < low ? t`below that range` : yours > high ? t`above that range` : t`in that range`;
    const said = [
      sentences(
        t`You took ${number(reader.mean)} guesses per character over ${reader.ranks.length} characters.`,
        t`Shannon's bound makes ${yours} bits of that.`,
      ),
      other
        ? t`Judged in the same way, on the same characters, you guessed ${one} and ${other}.`
        : t`Judged in the same way, on the same characters, you guessed ${one}.`,
      others
        ? t`By their probabilities themselves, ${its} and ${others} bits per character.`
        : t`By their probabilities themselves, ${its} bits per character.`,
      t`Shannon's people (1951), who knew 100 letters and guessed many more, came to between ${low} and ${high} bits: your bound is ${where}.`,
      t`So few characters settle nothing, and make the bound too low on average: play another.`,
    ];
    if (helped.length) {
      said.push(t`Before ${helped.length} of them you asked for the 7-gram's guesses.`);
    }
    return said;
  }

  update() {
    const state = this.state;
    const text = state.context + state.found;
    const rivals = state.models[0].ranks ?? [];
    const cell = (letter, kind, ...below) =>
      make(
        "span", { class: kind }, make("b", {}, letter),
        ...below.map((words) => make("small", {}, words)),
      );
    const cells = [
      ...[...state.context].map((letter) => cell(letter, "given")),
      ...[...state.found].map((letter, place) =>
        cell(letter, "own", String(this.ranks[place]), String(rivals[place] ?? "")),
      ),
      ...(this.over ? [] : [cell("\u00a0", "next", "", "")]),
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
    this.past.setAttribute("aria-label", t`The text so far: ${text}`);
    this.source.textContent = TEXTS[state.text].source;
    for (const [letter, button] of this.letters) {
      button.setAttribute("aria-disabled", state.wrong.includes(letter));
    }
    this.help.disabled = this.over;
    const found = state.found.length;
    this.stop.disabled = this.over || found < ENOUGH;
    const where = found === state.length
      ? t`That was the last of the ${found} characters; the story goes on.`
      : t`Found: ${found} of ${state.length}. Wrong guesses at the next: ${state.wrong.length}.`;
    const count = state.helped.length;
    const help = count ? t`Characters with the 7-gram's guesses shown: ${count}.` : "";
    this.line.textContent = sentences(this.last, where, help);
    const best = state.top?.map(([letter, p]) => t`${called(letter)} (${p.toFixed(3)})`);
    this.top.textContent = best ? t`The 7-gram's guesses: ${commas(best)}.` : "";
    this.end.replaceChildren(...state.verdict.map((words) => make("p", {}, words)));
    this.end.hidden = !state.verdict.length;
    if (this.over && this.keys.contains(this.shadowRoot.activeElement)) this.end.focus();
    this.keys.hidden = this.over;
    this.show(state);
  }

  show(state) {
    const rows = [{ name: "you", ...state.reader }, ...state.models];
    const head = ["", t`guesses, mean`, t`bound, bits`, t`−log2 P, bits`].map((words) =>
      make("th", { scope: "col" }, words),
    );
    const waiting = this.networks.has(this.number) ? "…" : "–";
    const cells = ({ name, ranks, mean, bound, bits }) => {
      if (ranks === null && this.missing) {
        return [make("td", { colspan: 3 }, t`could not be loaded: ${this.missing}`)];
      }
      const none = name === "network" && ranks === null ? waiting : "–";
      return [mean, bound, bits].map((value) =>
        make("td", {}, value === null || value === undefined ? none : number(value)),
      );
    };
    this.table.replaceChildren(
      make(
        "table", {},
        make("thead", {}, make("tr", {}, ...head)),
        make(
          "tbody", {},
          ...rows.map((row) =>
            make(
              "tr", {},
              make(
                "th", { scope: "row", style: `--family: ${FAMILIES[row.name] ?? COUNTING}` },
                PLAYERS[row.name],
              ),
              ...cells(row),
            ),
          ),
        ),
      ),
    );
  }
}

customElements.define("unrolled-shannon", Shannon);
