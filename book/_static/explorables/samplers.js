// Section 8.3: which window of a text goes into which minibatch and row.
//
// Places, minibatches and rows are counted from 0, as in the chapter.

import { Explorable, make, sentences, uniforms } from "./base.js";
import { t } from "./say.js";

const TEXT = "the time machine by h g wells i the time traveller";
const MOST = 56; // characters that a reader may type: more find no room
const PACE = 1500; // ms for which play shows a minibatch

// Rows are of no family: their colours are none of the families'.
const STYLE = `
:host { --row-0: #6b3fa0; --row-1: #00798c; --row-2: #b3203a; --row-3: #5f6b00; }
:host([dark]) { --row-0: #b79be8; --row-1: #4fc3d9; --row-2: #f28b9b; --row-3: #c3cf5a; }
p { margin: 0.2rem 0; }
.quiet { font-size: 0.85rem; }
.strip {
  --least: 18px; --type: 15px;
  display: flex; flex-wrap: wrap; align-content: flex-start; gap: 2px 1px;
  height: calc(2 * 46px + 2px); padding: 2px; margin: 0.3rem 0; overflow-y: auto;
}
.strip button {
  display: block; height: 44px; padding: 0; border: 2px solid var(--row); border-radius: 6px;
  text-align: left; overflow: hidden; background: none;
}
.strip button[aria-pressed="true"] { outline: 2px solid var(--row); outline-offset: -1px; }
.strip .name { display: block; padding-left: 3px; font: 700 12px/14px sans-serif; }
.strip .cells { display: flex; }
.strip .cell {
  /* a finger needs 44 px for a window, borders included */
  width: max(var(--least), calc(41px / var(--steps))); height: 24px;
  text-align: center; font: var(--type)/20px monospace;
  border-bottom: 4px solid transparent;
}
.strip .x { background: color-mix(in srgb, var(--row) 30%, transparent); font-weight: 700; }
.strip .y { border-bottom-color: currentColor; }
.strip > .cell { margin: 16px 0 0; color: var(--grey); border-top: 1px dotted; }
.steps { display: flex; gap: 0.4rem; margin: 0.4rem 0; }
.steps button { min-height: 44px; min-width: 44px; padding: 0 0.6rem; }
.steps button:nth-child(2) { min-width: 4.2rem; }
.said { display: grid; font-variant-numeric: tabular-nums; }
.said > * { grid-area: 1 / 1; }
.said > .room { visibility: hidden; }
.pair { font-size: 0.85rem; line-height: 22px; height: 110px; }
.pair td { font-family: monospace; white-space: pre; }
.pair :is(th, td) { text-align: left; padding-block: 0; }
.controls { display: grid; grid-template-columns: 1.9fr 1.1fr 1fr 1fr; gap: 0.5rem; max-width: 32rem; }
.controls label { font-size: 0.8rem; line-height: 1.2; }
.controls select { width: 100%; height: 44px; padding: 0 0.2rem; font-size: 0.9rem; }
summary { min-height: 44px; line-height: 44px; cursor: pointer; }
details input { width: 100%; height: 44px; }
@container (max-width: 650px) { .strip { height: calc(3 * 46px + 2px); } }
@media (max-width: 34rem) {
  .strip { --least: 13px; --type: 13px; height: calc(4 * 46px + 2px); }
}
@media (forced-colors: active) {
  .strip .x { text-decoration: underline; }
  .strip .y { border-bottom-color: CanvasText; }
}
`;

/** A space that can be seen. */
const visible = (text) => text.replaceAll(" ", "\u2423");

const range = (size) => Array.from({ length: size }, (_, i) => i);

const windowsOf = (count) => (count === 1 ? t`1 window` : t`${count} windows`);
const minibatchesOf = (count) => (count === 1 ? t`1 minibatch` : t`${count} minibatches`);
const charactersOf = (count) => (count === 1 ? t`1 character` : t`${count} characters`);

/**
 * 0, 1, ..., size - 1, in an order drawn from a seed (Fisher and Yates). The
 * library draws with torch, so the same seed gives it another order.
 */
function shuffled(size, seed) {
  const uniform = uniforms(seed);
  const order = range(size);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** As unrolled.batches has it: for each minibatch, where its rows start. */
function cut({ mode, batchSize, steps, offset, seed, length }) {
  const needed = batchSize * steps + 1 + offset;
  if (length < needed) return { needed, order: [], starts: [], unread: [] };
  const windows = Math.floor((length - offset - 1) / steps); // room for the labels
  const strip = Math.floor((length - offset - 1) / batchSize);
  const random = mode === "random";
  const order = random ? shuffled(windows, seed) : [];
  const start = (number, row) =>
    random
      ? offset + steps * order[number * batchSize + row]
      : offset + row * strip + number * steps;
  const count = Math.floor(random ? windows / batchSize : strip / steps);
  const starts = range(count).map((number) => range(batchSize).map((row) => start(number, row)));
  const read = new Set(starts.flat().flatMap((from) => range(steps).map((i) => from + i)));
  // order: of all windows that were cut, those left over included
  return { needed, order, starts, unread: range(length).filter((place) => !read.has(place)) };
}

/** What happens in a minibatch, beside the one before it. */
function story({ starts, shown, steps, batchSize, mode }) {
  const [last, before] = [starts.length - 1, shown - 1];
  if (mode === "random") {
    return t`Minibatch ${shown} (of 0 to ${last}): windows from anywhere in the text, so the state begins anew.`;
  }
  if (shown === 0) return t`Minibatch ${shown} (of 0 to ${last}): the state begins at zero.`;
  return batchSize === 1
    ? t`Minibatch ${shown} (of 0 to ${last}): its row goes on where minibatch ${before} stopped, so the state is carried over.`
    : t`Minibatch ${shown} (of 0 to ${last}): each row goes on where minibatch ${before} stopped, so the state is carried over.`;
}

class Samplers extends Explorable {
  static title = t`Cut a text into minibatches`;

  build(root) {
    this.seed = 3;
    this.chosen = 0;
    this.preview = null; // the minibatch under the pointer
    root.append(make("style", {}, STYLE));
    this.strip = make("div", { class: "strip", role: "group", "aria-label": t`the text` });
    this.strip.addEventListener("keydown", (event) => this.walk(event));
    root.append(
      this.strip,
      make(
        "p", { class: "quiet" },
        sentences(
          t`2.1 is minibatch 2, row 1.`,
          t`Of the minibatch shown, inputs are shaded and labels underlined.`,
          t`Grey characters are no inputs.`,
        ),
      ),
    );
    const row = make("div", { class: "steps" });
    root.append(row);
    this.button(row, t`back`, () => this.choose(this.chosen - 1));
    this.player = this.button(row, t`play`, () => (this.timer ? this.pause() : this.play()));
    this.button(row, t`next`, () => this.choose(this.chosen + 1));
    this.newOrder = this.button(row, t`new order`, () => {
      this.seed += 1;
      this.update();
    });
    this.line = this.said(root);
    const longest = { starts: range(19), shown: 18, batchSize: 2 };
    const room = make(
      "p", { class: "room", "aria-hidden": "true" },
      sentences(
        story(longest), this.count({ windows: 88, minibatches: 88, length: 88, never: 88 }),
      ),
    );
    const box = make("div", { class: "said" }, room);
    this.line.replaceWith(box);
    box.append(this.line);
    this.table = make("div", { class: "pair" });
    root.append(this.table);

    const controls = this.controls(root);
    this.mode = this.choice(controls, t`sampler`, [
      ["sequential", t`sequential`], ["random", t`random`],
    ]);
    const numbers = (from, to) => range(to - from + 1).map((i) => [from + i, from + i]);
    this.size = this.choice(controls, t`minibatch size`, numbers(1, 4));
    this.steps = this.choice(controls, t`steps`, numbers(3, 8));
    this.offset = this.choice(controls, t`offset`, numbers(0, 4));
    [this.size.value, this.steps.value, this.offset.value] = [2, 5, 1];
    this.text = make("input", { type: "text", value: TEXT, maxlength: MOST, spellcheck: "false" });
    this.text.addEventListener("input", () => this.update());
    root.append(
      make(
        "details", {}, make("summary", {}, t`more`),
        make("label", {}, make("span", {}, t`text (at most ${MOST} characters)`), this.text),
      ),
    );
  }

  disconnectedCallback() {
    this.pause();
  }

  /** Show a minibatch until another is chosen; after the last comes the first. */
  choose(number) {
    this.pause();
    this.turn(number);
  }

  turn(number) {
    const count = this.now.starts.length;
    this.chosen = count ? (number + count) % count : 0;
    this.preview = null;
    this.show();
  }

  /** One minibatch after the other, to the last. */
  play() {
    const last = () => this.chosen === this.now.starts.length - 1;
    if (last()) this.turn(0);
    if (last()) return; // there is only one
    this.player.textContent = t`pause`;
    this.timer = setInterval(() => {
      this.turn(this.chosen + 1);
      if (last()) this.pause();
    }, PACE);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.player.textContent = t`play`;
  }

  /** Left and right go from window to window, in the order of the text. */
  walk(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    const windows = [...this.strip.querySelectorAll("button")];
    windows[windows.indexOf(event.target) + way]?.focus();
    event.preventDefault();
  }

  get state() {
    const { letters, starts, steps } = this.now;
    const shown = starts.length ? this.preview ?? this.chosen : null;
    const rows = starts[shown] ?? [];
    const piece = (from) => letters.slice(from, from + steps).join("");
    return {
      ...this.now,
      windows: starts.flat().length,
      minibatches: starts.length,
      chosen: starts.length ? this.chosen : null,
      shown, // the chosen one, or the one under the pointer
      X: rows.map((start) => piece(start)),
      Y: rows.map((start) => piece(start + 1)),
    };
  }

  /** Everything that the settings decide, once for each change of them. */
  update() {
    this.pause();
    const steps = Number(this.steps.value);
    if (this.offset.options.length !== steps) {
      const offset = Math.min(Number(this.offset.value), steps - 1);
      const options = range(steps).map((value) => make("option", { value }, String(value)));
      this.offset.replaceChildren(...options);
      this.offset.value = offset;
    }
    const text = this.text.value;
    const letters = [...text]; // an emoji is one character, as in Python
    const settings = {
      mode: this.mode.value, batchSize: Number(this.size.value), steps,
      offset: Number(this.offset.value), seed: this.seed, length: letters.length,
    };
    this.now = { ...settings, text, letters, ...cut(settings) };
    this.newOrder.disabled = settings.mode !== "random";
    this.chosen = Math.min(this.chosen, Math.max(this.now.starts.length - 1, 0));
    this.preview = null;
    this.lay();
    this.show();
  }

  /** The strip anew: windows as buttons, what is never read as bare cells. */
  lay() {
    const { letters, starts, steps } = this.now;
    this.cells = letters.map((letter, place) =>
      make("span", { class: "cell", "data-place": place }, visible(letter)),
    );
    const windows = new Map();
    starts.forEach((rows, number) =>
      rows.forEach((start, row) => windows.set(start, { number, row })),
    );
    this.strip.style.setProperty("--steps", steps);
    this.strip.replaceChildren();
    for (let place = 0; place < letters.length; place++) {
      const found = windows.get(place);
      if (found) {
        this.strip.append(this.box(place, found));
        place += steps - 1;
      } else {
        this.strip.append(this.cells[place]);
      }
    }
  }

  /** The button of one window. */
  box(place, { number, row }) {
    const { letters, steps } = this.now;
    const [end, name] = [place + steps, `${number}.${row}`];
    const piece = letters.slice(place, end).join("");
    const box = make(
      "button",
      {
        type: "button", style: `--row: var(--row-${row})`, "data-number": number,
        "aria-label": t`${name}, places ${place} to ${end - 1}: ${piece}`,
      },
      make("span", { class: "name" }, name),
      make("span", { class: "cells" }, ...this.cells.slice(place, end)),
    );
    const look = (shown) => {
      this.preview = shown;
      this.show();
    };
    box.addEventListener("click", () => this.choose(number));
    // a finger does not hover
    box.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && look(number));
    box.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && look(null));
    box.addEventListener("focus", () => box.matches(":focus-visible") && look(number));
    box.addEventListener("blur", () => look(null));
    return box;
  }

  /** How much of the text is read. */
  count({ windows, minibatches, length, never }) {
    const [cut, into, all] = [windowsOf(windows), minibatchesOf(minibatches), charactersOf(length)];
    return never === 1
      ? t`${cut} in ${into}; ${never} of ${all} is never an input.`
      : t`${cut} in ${into}; ${never} of ${all} are never an input.`;
  }

  /** What belongs to the minibatch shown. */
  show() {
    const { state } = this;
    const { starts, steps, shown, chosen, unread, length, X, Y } = state;
    const inputs = new Set((starts[shown] ?? []).flatMap((start) => range(steps).map((i) => start + i)));
    this.cells.forEach((cell, place) => {
      cell.classList.toggle("x", inputs.has(place));
      cell.classList.toggle("y", inputs.has(place - 1));
    });
    let first = true; // one stop for the tab key; the arrow keys do the rest
    for (const box of this.strip.querySelectorAll("button")) {
      const number = Number(box.dataset.number);
      box.setAttribute("aria-pressed", number === chosen);
      box.tabIndex = number === chosen && first ? 0 : -1;
      if (number === chosen) first = false;
    }
    if (shown === null) {
      const { batchSize, offset, needed } = state;
      const all = charactersOf(length);
      this.line.textContent =
        t`The text has ${all}; with a minibatch size of ${batchSize}, ${steps} steps and an offset of ${offset} it must have at least ${needed}.`;
      this.table.replaceChildren();
      return;
    }
    const { windows, minibatches } = state;
    const never = unread.length;
    this.line.textContent = sentences(
      story(state), this.count({ windows, minibatches, length, never }),
    );
    const cell = (words) => make("td", {}, visible(words));
    const heads = [t`row`, t`inputs X`, t`labels Y`].map((words) => make("th", { scope: "col" }, words));
    this.table.replaceChildren(
      make(
        "table", {},
        make("thead", {}, make("tr", {}, ...heads)),
        make(
          "tbody", {},
          ...X.map((input, row) =>
            make("tr", {}, make("th", { scope: "row" }, `${shown}.${row}`), cell(input), cell(Y[row])),
          ),
        ),
      ),
    );
  }
}

customElements.define("unrolled-samplers", Samplers);
