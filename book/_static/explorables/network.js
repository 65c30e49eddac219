// Section 8.5 and the landing page: the trained network of one layer writes.
//
// <unrolled-network writes> begins by itself once it is in view, and folds
// everything but the text and one row of controls.

import { Explorable, calm, draw, make, sentences, uniforms } from "./base.js";
import { loadNetwork, softmax, sum } from "./rnn.js";
import { t } from "./say.js";

const OPENING = "the time traveller ";
// Of 20 texts at each temperature: at 0.5 at least 98 % of the words are words of
// the book (at 0.6 97 %), and half as many triples of words repeat as at 0.4. Of
// the seeds whose text has only such words and repeats no triple, 15 copies the
// least from the book: at most 24 characters in a row.
const [TEMPERATURE, SEED] = [0.5, 15];
const LONGEST = 200; // of a beginning: it is read again at every key
const STRETCH = 300; // characters; then it waits for the reader
const WORD = 20; // more to the end of a word
const PACES = { slow: 4, normal: 12, fast: 40 }; // characters per second
const CALLED = { slow: t`slow`, normal: t`normal`, fast: t`fast` };
const LARGEST_GAP = 250; // ms: nobody wants what a sleeping page missed
const BARS = 8; // characters in the table
const UNITS = 8;
const STEPS = 40; // of a unit's strip
const [STEP, HALF] = [3, 10]; // its columns and what is above 0, in px
const MOST_BITS = 8; // where the colour ends
const LARGEST_SEED = 2 ** 32 - 1;

const STYLE = `
:host { --cost: 205 50 70; --plus: 124 77 201; --minus: 110 140 20; --tint: 0.45; }
:host([writes]) { padding: 0.6rem 0.7rem; }
:host([writes]) h3 {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.text {
  height: 12rem; overflow-y: auto; padding: 0.3rem 0.6rem; line-height: 1.6;
  background: var(--pst-color-background, #fff);
  border: 1px solid var(--grey); border-radius: 6px;
}
.given { font-weight: 700; }
:is(.text, .key)[data-colour] span {
  background: rgb(var(--hue) / calc(var(--share) * var(--tint)));
  border-bottom: calc(var(--share) * 3px) solid rgb(var(--hue));
}
[data-colour="bits"] span { --hue: var(--cost); }
[data-colour="unit"] span { --hue: var(--plus); }
[data-colour="unit"] span.minus { --hue: var(--minus); border-bottom-style: dotted; }
.text span.pointed { outline: 2px solid currentColor; outline-offset: 1px; }
.row { display: flex; gap: 0.5rem; align-items: center; margin: 0.5rem 0 0; }
.row label { flex-direction: row; align-items: center; gap: 0.35rem; margin-left: auto; }
.row label > span:first-child { font-weight: 400; }
.row :is(button, select), .inside :is(button, select, input:not([type="range"])) {
  min-height: 2.75rem;
}
.row button:first-child { min-width: 4.4rem; }
.row select { padding: 0.25rem 0.3rem; }
summary { display: flex; align-items: center; min-height: 2.75rem; cursor: pointer; }
summary::before { content: "\\25b8"; width: 1.1em; }
[open] > summary::before { content: "\\25be"; }
.inside h4 { margin: 0.8rem 0 0.2rem; font-size: 1rem; }
input[name="beginning"] { width: 14rem; }
input[name="seed"] { width: 6rem; }
.inside input[type="range"] { width: 9rem; }
.controls { gap: 0.4rem 0.8rem; }
input[aria-invalid="true"] { border: 2px solid rgb(var(--cost)); }
.key { display: flex; flex: 1 1 14rem; align-items: center; flex-wrap: wrap; gap: 0.2rem 1rem; min-height: 1.6em; font-size: 0.85rem; }
.key span { padding: 0 0.35em; }
.hint { min-height: 3em; }
@media (min-width: 40rem) { .hint { min-height: 1.5em; } }
.views {
  display: grid; gap: 0 2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr));
}
table { width: 100%; font-variant-numeric: tabular-nums; line-height: 1.45; font-size: 0.9rem; }
th { font-weight: 600; vertical-align: bottom; }
td { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; width: 45%; }
.bar { display: flex; align-items: center; justify-content: end; gap: 0.5rem; }
.bar div { flex: 1; }
.bar i { display: block; height: 0.8em; background: var(--family-network, #0072b2); }
.units { display: grid; gap: 0.4rem; grid-template-columns: repeat(auto-fill, minmax(8.2rem, 1fr)); }
.units button {
  display: block; min-width: 0; padding: 0.15rem 0.4rem; text-align: left;
  font-size: 0.8rem; line-height: 1.3;
}
.units button[aria-pressed="true"] { outline: 2px solid currentColor; }
.units svg { height: 1.4rem; }
.units path { fill: none; stroke-width: ${STEP - 0.5}; }
.units .up { stroke: rgb(var(--plus)); }
.units .down { stroke: rgb(var(--minus)); }
p.quiet { font-size: 0.85rem; line-height: 1.4; }
:host([stale]) .text { color: var(--grey); }
:host([stale]) .text span { background: none; border: 0; }
:host([stale]) .result { visibility: hidden; }
@media (min-width: 40rem) { .text { height: 8.6rem; } }
@media (forced-colors: active) {
  .bar i { background: CanvasText; forced-color-adjust: none; }
  .units path { stroke: CanvasText; }
}
`;

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const signed = (value) => value.toFixed(2).replace("-", "−");
const mean = (values) => sum(values) / values.length;

class TrainedNetwork extends Explorable {
  static title = t`The trained network writes`;

  async build(root) {
    root.append(make("style", {}, STYLE));
    this.byItself = this.hasAttribute("writes");
    this.wanted = false; // whether the reader, or the page, wants it to write
    this.inView = false;
    this.pinned = null; // the unit that was pressed
    this.preview = null; // the unit that is pointed at
    this.pointed = null; // and the character
    this.units = [];

    this.page = this.buildPage();
    root.append(this.page, this.buildRow(), this.buildInside());
    this.watch();
    try {
      this.network = await loadNetwork();
    } catch (error) {
      this.page.textContent = "";
      throw error;
    }
    this.restart();
    if (this.byItself && !calm()) this.play();
  }

  buildPage() {
    // it scrolls, and its characters are chosen with the arrows: a tab stop
    const page = make(
      "div",
      { class: "text", role: "group", "aria-label": t`text`, tabindex: 0 },
      t`The network is loading (0.3 MB).`,
    );
    const at = (event) => {
      const place = this.marks?.indexOf(event.target) ?? -1;
      if (place >= 0) this.point(place);
    };
    page.addEventListener("pointerover", at);
    page.addEventListener("click", at);
    page.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.point(null);
    });
    page.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move || !this.text) return;
      event.preventDefault();
      const from = this.pointed ?? (move < 0 ? this.text.length : -1);
      this.point(Math.min(Math.max(from + move, 0), this.text.length - 1), true);
    });
    return page;
  }

  buildRow() {
    const row = make("div", { class: "row" });
    this.go = this.button(row, t`write`, () => (this.wanted ? this.pause() : this.play()));
    const another = this.button(row, t`another`, () => this.another());
    this.pace = make("select");
    for (const [value, words] of Object.entries(CALLED)) {
      this.pace.append(make("option", { value }, words));
    }
    this.pace.value = "normal";
    row.append(make("label", {}, make("span", {}, t`pace`), this.pace));
    this.buttons = [this.go, another];
    for (const button of this.buttons) button.disabled = true;
    return row;
  }

  buildInside() {
    this.inside = make("details", { class: "inside" }, make("summary", {}, t`Look inside`));
    this.inside.open = !this.byItself;
    this.inside.addEventListener("toggle", () => this.network && this.update());

    const settings = this.controls(this.inside);
    this.beginningField = this.field(settings, "beginning", t`beginning (a to z and spaces)`, {
      type: "text", value: OPENING, maxlength: LONGEST,
      autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    });
    this.heat = this.slider(settings, t`temperature`, {
      min: 0, max: 1.5, step: 0.1, value: TEMPERATURE,
      show: (v) => (v ? v.toFixed(1) : t`0 (greedy)`),
    });
    this.seedField = this.field(settings, "seed", t`seed`, {
      type: "number", value: SEED, min: 0, max: LARGEST_SEED, step: 1,
    });
    const one = this.button(settings, t`write one character`, () => this.write(1));
    one.disabled = true;
    this.buttons.push(one);
    this.line = this.said(this.inside);
    this.line.id = "said";
    for (const input of [this.beginningField, this.seedField]) {
      input.setAttribute("aria-describedby", "said");
    }

    const colouring = this.controls(this.inside);
    this.colour = make("select");
    for (const [value, words] of [
      ["nothing", t`nothing`], ["bits", t`the bits each character cost`], ["unit", t`one unit`],
    ]) {
      this.colour.append(make("option", { value }, words));
    }
    this.colour.value = this.byItself ? "nothing" : "bits";
    this.colour.addEventListener("change", () => {
      if (this.colour.value === "unit") this.pinned ??= this.units[0];
      this.update();
    });
    colouring.append(make("label", {}, make("span", {}, t`colour the text by`), this.colour));
    this.key = make("div", { class: "key" });
    colouring.append(this.key);
    this.hint = make("p", { class: "hint result", "aria-live": "polite" });
    this.cost = make("p", { class: "result" });

    this.table = make("table");
    this.chips = Array.from({ length: UNITS }, (_, place) => this.buildChip(place));
    this.rule = make("p", { class: "quiet" });
    this.inside.append(
      this.hint,
      this.cost,
      make(
        "div",
        { class: "views result" },
        make("div", {}, make("h4", {}, t`The next character`), this.table),
        make(
          "div",
          {},
          make("h4", {}, t`What units did`),
          make("div", { class: "units" }, ...this.chips.map(({ button }) => button)),
          this.rule,
        ),
      ),
    );
    return this.inside;
  }

  /** A button with a unit's number and its last activations. */
  buildChip(place) {
    const name = make("span");
    const [up, down] = ["up", "down"].map((side) => draw("path", { class: side }));
    const width = STEPS * STEP;
    const button = make(
      "button",
      { type: "button" },
      name,
      draw(
        "svg",
        { viewBox: `0 0 ${width} ${2 * HALF}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        draw("line", { class: "grid", x1: 0, x2: width, y1: HALF, y2: HALF }),
        up,
        down,
      ),
    );
    const look = (unit) => {
      this.preview = unit;
      this.paint();
    };
    button.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") look(this.units[place]);
    });
    button.addEventListener("pointerleave", () => look(null));
    button.addEventListener("focus", () => {
      if (button.matches(":focus-visible")) look(this.units[place]);
    });
    button.addEventListener("blur", () => look(null));
    button.addEventListener("click", () => this.pin(this.units[place]));
    return { button, name, up, down };
  }

  /** Colour the text by a unit, or no longer if it is pressed once more. */
  pin(unit) {
    const again = this.pinned === unit && this.colour.value === "unit";
    this.pinned = again ? null : unit;
    if (again) this.preview = null;
    this.colour.value = again ? "nothing" : "unit";
    this.update();
  }

  /** A labelled field; every change of it starts over. */
  field(row, name, words, attributes) {
    const input = make("input", { name, ...attributes });
    row.append(make("label", {}, make("span", {}, words), input));
    input.addEventListener("input", () => this.restart());
    return input;
  }

  /** Write only while somebody can see it. */
  watch() {
    this.observer = new IntersectionObserver(
      (entries) => {
        for (const { target, intersectionRatio } of entries) {
          if (target === this.page && intersectionRatio >= 0.5) this.inView = true;
          if (target === this && intersectionRatio === 0) this.inView = false;
        }
        this.run();
      },
      { threshold: [0, 0.5] },
    );
    this.observer.observe(this);
    this.observer.observe(this.page);
    document.addEventListener("visibilitychange", this.run);
  }

  disconnectedCallback() {
    this.observer?.disconnect();
    document.removeEventListener("visibilitychange", this.run);
    this.wanted = false;
  }

  /** The ids of a beginning. Throws an Error with words for the reader. */
  ids(beginning) {
    if (!beginning) throw new Error(t`The beginning is empty: type at least one character.`);
    return Array.from(beginning, (character) => {
      if (!/^[a-z ]$/.test(character)) {
        throw new Error(
          t`“${character}” cannot stand in the beginning: the network knows only the letters a to z and the space.`,
        );
      }
      return this.network.tokens.indexOf(character);
    });
  }

  /** The logits of the character after a beginning. */
  logits(beginning) {
    const ids = this.ids(beginning);
    const step = (state, id) => this.network.step(state, id);
    return this.network.logits(ids.reduce(step, this.network.begin()));
  }

  /** Read the beginning from a state of zeros, and forget what was written. */
  restart() {
    for (const input of [this.beginningField, this.seedField]) {
      input.removeAttribute("aria-invalid");
    }
    this.refused = null;
    this.wanted = false;
    try {
      // capital letters are the same tokens, as in the text that it learnt
      const typed = this.beginningField.value.replace(/[A-Z]/g, (c) => c.toLowerCase());
      this.check(this.beginningField, () => this.ids(typed));
      this.check(this.seedField, () => this.seedNow());
      this.beginning = typed; // HTMLElement has a `prefix` of its own
    } catch (error) {
      this.refused = error.message;
    }
    this.toggleAttribute("stale", this.refused !== null);
    for (const button of this.buttons) button.disabled = this.refused !== null;
    if (this.refused === null) {
      this.seed = this.seedNow();
      this.random = uniforms(this.seed);
      this.text = [];
      this.marks = [];
      this.draws = [];
      this.steps = [];
      this.goal = 0;
      this.pointed = null;
      this.page.replaceChildren();
      this.memory = this.network.begin();
      for (const id of this.ids(this.beginning)) this.read(id);
    }
    this.update();
  }

  check(input, action) {
    try {
      action();
    } catch (error) {
      input.setAttribute("aria-invalid", "true");
      throw error;
    }
  }

  seedNow() {
    const value = this.seedField.value.trim();
    const seed = Number(value);
    if (!/^\d+$/.test(value) || seed > LARGEST_SEED) {
      throw new Error(t`The seed must be a whole number from 0 to ${LARGEST_SEED}.`);
    }
    return seed;
  }

  /** One step of the network on one character. */
  read(id) {
    // what it thought of this character before it saw it
    const bits = this.text.length ? -Math.log2(this.probabilities[id]) : null;
    this.memory = this.network.step(this.memory, id);
    this.output = this.network.logits(this.memory);
    this.probabilities = softmax(this.output);
    this.text.push(id);
    this.steps.push({ id, bits, units: this.memory });
  }

  /** Choose one character and read it. */
  choose() {
    const temperature = Number(this.heat.value);
    const shares = softmax(this.output, temperature);
    let id = shares.indexOf(Math.max(...shares));
    let uniform = null; // greedy needs none
    if (temperature > 0) {
      uniform = this.random();
      let below = 0;
      const drawn = shares.findIndex((share) => (below += share) > uniform);
      if (drawn >= 0) id = drawn; // not if rounding left the sum below 1
    }
    this.draws.push({ temperature, uniform });
    this.read(id);
  }

  /** Write so many characters at once. */
  write(count) {
    for (let n = 0; n < count; n++) this.choose();
    this.update();
  }

  /** Whether a stretch is complete: it ends with a word. */
  get full() {
    const over = this.text.length - this.goal;
    return over >= WORD || (over >= 0 && this.network.tokens[this.text.at(-1)] === " ");
  }

  /** Write on at the reader's pace, up to the end of a stretch. */
  play() {
    if (this.text.length >= this.goal) this.goal = this.text.length + STRETCH;
    if (calm()) {
      while (!this.full) this.choose();
      this.update();
      return;
    }
    this.wanted = true;
    this.update();
    this.run();
  }

  pause() {
    this.wanted = false;
    this.update();
  }

  /** A new text, with the next seed. */
  another() {
    this.seedField.value = (this.seed + 1) % (LARGEST_SEED + 1);
    this.restart();
    this.inView = true; // the button was pressed
    this.play();
  }

  get running() {
    return this.wanted && this.inView && !document.hidden;
  }

  run = () => {
    if (!this.running || this.frame) return;
    let before = performance.now();
    let due = 0;
    const tick = (now) => {
      this.frame = null;
      if (!this.running) return;
      due += (Math.min(Math.max(now - before, 0), LARGEST_GAP) / 1000) * PACES[this.pace.value];
      before = now;
      const ready = due >= 1;
      for (; due >= 1 && !this.full; due--) this.choose();
      if (this.full) return this.pause();
      if (ready) this.show();
      this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  };

  /** The bits of each character from the second on, up to a place. */
  bits(end = this.steps.length) {
    return this.steps.slice(1, end).map(({ bits }) => bits);
  }

  /** The most probable characters: [name, probability, at the temperature]. */
  get best() {
    const shares = softmax(this.output, Number(this.heat.value));
    return this.probabilities
      .map((probability, id) => [this.nameOf(id), probability, shares[id]])
      .sort((a, b) => b[1] - a[1])
      .slice(0, BARS);
  }

  /** What a unit did at every step. */
  activations(unit) {
    return this.steps.map(({ units }) => units[unit]);
  }

  /** The units whose activation varies most over the text, and the pinned one. */
  chooseUnits() {
    const variances = Array.from({ length: this.network.hiddens }, (_, unit) => {
      const values = this.activations(unit);
      const middle = mean(values);
      return mean(values.map((value) => (value - middle) ** 2));
    });
    this.units = variances
      .map((_, unit) => unit)
      .sort((a, b) => variances[b] - variances[a] || a - b)
      .slice(0, UNITS);
    if (this.pinned !== null && !this.units.includes(this.pinned)) {
      this.units[UNITS - 1] = this.pinned;
    }
  }

  nameOf(id) {
    const token = this.network.tokens[id];
    return token === " " ? t`space` : token;
  }

  words(ids) {
    return ids.map((id) => this.network.tokens[id]).join("");
  }

  /** What the text is coloured by now: bits, unit or nothing. */
  get coloured() {
    return this.preview === null ? this.colour.value : "unit";
  }

  get unit() {
    return this.coloured === "unit" ? (this.preview ?? this.pinned) : null;
  }

  get state() {
    const temperature = Number(this.heat.value);
    const bits = this.bits(this.beginning.length);
    const all = this.bits();
    return {
      beginning: this.beginning,
      temperature,
      seed: this.seed,
      refused: this.refused,
      writing: this.wanted,
      running: this.running,
      ids: this.text,
      written: this.words(this.text.slice(this.beginning.length)),
      draws: this.draws,
      logits: this.output,
      probabilities: this.probabilities,
      shares: softmax(this.output, temperature),
      best: this.best,
      bits,
      totalBits: sum(bits),
      bitsPerCharacter: bits.length ? mean(bits) : null,
      allBits: all,
      meanBits: all.length ? mean(all) : null,
      coloured: this.coloured,
      unit: this.unit,
      pointed: this.pointed,
      units: this.units.map((unit) => ({ unit, values: this.activations(unit) })),
    };
  }

  update() {
    this.go.textContent = this.wanted
      ? t`pause`
      : this.text?.length > this.beginning?.length ? t`go on` : t`write`;
    this.pace.disabled = calm();
    if (this.refused !== null) {
      this.line.textContent = this.refused;
      return;
    }
    if (!this.wanted) this.chooseUnits(); // they stay in place while it writes
    this.show();
    this.paint();
    if (this.wanted) {
      this.line.textContent = "";
      return;
    }
    const written = this.text.length - this.beginning.length;
    const [name, probability, share] = this.best[0];
    const last = this.words(this.text.slice(-12)).trimStart();
    const [before, now, heat] = [percent(probability), percent(share), this.heat.value];
    this.line.textContent = sentences(
      written ? t`${written} written.` : "",
      t`After “${last}” the most probable character is ${name}, ${before}; at temperature ${heat} it is drawn with ${now}.`,
    );
  }

  /** All that changes with every character. */
  show() {
    // who scrolled up to read is left there
    const { scrollTop, scrollHeight, clientHeight } = this.page;
    const atEnd = scrollHeight - clientHeight - scrollTop < 40;
    for (let place = this.marks.length; place < this.text.length; place++) {
      const mark = make("span", {}, this.network.tokens[this.text[place]]);
      if (place < this.beginning.length) mark.className = "given";
      this.marks.push(mark);
      this.page.append(mark);
      this.tint(place);
    }
    if (atEnd) this.page.scrollTop = this.page.scrollHeight;
    if (!this.inside.open) return;
    this.showBest();
    this.showCost();
    this.showUnits();
  }

  showCost() {
    const all = this.bits();
    const bits = this.bits(this.beginning.length);
    const each = (values) => t`${mean(values).toFixed(2)} bits per character`;
    this.cost.textContent = all.length
      ? sentences(
          t`Mean: ${each(all)} over the ${all.length} from the second on, by the network's own probabilities (temperature 1).`,
          bits.length ? t`The beginning took ${sum(bits).toFixed(1)} bits: ${each(bits)}.` : "",
        )
      : t`Bits are counted from the second character on.`;
  }

  showBest() {
    const heat = Number(this.heat.value);
    const drawn = heat ? t`drawn at ${heat.toFixed(1)}` : t`drawn, greedy`;
    const head = [t`next`, t`probability`, drawn];
    this.table.replaceChildren(
      make("thead", {}, make("tr", {}, ...head.map((words) => make("th", { scope: "col" }, words)))),
      make(
        "tbody",
        {},
        ...this.best.map(([name, probability, share]) =>
          make(
            "tr",
            {},
            make("td", {}, name),
            make("td", {}, percent(probability)),
            make(
              "td",
              {},
              make(
                "div",
                { class: "bar" },
                make("div", {}, make("i", { style: `width: ${100 * share}%` })),
                percent(share),
              ),
            ),
          ),
        ),
      ),
    );
  }

  showUnits() {
    const shown = this.steps.slice(-STEPS);
    const path = (unit, sign) =>
      shown
        .map(({ units }, step) => {
          const height = Math.max(sign * units[unit], 0) * HALF;
          return `M${(step + 0.5) * STEP} ${HALF}v${(-sign * height).toFixed(2)}`;
        })
        .join("");
    this.chips.forEach(({ button, name, up, down }, place) => {
      const unit = this.units[place];
      name.textContent = t`unit ${unit}`;
      up.setAttribute("d", path(unit, 1));
      down.setAttribute("d", path(unit, -1));
      button.setAttribute("aria-pressed", unit === this.unit);
    });
    const [all, last] = [this.network.hiddens, shown.length];
    this.rule.textContent = sentences(
      t`The ${UNITS} of ${all} units whose activation varied most over the text when it last stood still, at its last ${last} characters.`,
      t`Point at one, or press it, to colour the text.`,
    );
  }

  /** The whole text in its colours, with the legend. */
  paint() {
    const by = this.coloured;
    if (by === "nothing") this.page.removeAttribute("data-colour");
    else this.page.dataset.colour = by;
    this.marks.forEach((_, place) => this.tint(place));
    const sample = (words, share, kind = "") =>
      make("span", { style: `--share: ${share}`, class: kind }, words);
    const legend = {
      nothing: [],
      bits: [
        sample(t`${0} bits`, 0), sample(t`${MOST_BITS / 2} bits`, 0.5),
        sample(t`${MOST_BITS} bits or more`, 1),
      ],
      unit: [sample("−1", 1, "minus"), sample("0", 0), sample("+1", 1)],
    }[by];
    this.key.dataset.colour = by;
    this.key.replaceChildren(...legend);
    if (by === "unit") {
      const values = this.activations(this.unit);
      const [low, high, end] = [Math.min(...values), Math.max(...values), values.at(-1)].map(signed);
      this.key.append(
        t`Unit ${this.unit}: from ${low} to ${high} over the text, ${end} at its end.`,
      );
    }
    this.chips.forEach(({ button }, place) => {
      button.setAttribute("aria-pressed", this.units[place] === this.unit);
    });
    this.tell();
  }

  /** The colour of one character. */
  tint(place) {
    const { bits, units } = this.steps[place];
    const value = this.unit === null ? (bits ?? 0) / MOST_BITS : units[this.unit];
    this.marks[place].style.setProperty("--share", Math.min(Math.abs(value), 1).toFixed(3));
    this.marks[place].classList.toggle("minus", this.unit !== null && value < 0);
  }

  /** Say what one character cost. */
  point(place, scroll = false) {
    this.marks[this.pointed]?.classList.remove("pointed");
    this.pointed = place;
    this.marks[place]?.classList.add("pointed");
    if (scroll) this.marks[place].scrollIntoView({ block: "nearest" });
    this.tell();
  }

  tell() {
    if (this.pointed === null) {
      this.hint.textContent =
        t`Point at a character of the text, or press ← and → in it, to see what it cost.`;
      return;
    }
    const { id, bits, units } = this.steps[this.pointed];
    const before = this.words(this.text.slice(Math.max(this.pointed - 12, 0), this.pointed));
    const name = this.nameOf(id);
    const where = before ? t`${name} after “${before.trimStart()}”` : name;
    const cost = bits === null ? t`the first, not counted` : t`${bits.toFixed(2)} bits`;
    this.hint.textContent = this.unit === null
      ? t`${where}: ${cost}.`
      : t`${where}: ${cost}; unit ${this.unit} then ${signed(units[this.unit])}.`;
  }
}

customElements.define("unrolled-network", TrainedNetwork);
