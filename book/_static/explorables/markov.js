// Sections 8.1 and 8.4: a Markov chain, walked and computed: its distribution
// after k steps, its long run and its entropy rate.

import { Explorable, calm, commas, draw, make, sentences, uniforms } from "./base.js";
import { t } from "./say.js";

const NAMES = [t`sun`, t`cloud`, t`rain`];
const INITIALS = [t`S`, t`C`, t`R`];
const IDS = [0, 1, 2];
const COLOURS = ["--sun", "--cloud", "--rain"];
const MAX_K = 30;
const PACE = 700; // ms between two steps of the walker
const MANY = 100; // steps at once
const TRAIL = 24; // states of the walk that are shown, at most

const STYLE = `
:host { --sun: #b8860b; --cloud: #808080; --rain: #6a6fc0; }
.views { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
.walk { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; }
.walk > div { flex: 1 1 16rem; }
.graph svg { width: auto; }
.graph svg text { font-size: 12px; }
.graph .node { fill: var(--paper); stroke: var(--colour); stroke-width: 4; }
.graph .name { font-weight: 600; }
.graph .edge { fill: none; stroke: currentColor; opacity: 0.75; }
.graph .head { fill: currentColor; opacity: 0.75; }
.graph .walker { fill: currentColor; stroke: var(--paper); stroke-width: 1.5; }
.matrix input[type="range"] { width: 4.5rem; max-width: 18vw; }
.matrix td, .matrix th { text-align: center; padding: 0.2rem 0.15rem; }
.matrix th:first-child { text-align: left; }
.matrix label > input + span { grid-area: 1 / 1 / 2 / 3; text-align: center; }
.shares { font-variant-numeric: tabular-nums; }
.shares th:first-child { min-width: 8.5rem; }
.path { display: flex; gap: 2px; margin: 0.5rem 0; }
.path span {
  width: 1.5rem; line-height: 1.4rem; text-align: center; font-weight: 600;
  background: var(--paper); border-bottom: 5px solid var(--colour);
}
.strip { margin: 0.5rem 0; }
.strip svg { width: auto; }
.strip svg text { font-size: 12px; }
.strip .now { fill: none; stroke: currentColor; stroke-width: 2; }
.key { display: flex; flex-wrap: wrap; gap: 0 1rem; }
.key span::before {
  content: ""; display: inline-block; width: 0.8rem; height: 0.8rem; margin-right: 0.4rem;
  background: var(--colour); border: 1px solid currentColor;
}
.said { min-height: 4.5em; }
`;

/** Row i of the chain changes so that entry j is p and the sum stays 1. */
function withEntry(row, j, p) {
  const rest = row.reduce((sum, x, i) => (i === j ? sum : sum + x), 0);
  // both others 0: nothing tells how to share, so they share alike
  return row.map((x, i) =>
    i === j ? p : rest > 0 ? (x / rest) * (1 - p) : (1 - p) / (row.length - 1),
  );
}

/** The distribution one step later: distribution times matrix. */
const step = (law, matrix) =>
  IDS.map((j) => IDS.reduce((sum, i) => sum + law[i] * matrix[i][j], 0));

/** Whether state j can be reached from state i, in no step or more. */
function reachable(matrix) {
  const reach = matrix.map((row, i) => row.map((p, j) => i === j || p > 0));
  for (const via of IDS) {
    for (const i of IDS) {
      for (const j of IDS) reach[i][j] ||= reach[i][via] && reach[via][j];
    }
  }
  return reach;
}

/** The sets of states that reach one another and never leave. */
function closedClasses(reach) {
  // i is in a closed class if all that it reaches reach it; the class is
  // then what i reaches, listed once, by its first state
  return IDS.filter((i) => IDS.every((j) => !reach[i][j] || (reach[j][i] && j >= i))).map(
    (i) => IDS.filter((j) => reach[i][j]),
  );
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

/** The period of a closed class: the divisor of all ways back to a state. */
function period(matrix, states) {
  const level = new Map([[states[0], 0]]); // steps from the first state
  const queue = [states[0]];
  let found = 0;
  for (const i of queue) {
    for (const j of states.filter((j) => matrix[i][j] > 0)) {
      if (!level.has(j)) {
        level.set(j, level.get(i) + 1);
        queue.push(j);
      }
      // two ways to j whose lengths differ: the difference is a multiple
      found = gcd(Math.abs(level.get(i) + 1 - level.get(j)), found);
    }
  }
  return found;
}

/**
 * The distribution that one more step leaves as it is; needs one closed class.
 * Entry i is proportional to the i-th principal minor of I - P. With
 * 1 - P_aa = P_ab + P_ai it is a sum of products that cannot cancel, and
 * exactly 0 for a state that is left for good.
 */
function stationary(matrix) {
  const minors = IDS.map((i) => {
    const [a, b] = IDS.filter((j) => j !== i);
    return (
      matrix[a][i] * matrix[b][i] + matrix[a][i] * matrix[b][a] + matrix[b][i] * matrix[a][b]
    );
  });
  const total = minors[0] + minors[1] + minors[2];
  return minors.map((minor) => minor / total);
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

/** "sun", "sun and rain", "sun, cloud and rain". */
function named(states) {
  const names = states.map((i) => NAMES[i]);
  const last = names.pop();
  return names.length ? t`${commas(names)} and ${last}` : last;
}

/** A distribution in words. */
function told(law) {
  const [sun, cloud, rain] = law.map((p) => p.toFixed(3));
  return t`sun ${sun}, cloud ${cloud}, rain ${rain}`;
}

class Markov extends Explorable {
  static title = t`A chain of sun, cloud and rain`;

  build(root) {
    root.append(make("style", {}, STYLE));
    this.matrix = [
      [0.7, 0.2, 0.1],
      [0.3, 0.4, 0.3],
      [0.2, 0.4, 0.4],
    ];
    this.seed = 1;
    this.graph = make("div", { class: "graph" });
    root.append(
      make("p", {}, t`The wider an arrow, the likelier the step. The sliders set each probability.`),
      make("div", { class: "views" }, this.graph, this.table()),
    );
    const walk = this.controls(root);
    this.walking = this.button(walk, "", () => this.pause(!this.paused));
    this.button(walk, t`one step`, () => {
      this.pause(true);
      this.walk(1);
    });
    this.button(walk, t`${MANY} steps`, () => this.walk(MANY));
    this.button(walk, t`new walk`, () => {
      this.seed += 1;
      this.update();
    });
    this.walked = make("p", { class: "quiet" });
    this.trail = make("div", { class: "path", role: "img" });
    this.shares = make("table", { class: "shares" });
    const walked = make("div", {}, this.walked, this.trail);
    root.append(make("div", { class: "walk" }, walked, this.shares));
    const row = this.controls(root);
    this.start = this.choice(row, t`start state`, NAMES.map((name, i) => [i, name]));
    this.k = this.slider(row, t`number of steps k`, { min: 0, max: MAX_K, value: 3 });
    this.strip = make("div", { class: "strip" });
    root.append(this.strip);
    this.line = this.said(root);
    this.line.className = "said";
    // who asked for less motion walks by hand
    this.walking.hidden = calm();
    this.pause(calm());
    this.watch();
  }

  /** The transition matrix, a slider in each cell. */
  table() {
    const head = [t`from \\ to`, ...NAMES].map((x) => make("th", { scope: "col" }, x));
    const table = make("table", { class: "matrix" }, make("tr", {}, ...head));
    this.cells = IDS.map((i) => {
      const row = make("tr", {}, make("th", { scope: "row" }, NAMES[i]));
      table.append(row);
      return IDS.map((j) => {
        const cell = make("td");
        row.append(cell);
        // what is shown comes from the matrix: its entries are finer than
        // the slider's steps
        const input = this.slider(cell, t`${NAMES[i]} to ${NAMES[j]}`, {
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
    // a swipe that only scrolled leaves the other entries of a row as they were
    let before;
    table.addEventListener("pointerdown", () => (before = this.matrix.map((row) => [...row])));
    table.addEventListener("pointercancel", () => {
      this.matrix = before;
      IDS.forEach((i) => this.showRow(i));
      this.update();
    });
    return make("div", { class: "scroll" }, table);
  }

  changed(input) {
    const i = this.cells.findIndex((row) => row.includes(input));
    const j = this.cells[i].indexOf(input);
    this.matrix[i] = withEntry(this.matrix[i], j, Number(input.value));
    this.showRow(i);
  }

  showRow(i) {
    this.cells[i].forEach((other, place) => {
      const p = this.matrix[i][place];
      other.value = p;
      other.nextElementSibling.textContent = p.toFixed(3);
      other.setAttribute("aria-valuetext", p.toFixed(3));
    });
  }

  /** Walk at a pace to follow, while the graph is in sight. */
  watch() {
    new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      this.tick();
    }).observe(this.graph);
    document.addEventListener("visibilitychange", () => this.tick());
  }

  tick() {
    clearTimeout(this.timer);
    if (this.paused || !this.seen || document.hidden) return;
    this.timer = setTimeout(() => {
      if (this.isConnected) this.walk(1);
      this.tick();
    }, PACE);
  }

  pause(paused) {
    this.paused = paused;
    this.walking.textContent = paused ? t`walk` : t`pause`;
    this.tick();
  }

  /** The walk that was begun belongs to one matrix and one start. */
  restart() {
    this.uniform = uniforms(this.seed);
    this.draws = [];
    this.path = [Number(this.start.value)];
    this.visits = IDS.map((i) => Number(i === this.path[0]));
  }

  walk(steps) {
    for (let n = 0; n < steps; n++) {
      const u = this.uniform();
      const next = pick(this.matrix[this.path.at(-1)], u);
      this.draws.push(u);
      this.path.push(next);
      this.visits[next] += 1;
    }
    this.showWalk();
    if (steps === 1 && !calm()) this.move();
  }

  get state() {
    const { matrix, seed } = this;
    const [start, k] = [Number(this.start.value), Number(this.k.value)];
    const laws = [IDS.map((i) => (i === start ? 1 : 0))];
    while (laws.length <= MAX_K) laws.push(step(laws.at(-1), matrix));
    const reach = reachable(matrix);
    const closed = closedClasses(reach);
    const longRun = closed.length === 1 ? stationary(matrix) : null;
    return {
      matrix, start, k, seed, laws, law: laws[k],
      uniforms: this.draws, path: this.path, paused: this.paused,
      shares: this.visits.map((n) => n / this.path.length),
      closed,
      periods: closed.map((states) => period(matrix, states)),
      unreached: IDS.filter((i) => !reach[start][i]),
      stationary: longRun, // null if there are several
      entropyRate: longRun && entropyRate(matrix, longRun), // bits
    };
  }

  update() {
    const walk = JSON.stringify([this.matrix, this.start.value, this.seed]);
    if (walk !== this.begun) this.restart();
    this.begun = walk;
    const state = this.state;
    const { start, k, law } = state;
    const after = k === 1 ? t`1 step after ${NAMES[start]}` : t`${k} steps after ${NAMES[start]}`;
    this.line.textContent = sentences(t`${after}: ${told(law)}.`, ...this.longRun(state));

    const head = ["", ...NAMES].map((x) => make("th", { scope: "col" }, x));
    const row = (name, entries) => make("tr", {}, make("th", { scope: "row" }, name), ...entries);
    const numbers = (values) => values.map((p) => make("td", {}, p.toFixed(3)));
    this.share = row(t`share of time`, numbers([0, 0, 0]));
    this.shares.replaceChildren(
      make("tr", {}, ...head),
      this.share,
      row(
        t`stationary`,
        state.stationary ? numbers(state.stationary) : [make("td", { colspan: 3 }, t`not unique`)],
      ),
      row(after, numbers(law)),
    );
    this.resized(state);
  }

  resized(state = this.state) {
    this.drawGraph();
    this.drawStrip(state);
    this.showWalk();
  }

  /** What the graph says of the long run, in sentences. */
  longRun({ start, closed, periods, unreached, entropyRate }) {
    const words = [];
    const transient = IDS.filter((i) => !closed.flat().includes(i));
    if (closed.length > 1) {
      const classes = closed.map(named).reduce((said, one) => t`${said}; ${one}`);
      words.push(
        t`The chain has ${closed.length} closed classes (${classes}), which it never leaves: so no unique stationary distribution and no single entropy rate.`,
      );
    } else {
      words.push(t`The entropy rate is ${entropyRate.toFixed(3)} bits a step.`);
    }
    if (transient.length) {
      words.push(t`In time it leaves ${named(transient)} for good.`);
    }
    if (unreached.length) {
      words.push(t`From ${NAMES[start]} it never reaches ${named(unreached)}.`);
    }
    closed.forEach((states, c) => {
      const d = periods[c];
      if (d === 1) return;
      const subject =
        states.length === IDS.length ? t`The chain` : t`The class of ${named(states)}`;
      words.push(
        t`${subject} has period ${d}: it comes back to a state only after a multiple of ${d} steps.`,
        closed.length === 1
          ? t`From one of its states the distribution never settles but repeats every ${d} steps; the stationary one exists all the same, as the share of time in each state.`
          : t`From one of its states the distribution never settles but repeats every ${d} steps.`,
      );
    });
    return words;
  }

  showWalk() {
    const { path, visits } = this;
    const steps = path.length - 1;
    this.walked.textContent = steps === 1
      ? t`1 step walked; the last states:`
      : t`${steps.toLocaleString("en")} steps walked; the last states:`;
    IDS.forEach((i) => {
      this.share.children[i + 1].textContent = (visits[i] / path.length).toFixed(3);
    });
    const fits = Math.min(TRAIL, Math.floor(this.trail.clientWidth / 26));
    const last = path.slice(-fits);
    const names = last.map((i) => NAMES[i]).join(" ");
    this.trail.setAttribute("aria-label", t`The walk's last states: ${names}`);
    this.trail.replaceChildren(
      ...last.map((i) =>
        make("span", { style: `--colour: var(${COLOURS[i]})` }, INITIALS[i]),
      ),
    );
    const [x, y] = this.seat(path.at(-1));
    this.walker.setAttribute("transform", `translate(${x} ${y})`);
  }

  /** Let the walker go along the arrow of the step that it made. */
  move() {
    const [from, to] = this.path.slice(-2);
    const [[x, y], [endX, endY]] = [this.seat(from), this.seat(to)];
    const route = this.edges[from][to];
    this.walker.removeAttribute("transform");
    const way = `M${x} ${y}L${route.slice(1)}L${endX} ${endY}`;
    this.walker.style.offsetPath = `path("${way}")`;
    const going = this.walker.animate(
      [{ offsetDistance: "0%" }, { offsetDistance: "100%" }],
      { duration: 0.6 * PACE, easing: "ease-in-out" },
    );
    const arrive = () => {
      this.walker.style.offsetPath = "none";
      this.walker.setAttribute("transform", `translate(${endX} ${endY})`);
    };
    const { walker } = this;
    going.onfinish = () => walker === this.walker && walker.getAnimations().length === 0 && arrive();
  }

  /** The middle of a state's circle, in px. */
  node(i) {
    const angle = (Math.PI / 180) * (-90 + 120 * i);
    return [
      this.size / 2 + this.ring * Math.cos(angle),
      this.size * 0.55 + this.ring * Math.sin(angle),
    ];
  }

  /** Where the walker rests: above the name. */
  seat(i) {
    const [x, y] = this.node(i);
    return [x, y - 11];
  }

  drawGraph() {
    this.size = Math.min(290, this.room); // the matrix fits beside it
    this.ring = this.size * 0.31; // of the three states
    const radius = 26;
    const height = this.size * 0.92;
    const svg = draw("svg", {
      viewBox: `0 0 ${this.size} ${height}`, width: this.size, height, role: "img",
      "aria-label": t`The states and their arrows, as the matrix says, and a walker.`,
    });
    const [midX, midY] = [this.size / 2, this.size * 0.55];
    const along = ([x, y], angle, r) => [x + r * Math.cos(angle), y + r * Math.sin(angle)];
    const label = ([x, y], p) =>
      draw("text", { x, y: y + 4, "text-anchor": "middle" }, p.toFixed(2));
    this.edges = IDS.map(() => []);
    for (const i of IDS) {
      for (const j of IDS) {
        const p = this.matrix[i][j];
        if (p === 0) continue;
        const width = Math.max(0.8, 8 * p);
        const reach = radius + 4 + 1.2 * (4 + width); // the head's point touches
        const [a, b] = [this.node(i), this.node(j)];
        let [curve, end, back, at] = ["", null, null, null];
        if (i === j) {
          const out = Math.atan2(a[1] - midY, a[0] - midX);
          const from = along(a, out - 0.55, radius);
          back = along(a, out + 0.75, radius + 48);
          end = along(a, out + 0.5, reach);
          curve = `M${from}C${along(a, out - 0.75, radius + 48)} ${back} ${end}`;
          at = along(a, out + (i ? -0.95 : -1.05), radius + 24);
        } else {
          const way = Math.atan2(b[1] - a[1], b[0] - a[0]);
          // a bend to the left, so that there and back lie side by side
          const from = along(a, way - 0.3, radius);
          back = along([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], way - Math.PI / 2, 20);
          end = along(b, way + Math.PI + 0.3, reach);
          curve = `M${from}Q${back} ${end}`;
          at = along(along(a, way, Math.hypot(b[0] - a[0], b[1] - a[1]) * 0.42), way - Math.PI / 2, 27);
        }
        const into = Math.atan2(end[1] - back[1], end[0] - back[0]);
        const wide = 3 + width / 2;
        const head = [
          along(end, into, 1.2 * (4 + width)),
          along(end, into + Math.PI / 2, wide),
          along(end, into - Math.PI / 2, wide),
        ];
        this.edges[i][j] = curve;
        svg.append(
          draw("path", { class: "edge", d: curve, "stroke-width": width, "data-step": `${i}${j}` }),
          draw("path", { class: "head", d: `M${head.join("L")}Z` }),
          label(at, p),
        );
      }
    }
    for (const i of IDS) {
      const [x, y] = this.node(i);
      svg.append(
        draw("circle", { class: "node", cx: x, cy: y, r: radius, style: `--colour: var(${COLOURS[i]})` }),
        draw("text", { class: "name", x, y: y + 12, "text-anchor": "middle" }, NAMES[i]),
      );
    }
    this.walker = draw("circle", { class: "walker", r: 8 });
    svg.append(this.walker);
    this.graph.replaceChildren(svg);
  }

  /** The distribution after each number of steps, as columns that fill up to 1. */
  drawStrip({ laws, start, k, law }) {
    const [left, bottom, tall] = [20, 34, 96];
    const full = Math.min(620, this.room);
    const column = (full - left - 2) / (MAX_K + 1);
    const [from, said] = [NAMES[start], told(law)];
    const svg = draw("svg", {
      viewBox: `0 0 ${full} ${tall + bottom + 4}`, width: full, height: tall + bottom + 4, role: "img",
      "aria-label": t`The distribution over ${MAX_K} steps from ${from}; after ${k}: ${said}.`,
    });
    laws.forEach((here, steps) => {
      let y = 2;
      here.forEach((p, i) => {
        svg.append(
          draw("rect", {
            x: left + steps * column, y, width: column - 1, height: p * tall,
            style: `fill: var(${COLOURS[i]})`,
          }),
        );
        y += p * tall;
      });
    });
    svg.append(
      draw("rect", { class: "now", x: left + k * column - 1, y: 1, width: column + 1, height: tall + 2 }),
      draw("text", { x: left - 6, y: 12, "text-anchor": "end" }, "1"),
      draw("text", { x: left - 6, y: tall + 2, "text-anchor": "end" }, "0"),
      ...[0, 10, 20, MAX_K].map((steps) =>
        draw(
          "text",
          {
            x: left + (steps + 0.5) * column, y: tall + 17,
            "text-anchor": steps === MAX_K ? "end" : "middle",
          },
          String(steps),
        ),
      ),
      draw(
        "text", { x: left + (full - left) / 2, y: tall + 32, "text-anchor": "middle" },
        t`steps after ${from}`,
      ),
    );
    const key = make(
      "div", { class: "key quiet", "aria-hidden": "true" },
      t`Probability of`,
      ...IDS.map((i) => make("span", { style: `--colour: var(${COLOURS[i]})` }, NAMES[i])),
    );
    this.strip.replaceChildren(key, svg);
  }
}

customElements.define("unrolled-markov", Markov);
