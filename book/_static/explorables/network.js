// Section 8.5: the trained network of one layer, run in the browser.

import { Explorable, calm, draw, make, uniforms } from "./base.js";

const OPENING = "the time traveller ";
const LONGEST = 200; // of a prefix: it is read again at every key
const RATE = 400; // characters per second that the reader sees appear
const BARS = 8; // characters in the table
const STEPS = 20; // columns of the heat map
const UNITS = 32; // and its rows
const [CELL_X, CELL_Y, LEFT, TOP, LETTERS] = [17, 5, 46, 44, 20];
const MOST_BITS = 10; // where the bars above the heat map end
const LARGEST_SEED = 2 ** 32 - 1;

const STYLE = `
input[name="prefix"] { width: 24rem; }
input[name="seed"] { width: 7.5rem; }
input[aria-invalid="true"] { border: 2px solid var(--two); }
.written {
  height: 5.2em; overflow-y: auto; margin: 0.5rem 0; padding: 0.3rem 0.6rem;
  background: var(--pst-color-background, #fff);
  border: 1px solid var(--grey); border-radius: 6px;
}
.views {
  display: grid; gap: 0.4rem 1.5rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 17.5rem), 1fr));
}
table { width: 100%; font-variant-numeric: tabular-nums; line-height: 1.35; }
th { font-weight: 600; vertical-align: bottom; }
td { white-space: nowrap; }
th:last-child, td:last-child { padding-right: 0; }
td.bar { width: 40%; }
td.bar div { height: 0.8em; background: var(--one); }
p.quiet { font-size: 0.85rem; line-height: 1.35; }
/* this picture is narrow, so that its words need no larger size on a phone */
@media (max-width: 30rem) { svg text { font-size: 13px; } }
`;

const sum = (values) => values.reduce((a, b) => a + b, 0);
const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** softmax(logits / temperature); at 0 all of it is on the largest logit. */
function softmax(logits, temperature = 1) {
  const largest = Math.max(...logits);
  if (temperature === 0) {
    const first = logits.indexOf(largest);
    return logits.map((_, id) => Number(id === first));
  }
  const powers = logits.map((o) => Math.exp((o - largest) / temperature));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** H_t = tanh(W_in[x_t] + H_{t-1} W_hh + b_h), logits = H_t W_hq + b_q. */
class Network {
  constructor({ tokens, hiddens, scales, b_h, b_q }, bytes) {
    const numbers = new Int8Array(bytes);
    let start = 0;
    // whole numbers, row by row, times the scale of their column
    const matrix = (rows, scale) => {
      const columns = scale.length;
      const part = numbers.subarray(start, (start += rows * columns));
      return Float64Array.from(part, (n, i) => n * scale[i % columns]);
    };
    this.tokens = tokens;
    this.hiddens = hiddens;
    this.W_in = matrix(tokens.length, scales.W_in);
    this.W_hh = matrix(hiddens, scales.W_hh);
    this.W_hq = matrix(hiddens, scales.W_hq);
    if (start !== numbers.length) throw new Error("network.bin does not fit");
    // each step looks up one row of W_in, so that the bias can lie there
    this.W_in.forEach((w, i) => (this.W_in[i] = w + b_h[i % hiddens]));
    this.b_q = Float64Array.from(b_q);
  }

  begin() {
    return new Float64Array(this.hiddens);
  }

  step(state, id) {
    const h = this.hiddens;
    const next = this.W_in.slice(id * h, (id + 1) * h);
    addProduct(next, state, this.W_hh);
    for (let j = 0; j < h; j++) next[j] = Math.tanh(next[j]);
    return next;
  }

  logits(state) {
    const logits = this.b_q.slice();
    addProduct(logits, state, this.W_hq);
    return Array.from(logits);
  }
}

/** row += vector W, with W row by row, so that memory is read in order. */
function addProduct(row, vector, W) {
  const columns = row.length;
  for (let i = 0, k = 0; i < vector.length; i++) {
    const factor = vector[i];
    for (let j = 0; j < columns; j++, k++) row[j] += factor * W[k];
  }
}

class TrainedNetwork extends Explorable {
  static title = "The trained network writes";

  async build(root) {
    const [header, bytes] = await Promise.all([
      this.data("network.json"),
      this.bytes("network.bin"),
    ]);
    this.network = new Network(header, bytes);

    root.append(
      make("style", {}, STYLE),
      make("p", {}, "Type a beginning: the network guesses the next character, and writes on."),
    );
    const first = this.controls(root);
    this.prefixField = this.field(first, "prefix", "prefix (a to z and spaces)", {
      type: "text", value: OPENING, maxlength: LONGEST,
      autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    });
    this.seedField = this.field(first, "seed", "seed", {
      type: "number", value: 1, min: 0, max: LARGEST_SEED, step: 1,
    });
    const second = this.controls(root);
    this.heat = this.slider(second, "temperature", {
      min: 0, max: 1.5, step: 0.1, value: 0.6,
      show: (v) => (v ? v.toFixed(1) : "0 (greedy)"),
    });
    this.buttons = [
      this.button(second, "write 1 character", () => this.write(1)),
      this.button(second, "write 100 characters", () => this.write(100)),
      this.button(second, "start over", () => this.restart()),
    ];
    this.line = this.said(root);
    this.line.id = "said";
    this.prefixField.setAttribute("aria-describedby", "said");
    this.seedField.setAttribute("aria-describedby", "said");

    this.start = make("b");
    this.end = make("span");
    // it scrolls, so that the keyboard must reach it
    this.page = make(
      "div",
      { class: "text written", role: "group", "aria-label": "text", tabindex: 0 },
      this.start,
      this.end,
    );
    this.table = make("table");
    this.map = this.buildMap();
    this.cost = make("p");
    const caption =
      `Hidden state: ${UNITS} of the ${this.network.hiddens} units, the last ${STEPS} steps. ` +
      "Blue: up to 1, orange: down to −1. Above: the bits that each character took.";
    root.append(
      this.page,
      this.cost,
      make(
        "div",
        { class: "views" },
        make("div", {}, this.table),
        make("div", {}, this.map, make("p", { class: "quiet" }, caption)),
      ),
    );
    this.restart();
  }

  async bytes(name) {
    const answer = await fetch(new URL(`data/${name}`, import.meta.url));
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.arrayBuffer();
  }

  /** A labelled field; every change of it starts over. */
  field(row, name, words, attributes) {
    const input = make("input", { name, ...attributes });
    row.append(make("label", {}, make("span", {}, words), input));
    input.addEventListener("input", () => this.restart());
    return input;
  }

  /** All nodes of the heat map; `update` only colours them. */
  buildMap() {
    const height = TOP + LETTERS + UNITS * CELL_Y + 4;
    const svg = draw("svg", {
      viewBox: `0 0 ${LEFT + STEPS * CELL_X} ${height}`,
      role: "img",
    });
    const down = (y, words) =>
      draw("text", { transform: `translate(14 ${y}) rotate(-90)`, "text-anchor": "middle" }, words);
    svg.append(
      down(TOP / 2, "bits"),
      down(TOP + LETTERS + (UNITS * CELL_Y) / 2, "units"),
      draw("text", { x: LEFT - 6, y: 12, "text-anchor": "end" }, `≥${MOST_BITS}`),
      draw("text", { x: LEFT - 6, y: TOP, "text-anchor": "end" }, "0"),
      draw("line", { class: "axis", x1: LEFT, x2: LEFT + STEPS * CELL_X, y1: TOP, y2: TOP }),
    );
    this.columns = Array.from({ length: STEPS }, (_, step) => {
      const x = LEFT + step * CELL_X;
      const bar = draw("rect", { x: x + 2, width: CELL_X - 4, style: "fill: var(--grey)" });
      const letter = draw("text", { x: x + CELL_X / 2, y: TOP + 12, "text-anchor": "middle" });
      const cells = Array.from({ length: UNITS }, (_, unit) =>
        draw("rect", {
          x, y: TOP + LETTERS + unit * CELL_Y, width: CELL_X - 1, height: CELL_Y,
        }),
      );
      svg.append(bar, letter, ...cells);
      return { bar, letter, cells };
    });
    return svg;
  }

  /** The ids of a prefix. Throws an Error with words for the reader. */
  ids(prefix) {
    if (!prefix) throw new Error("The prefix is empty: type at least one character.");
    return Array.from(prefix, (character) => {
      if (!/^[a-z ]$/.test(character)) {
        throw new Error(
          `“${character}” is refused: the network knows only the letters a to z and the space.`,
        );
      }
      return this.network.tokens.indexOf(character);
    });
  }

  /** The logits of the character after a prefix. */
  logits(prefix) {
    const ids = this.ids(prefix);
    const step = (state, id) => this.network.step(state, id);
    return this.network.logits(ids.reduce(step, this.network.begin()));
  }

  /** Read the prefix from a state of zeros, and forget what was written. */
  restart() {
    for (const input of [this.prefixField, this.seedField]) {
      input.removeAttribute("aria-invalid");
    }
    this.refused = null;
    try {
      // capital letters are the same tokens, as in the text that it learnt
      const prefix = this.prefixField.value.replace(/[A-Z]/g, (c) => c.toLowerCase());
      this.check(this.prefixField, () => this.ids(prefix));
      this.check(this.seedField, () => this.seedNow());
      this.beginning = prefix;
    } catch (error) {
      this.refused = error.message;
    }
    for (const button of this.buttons) button.disabled = this.refused !== null;
    if (this.refused === null) {
      this.seed = this.seedNow();
      this.random = uniforms(this.seed);
      this.text = [];
      this.draws = [];
      this.steps = [];
      this.memory = this.network.begin();
      for (const id of this.ids(this.beginning)) this.read(id);
    }
    this.goal = this.text.length; // ends a writing that is under way
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
    const seed = this.seedField.valueAsNumber;
    if (!(Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED)) {
      throw new Error(`The seed must be a whole number from 0 to ${LARGEST_SEED}.`);
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
    this.steps.push({ id, bits, units: Array.from(this.memory.subarray(0, UNITS)) });
  }

  /** Choose one character and read it. */
  choose() {
    const temperature = Number(this.heat.value);
    const law = softmax(this.output, temperature);
    let id = law.indexOf(Math.max(...law));
    let uniform = null; // greedy needs none
    if (temperature > 0) {
      uniform = this.random();
      let below = 0;
      const drawn = law.findIndex((share) => (below += share) > uniform);
      if (drawn >= 0) id = drawn; // not if rounding left the sum below 1
    }
    this.draws.push({ temperature, uniform });
    this.read(id);
  }

  /** Write on; resolves when all characters are there. */
  write(count) {
    this.goal += count;
    this.writing ??= this.writeOn();
    return this.writing;
  }

  async writeOn() {
    await null; // so that `writing` is set before it is cleared
    const atOnce = calm() || this.goal - this.text.length === 1;
    let before = performance.now();
    while (this.text.length < this.goal) {
      let due = Infinity;
      if (!atOnce) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        due = this.text.length + Math.ceil(((now - before) * RATE) / 1000);
        before = now;
      }
      // the goal may have moved meanwhile
      while (this.text.length < Math.min(due, this.goal)) this.choose();
      if (this.text.length < this.goal) this.show();
    }
    this.writing = null;
    this.update();
  }

  get prefixBits() {
    // HTMLElement has a `prefix` of its own, hence `beginning`
    return this.steps.slice(1, this.beginning.length).map(({ bits }) => bits);
  }

  /** The most probable characters: [name, probability, at the temperature]. */
  get best() {
    const law = softmax(this.output, Number(this.heat.value));
    return this.probabilities
      .map((probability, id) => [this.nameOf(id), probability, law[id]])
      .sort((a, b) => b[1] - a[1])
      .slice(0, BARS);
  }

  nameOf(id) {
    const token = this.network.tokens[id];
    return token === " " ? "space" : token;
  }

  words(ids) {
    return ids.map((id) => this.network.tokens[id]).join("");
  }

  get state() {
    const temperature = Number(this.heat.value);
    const bits = this.prefixBits;
    return {
      prefix: this.beginning,
      temperature,
      seed: this.seed,
      refused: this.refused,
      ids: this.text,
      written: this.words(this.text.slice(this.beginning.length)),
      draws: this.draws,
      logits: this.output,
      probabilities: this.probabilities,
      law: softmax(this.output, temperature),
      best: this.best,
      bits,
      totalBits: sum(bits),
      bitsPerCharacter: bits.length ? sum(bits) / bits.length : null,
      columns: this.steps.slice(-STEPS),
    };
  }

  update() {
    this.show();
    if (this.refused !== null) {
      this.line.textContent = this.refused;
      return;
    }
    const written = this.text.length - this.beginning.length;
    const [name, probability, share] = this.best[0];
    const last = this.words(this.text.slice(-12)).trimStart();
    const so = written ? `${written} written. ` : "";
    this.line.textContent =
      `${so}After “${last}” the most probable character is ${name}, ${percent(probability)}; ` +
      `at temperature ${this.heat.value} it is drawn with ${percent(share)}.`;
  }

  /** All but the words that are said: those change once writing ends. */
  show() {
    this.start.textContent = this.beginning;
    this.end.textContent = this.words(this.text.slice(this.beginning.length));
    this.page.scrollTop = this.page.scrollHeight;
    this.showBest();
    this.showMap();
    const bits = this.prefixBits;
    this.cost.textContent = bits.length
      ? `The prefix took ${sum(bits).toFixed(1)} bits from its second character on: ` +
        `${(sum(bits) / bits.length).toFixed(2)} per character.`
      : "Bits are counted from the second character of the prefix on.";
  }

  showBest() {
    const heat = Number(this.heat.value);
    const head = make("tr");
    const title = heat ? `drawn with, at ${heat.toFixed(1)}` : "drawn with, greedy";
    for (const words of ["next", "probability", title]) {
      head.append(make("th", { scope: "col", ...(words === title && { colspan: 2 }) }, words));
    }
    this.table.replaceChildren(
      make("thead", {}, head),
      make(
        "tbody",
        {},
        ...this.best.map(([name, probability, share]) =>
          make(
            "tr",
            {},
            make("td", {}, name),
            make("td", {}, percent(probability)),
            make("td", {}, percent(share)),
            make("td", { class: "bar" }, make("div", { style: `width: ${100 * share}%` })),
          ),
        ),
      ),
    );
  }

  showMap() {
    const shown = this.steps.slice(-STEPS);
    this.columns.forEach(({ bar, letter, cells }, number) => {
      const step = shown[number];
      const share = Math.min((step?.bits ?? 0) / MOST_BITS, 1);
      bar.setAttribute("y", TOP * (1 - share));
      bar.setAttribute("height", TOP * share);
      const name = step ? this.nameOf(step.id) : "";
      letter.textContent = name === "space" ? "␣" : name;
      cells.forEach((cell, unit) => {
        const value = step ? step.units[unit] : 0;
        cell.style.fill = value < 0 ? "var(--two)" : "var(--one)";
        cell.style.fillOpacity = Math.abs(value).toFixed(3);
      });
    });
    this.map.setAttribute(
      "aria-label",
      `Hidden state, ${UNITS} of ${this.network.hiddens} units at the last ${shown.length} steps`,
    );
  }
}

customElements.define("unrolled-network", TrainedNetwork);
