// Sections 8.1 and 8.4: a Markov chain, its long run and its entropy rate.

import { Explorable, make, uniforms } from "./base.js";
import { chart } from "./chart.js";

const NAMES = ["sun", "cloud", "rain"];
const IDS = [0, 1, 2];
const COLOURS = ["--one", "--two", "--three"]; // as the chart's lines
const MAX_K = 30;
const STEPS = 60; // of the sampled path

const STYLE = `
:host { --ink: #fff; }
:host([dark]) { --ink: #111; }
.matrix input[type="range"] { width: 6rem; max-width: 19vw; }
.matrix td, .matrix th { text-align: center; padding: 0.2rem; }
.matrix th:first-child { text-align: left; }
.path { display: flex; flex-wrap: wrap; gap: 2px; margin: 0.5rem 0; }
.path span {
  width: 1.5rem; line-height: 1.5rem; text-align: center; border-radius: 3px;
  font-weight: 600; color: var(--ink); background: var(--colour);
}
.path span.now { outline: 3px solid currentColor; outline-offset: -3px; }
`;

/** Row i of the chain changes so that entry j is p and the sum stays 1. */
function withEntry(row, j, p) {
  const rest = row.reduce((sum, x, i) => (i === j ? sum : sum + x), 0);
  // both others 0: nothing tells how to share, so they share alike
  return row.map((x, i) =>
    i === j ? p : rest > 0 ? (x / rest) * (1 - p) : (1 - p) / (row.length - 1),
  );
}

/** The law one step later: law times matrix. */
const step = (law, matrix) =>
  IDS.map((j) => IDS.reduce((sum, i) => sum + law[i] * matrix[i][j], 0));

/** The sets of states that reach one another and never leave. */
function closedClasses(matrix) {
  const reach = matrix.map((row, i) => row.map((p, j) => i === j || p > 0));
  for (const via of IDS) {
    for (const i of IDS) {
      for (const j of IDS) reach[i][j] ||= reach[i][via] && reach[via][j];
    }
  }
  // i is in a closed class if all that it reaches reach it; the class is
  // then what i reaches, listed once, by its first state
  return IDS.filter((i) => IDS.every((j) => !reach[i][j] || (reach[j][i] && j >= i))).map(
    (i) => IDS.filter((j) => reach[i][j]),
  );
}

/** Solve a square system by elimination, the largest pivot first. */
function solve(system, right) {
  const rows = system.map((row, i) => [...row, right[i]]);
  const size = rows.length;
  for (let c = 0; c < size; c++) {
    let best = c;
    for (let r = c; r < size; r++) {
      if (Math.abs(rows[r][c]) > Math.abs(rows[best][c])) best = r;
    }
    [rows[c], rows[best]] = [rows[best], rows[c]];
    for (let r = 0; r < size; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      rows[r] = rows[r].map((x, i) => x - factor * rows[c][i]);
    }
  }
  return rows.map((row, i) => row[size] / row[i]);
}

/** The law that one more step leaves as it is; needs one closed class. */
function stationary(matrix, closed) {
  // law (P - I) = 0 holds one equation too many: the last becomes sum = 1
  const system = IDS.map((j) =>
    IDS.map((i) => (j === 2 ? 1 : matrix[i][j] - (i === j ? 1 : 0))),
  );
  const law = solve(system, [0, 0, 1]);
  // exactly 0: a state outside is left for good
  return law.map((p, i) => (closed.includes(i) ? p : 0));
}

/** Mean uncertainty of the next state in the long run, in bits. */
const entropyRate = (matrix, law) =>
  IDS.reduce(
    (sum, i) =>
      sum - law[i] * matrix[i].reduce((h, p) => (p > 0 ? h + p * Math.log2(p) : h), 0),
    0,
  );

/** The first state whose cumulative sum is above u. */
function pick(row, u) {
  const ladder = [row[0], row[0] + row[1], row[0] + row[1] + row[2]];
  // scaled by the last sum, which rounding leaves a hair off 1
  return ladder.findIndex((rung) => rung > u * ladder[2]);
}

class Markov extends Explorable {
  static title = "A chain of sun, cloud and rain";

  build(root) {
    root.append(make("style", {}, STYLE));
    this.matrix = [
      [0.7, 0.2, 0.1],
      [0.3, 0.4, 0.3],
      [0.2, 0.4, 0.4],
    ];
    this.seed = 1;
    root.append(this.table());
    const row = this.controls(root);
    this.start = this.choice(row, "start state", NAMES.map((name, i) => [i, name]));
    this.k = this.slider(row, "number of steps k", { min: 0, max: MAX_K, value: 3 });
    this.button(row, "new sample", () => {
      this.seed += 1;
      this.update();
    });
    this.line = this.said(root);
    this.output = make("div");
    root.append(this.output);
  }

  /** The transition matrix, a slider in each cell. */
  table() {
    const head = ["today \\ tomorrow", ...NAMES].map((x) => make("th", { scope: "col" }, x));
    const table = make("table", { class: "matrix" }, make("tr", {}, ...head));
    this.cells = IDS.map((i) => {
      const row = make("tr", {}, make("th", { scope: "row" }, NAMES[i]));
      table.append(row);
      return IDS.map((j) => {
        const cell = make("td");
        row.append(cell);
        // what is shown comes from the matrix: its entries are finer than
        // the slider's steps
        const input = this.slider(cell, `${NAMES[i]} to ${NAMES[j]}`, {
          min: 0, max: 1, step: 0.01, value: this.matrix[i][j],
          show: () => this.matrix[i][j].toFixed(3),
        });
        // the table's heads name the cell for those who see it
        input.previousElementSibling.className = "hidden";
        return input;
      });
    });
    // on the way down, so that the matrix is new before the slider tells
    table.addEventListener("input", (event) => this.changed(event.target), true);
    return make("div", { class: "scroll" }, table);
  }

  changed(input) {
    const i = this.cells.findIndex((row) => row.includes(input));
    const j = this.cells[i].indexOf(input);
    this.matrix[i] = withEntry(this.matrix[i], j, Number(input.value));
    this.cells[i].forEach((other, place) => {
      const p = this.matrix[i][place];
      other.value = p;
      other.nextElementSibling.textContent = p.toFixed(3);
      other.setAttribute("aria-valuetext", p.toFixed(3));
    });
  }

  get state() {
    const { matrix, seed } = this;
    const [start, k] = [Number(this.start.value), Number(this.k.value)];
    const laws = [IDS.map((i) => (i === start ? 1 : 0))];
    while (laws.length <= MAX_K) laws.push(step(laws.at(-1), matrix));

    const uniform = uniforms(seed);
    const draws = Array.from({ length: STEPS }, uniform);
    const path = [start];
    for (const u of draws) path.push(pick(matrix[path.at(-1)], u));

    const closed = closedClasses(matrix);
    const longRun = closed.length === 1 ? stationary(matrix, closed[0]) : null;
    return {
      matrix, start, k, seed, laws, law: laws[k],
      uniforms: draws, path, closed,
      stationary: longRun, // null if there are several
      entropyRate: longRun && entropyRate(matrix, longRun), // bits
    };
  }

  update() {
    const { start, k, laws, law, path, closed, stationary, entropyRate } = this.state;
    const said = law.map((p, i) => `${NAMES[i]} ${p.toFixed(3)}`).join(", ");
    const after = `${k} step${k === 1 ? "" : "s"} after ${NAMES[start]}`;
    const rest = stationary
      ? `The entropy rate is ${entropyRate.toFixed(3)} bits a step.`
      : `The chain has ${closed.length} closed classes (` +
        closed.map((states) => states.map((i) => NAMES[i]).join(" and ")).join("; ") +
        "), so no unique stationary law and no single entropy rate.";
    this.line.textContent = `${after}: ${said}. ${rest}`;

    const passed = path.map((state) => NAMES[state]).join(" ");
    const cells = path.map((state, t) =>
      make(
        "span",
        { style: `--colour: var(${COLOURS[state]})`, class: t === k ? "now" : "" },
        NAMES[state][0].toUpperCase(),
      ),
    );
    const head = ["law", ...NAMES].map((x) => make("th", { scope: "col" }, x));
    const lawRow = (name, entries) =>
      make("tr", {}, make("th", { scope: "row" }, name), ...entries);
    const numbers = (values) => values.map((p) => make("td", {}, p.toFixed(4)));
    this.output.replaceChildren(
      make(
        "table", {}, make("tr", {}, ...head),
        lawRow(after, numbers(law)),
        lawRow(
          "stationary",
          stationary ? numbers(stationary) : [make("td", { colspan: 3 }, "not unique")],
        ),
      ),
      chart({
        series: [
          ...IDS.map((i) => ({ name: NAMES[i], points: laws.map((l, t) => [t, l[i]]) })),
          { points: [[k, 0], [k, 1]], colour: 4 }, // where the slider stands
        ],
        x: [0, MAX_K], y: [0, 1], height: 200,
        xlabel: "steps", ylabel: "probability",
        words: `The law over ${MAX_K} steps from ${NAMES[start]}. ${after}: ${said}.`,
      }),
      make(
        "p", {},
        `A sampled path: ${NAMES[start]}, then ${STEPS} steps; step ${k} has a frame.`,
      ),
      make("div", { class: "path", role: "img", "aria-label": `Path: ${passed}` }, ...cells),
    );
  }
}

customElements.define("unrolled-markov", Markov);
