// Section 8.3: which window of a text goes into which minibatch and row.
//
// Places, minibatches and rows are counted from 0, as in the chapter.

import { Explorable, make, uniforms } from "./base.js";

const TEXT =
  "the time machine by h g wells i the time traveller for so it will be convenient";
const COLOURS = ["--one", "--two", "--three", "--four"]; // of rows 0 to 3

const STYLE = `
.strip { display: flex; flex-wrap: wrap; gap: 0.35rem 0; margin: 0.6rem 0; }
.strip button {
  display: inline-flex; flex-direction: column; align-items: flex-start;
  padding: 0; border: 2px solid var(--row); border-radius: 6px; margin: 0 1px;
}
.strip button[aria-pressed="true"] { box-shadow: 0 0 0 2px var(--row); }
.strip .name {
  padding: 0 0.25rem; font-size: 0.75rem; font-weight: 700; line-height: 1.3;
  color: var(--row);
}
.strip .cells { display: flex; }
.strip .cell {
  display: block; width: 1.15rem; text-align: center; font-family: monospace;
  line-height: 1.15;
}
.strip .cell > * { display: block; min-height: 1.15em; }
.strip .cell small { font-size: 0.7rem; }
.strip .cell .place { color: var(--grey); font-size: 0.65rem; }
.strip .unread { margin-top: calc(0.75rem * 1.3 + 2px); }
.strip .unread b {
  border: 1px dotted var(--grey); border-width: 1px 0; color: var(--grey);
  font-weight: 400;
}
.pair td { font-family: monospace; white-space: pre; }
.pair th, .pair td { text-align: left; }
`;

/** A space that can be seen. */
const visible = (text) => text.replaceAll(" ", "\u2423");

/**
 * 0, 1, ..., size - 1, in an order drawn from a seed (Fisher and Yates). The
 * library draws with torch, so the same seed gives it another order.
 */
function shuffled(size, seed) {
  const uniform = uniforms(seed);
  const order = Array.from({ length: size }, (_, i) => i);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

class Samplers extends Explorable {
  static title = "Cut a text into minibatches";

  build(root) {
    root.append(make("style", {}, STYLE));
    const row = this.controls(root);
    this.mode = this.choice(row, "sampling", [
      ["sequential", "sequential"],
      ["random", "random"],
    ]);
    this.size = this.slider(row, "batch size", { min: 1, max: 4, value: 2 });
    this.steps = this.slider(row, "steps", { min: 2, max: 8, value: 5 });
    this.offset = this.slider(row, "offset", { min: 0, max: 4, value: 1 });
    this.length = this.slider(row, "length of the text", {
      min: 10, max: TEXT.length, value: TEXT.length,
    });
    this.seed = this.slider(row, "seed of the order", { min: 0, max: 99, value: 3 });
    this.draw = this.button(row, "new order", () => {
      this.seed.value = (Number(this.seed.value) + 1) % 100;
      this.seed.dispatchEvent(new Event("input"));
    });
    root.append(
      make(
        "p", { class: "quiet" },
        "A box is a window; 2.1 on it means minibatch 2, row 1 (counted from 0), and its colour " +
          "is the row's. x marks an input of the chosen minibatch, y a label. Characters without " +
          "a box are never read as inputs.",
      ),
    );
    this.strip = make("div", { class: "strip", role: "group", "aria-label": "the text" });
    this.strip.addEventListener("keydown", (event) => this.walk(event));
    root.append(this.strip);
    this.chooser = this.controls(root);
    this.button(this.chooser, "previous minibatch", () => this.choose(this.chosen - 1));
    this.button(this.chooser, "next minibatch", () => this.choose(this.chosen + 1));
    this.line = this.said(root);
    this.table = make("div", { class: "scroll" });
    root.append(this.table);
    this.chosen = 0;
  }

  /** Show a minibatch; after the last comes the first. */
  choose(number) {
    const count = this.state.minibatches;
    this.chosen = count ? (number + count) % count : 0;
    this.show();
  }

  /** Left and right go from window to window, in the order of the text. */
  walk(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    const windows = [...this.strip.querySelectorAll("button")];
    windows[windows.indexOf(event.target) + way]?.focus();
    event.preventDefault();
  }

  /** As unrolled.batches has it: for each minibatch, where its rows start. */
  get state() {
    const mode = this.mode.value;
    const [batchSize, steps, offset, length, seed] = [
      this.size, this.steps, this.offset, this.length, this.seed,
    ].map((input) => Number(input.value));
    const text = TEXT.slice(0, length);
    const settings = { mode, batchSize, steps, offset, seed, text };
    const needed = batchSize * steps + 1 + offset;
    if (length < needed) {
      const wayOut = offset ? " or offset=0" : "";
      const error =
        `ids must hold at least ${needed} for one minibatch of batch_size ${batchSize} and ` +
        `num_steps ${steps} at offset ${offset}, got ${length}; try a smaller batch_size or ` +
        `num_steps${wayOut}`;
      const none = { order: [], starts: [], X: [], Y: [], unread: [] };
      return { ...settings, error, ...none, windows: 0, minibatches: 0, chosen: null };
    }
    const cut = Math.floor((length - offset - 1) / steps); // room for the labels
    const strip = Math.floor((length - offset - 1) / batchSize);
    const random = mode === "random";
    const minibatches = Math.floor(random ? cut / batchSize : strip / steps);
    const order = random ? shuffled(cut, seed) : [];
    const start = (number, row) =>
      random
        ? offset + steps * order[number * batchSize + row]
        : offset + row * strip + number * steps;
    const range = (size) => Array.from({ length: size }, (_, i) => i);
    const starts = range(minibatches).map((number) =>
      range(batchSize).map((row) => start(number, row)),
    );
    const read = new Set(starts.flat().flatMap((s) => range(steps).map((i) => s + i)));
    return {
      ...settings,
      error: null,
      order, // of all windows that were cut, those left over included
      starts,
      windows: minibatches * batchSize,
      minibatches,
      unread: range(length).filter((place) => !read.has(place)),
      chosen: this.chosen,
      X: starts[this.chosen]?.map((s) => text.slice(s, s + steps)) ?? [],
      Y: starts[this.chosen]?.map((s) => text.slice(s + 1, s + steps + 1)) ?? [],
    };
  }

  update() {
    const most = Number(this.steps.value) - 1;
    if (Number(this.offset.max) !== most) {
      this.offset.max = most; // the browser keeps the value below it
      this.offset.dispatchEvent(new Event("input")); // says it, and comes back here
      return;
    }
    this.seed.disabled = this.draw.disabled = this.mode.value !== "random";
    this.chosen = Math.min(this.chosen, Math.max(this.state.minibatches - 1, 0));
    this.lay();
    this.show();
  }

  /** The strip anew: windows as buttons, what is never read as bare cells. */
  lay() {
    const { text, starts, steps } = this.state;
    this.cells = [...text].map((letter, place) =>
      make(
        "span", { class: "cell" },
        make("small", { class: "x" }), make("b", {}, visible(letter)),
        make("small", { class: "y" }), make("span", { class: "place" }, String(place)),
      ),
    );
    const windows = new Map();
    starts.forEach((rows, number) =>
      rows.forEach((start, row) => windows.set(start, { number, row })),
    );
    this.strip.replaceChildren();
    for (let place = 0; place < text.length; place++) {
      const found = windows.get(place);
      if (!found) {
        this.cells[place].classList.add("unread");
        this.strip.append(this.cells[place]);
        continue;
      }
      const { number, row } = found;
      const letters = text.slice(place, place + steps);
      const box = make(
        "button",
        {
          type: "button",
          style: `--row: var(${COLOURS[row]})`,
          "data-number": number,
          "aria-label": `${number}.${row}, places ${place} to ${place + steps - 1}: ${letters}`,
        },
        make("span", { class: "name" }, `${number}.${row}`),
        make("span", { class: "cells" }, ...this.cells.slice(place, place + steps)),
      );
      for (const kind of ["pointerenter", "focus", "click"]) {
        box.addEventListener(kind, () => this.choose(number));
      }
      this.strip.append(box);
      place += steps - 1;
    }
  }

  /** What belongs to the chosen minibatch. */
  show() {
    const state = this.state;
    const { starts, steps, chosen, unread, text, X, Y } = state;
    this.chooser.style.visibility = state.error ? "hidden" : "visible";
    const inputs = new Set();
    for (const start of starts[chosen] ?? []) {
      for (let i = 0; i < steps; i++) inputs.add(start + i);
    }
    this.cells.forEach((cell, place) => {
      cell.querySelector(".x").textContent = inputs.has(place) ? "x" : "";
      cell.querySelector(".y").textContent = inputs.has(place - 1) ? "y" : "";
    });
    let first = true; // one stop for the tab key; the arrow keys do the rest
    for (const box of this.strip.querySelectorAll("button")) {
      const on = Number(box.dataset.number) === chosen;
      box.setAttribute("aria-pressed", on);
      box.tabIndex = on && first ? 0 : -1;
      if (on) first = false;
    }
    if (state.error) {
      this.line.textContent = `Too short: ${state.error}.`;
      this.table.replaceChildren();
      return;
    }
    this.line.textContent =
      `Windows: ${state.windows}, minibatches: ${state.minibatches}, never read as inputs: ` +
      `${unread.length} of ${text.length} characters. Shown: minibatch ${chosen}.`;
    const cell = (words) => make("td", {}, visible(words));
    this.table.replaceChildren(
      make(
        "table", { class: "pair" },
        make(
          "thead", {},
          make("tr", {}, ...["row", "X", "Y"].map((words) => make("th", { scope: "col" }, words))),
        ),
        make(
          "tbody", {},
          ...X.map((input, row) =>
            make(
              "tr", {},
              make("th", { scope: "row" }, `${chosen}.${row}`), cell(input), cell(Y[row]),
            ),
          ),
        ),
      ),
    );
  }
}

customElements.define("unrolled-samplers", Samplers);
