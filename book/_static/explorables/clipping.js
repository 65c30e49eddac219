// Section 8.5: one step of gradient descent on a cliff, with and without the
// clip. The loss is that of one linear unit that feeds itself,
//
//   h_t = w h_{t-1} + b, h_0 = 0, loss = (h_T - 1)^2,
//
// so h_T = b (1 + w + ... + w^{T-1}): gentle for w below 1, a gorge above.

import { Explorable, draw, make, sentences } from "./base.js";
import { t } from "./say.js";

const T = 6; // steps that the unit makes
const [W, B] = [[0, 2], [-1, 1]]; // what the picture shows, w across, b up
const START = [1.3, 0.25]; // w and b
const LOSSES = [0.01, 0.1, 1, 10, 100, 1000]; // of the contours
const MARGIN = { left: 44, right: 8, top: 8, bottom: 40 };
const LARGEST = 300; // px, of the square between the axes

const STYLE = `
:host { --thrown: #d1495b; }
.views { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: flex-start; }
.views > :last-child { flex: 1 1 17rem; min-width: 0; }
.picture { position: relative; cursor: crosshair; }
.picture svg { width: auto; }
.picture svg text { font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.loss { fill: currentColor; fill-opacity: 0.09; }
.contour { fill: none; stroke: var(--grey); stroke-width: 0.7; }
.floor { fill: none; stroke: currentColor; stroke-width: 1; stroke-dasharray: 1 3; }
.ball { fill: currentColor; fill-opacity: 0.08; stroke: currentColor; stroke-dasharray: 4 3; }
.thrown { stroke: var(--thrown); stroke-width: 2.5; stroke-dasharray: 7 4; fill: none; }
.kept { stroke: currentColor; stroke-width: 3; fill: none; }
.end.thrown { fill: var(--thrown); stroke-dasharray: none; }
.end.kept { fill: currentColor; }
/* it is dragged by a finger, the rest of the picture scrolls the page */
.here { cursor: grab; touch-action: none; outline: none; }
.here .reach { fill: transparent; }
.dot { fill: var(--paper); stroke: currentColor; stroke-width: 3; }
.here:focus-visible .reach { stroke: var(--accent); stroke-width: 3; }
table { width: 100%; font-variant-numeric: tabular-nums; line-height: 1.35; }
th { font-weight: 600; vertical-align: bottom; }
th:first-child svg { display: inline-block; width: 28px; margin-right: 0.4rem; }
th:last-child, td:last-child { padding-right: 0; }
.said { min-height: 6em; }
@media (forced-colors: active) {
  :host { --thrown: LinkText; }
  .here:focus-visible .reach { stroke: Highlight; }
}
`;

const clamp = (v, [low, high]) => Math.min(Math.max(v, low), high);
const powers = (w) => Array.from({ length: T }, (_, k) => w ** k);
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** h_T = b g(w): the unit's gain over T steps. */
const gain = (w) => sum(powers(w));

const lossAt = ([w, b]) => (b * gain(w) - 1) ** 2;

function gradientAt([w, b]) {
  const outer = 2 * (b * gain(w) - 1);
  const slope = sum(powers(w).map((_, k) => (k ? k * w ** (k - 1) : 0)));
  return [outer * b * slope, outer * gain(w)];
}

/** A loss or a length in few digits, whatever its size. */
function short(value) {
  if (value < 0.001) return value === 0 ? "0" : t`below 0.001`;
  if (value < 9.995) return value.toFixed(value < 0.0995 ? 3 : 2);
  if (value < 1e6) return Math.round(value).toLocaleString("en");
  const power = Math.floor(Math.log10(value));
  const raised = Array.from(String(power), (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]).join("");
  return `${(value / 10 ** power).toFixed(1)} × 10${raised}`;
}

class Clipping extends Explorable {
  static title = t`One step on a cliff, with and without the clip`;

  build(root) {
    root.append(make("style", {}, STYLE));
    this.place = [...START];
    root.append(
      make(
        "p", {},
        sentences(
          t`Lines of equal loss of one unit that feeds itself ${T} times, over its recurrent weight w and its bias b.`,
          t`Drag the ring, or move it with the arrow keys.`,
        ),
      ),
    );
    this.picture = make("div", { class: "picture" });
    const beside = make("div");
    root.append(make("div", { class: "views" }, this.picture, beside));
    const row = this.controls(beside);
    this.radius = this.slider(row, t`threshold θ (theta)`, {
      min: 0.5, max: 20, step: 0.5, value: 5, show: (v) => v.toFixed(1),
    });
    this.rate = this.slider(row, t`learning rate η (eta)`, {
      min: 0.01, max: 0.1, step: 0.01, value: 0.05, show: (v) => v.toFixed(2),
    });
    this.table = make("table");
    beside.append(this.table);
    this.line = this.said(beside);
    this.line.className = "said";
    this.resized();
    this.followPointer();
  }

  /** The picture as wide as there is room, with all that stays in it. */
  resized() {
    const { left, right, top, bottom } = MARGIN;
    this.size = Math.min(LARGEST, this.room - left - right);
    const [size, full] = [this.size, this.size + left + right];
    const box = [full, size + top + bottom];
    this.svg = draw("svg", {
      viewBox: `0 0 ${box[0]} ${box[1]}`, width: box[0], height: box[1],
      role: "group", "aria-label": t`the loss over w and b`,
    });
    const text = (attributes, words) => draw("text", attributes, words);
    const [x, y] = [(w) => this.at([w, 0])[0], (b) => this.at([0, b])[1]];
    const base = top + size;
    this.svg.append(
      draw("clipPath", { id: "inside" }, draw("rect", { x: left, y: top, width: size, height: size })),
      ...this.contours(),
      draw("rect", {
        x: left, y: top, width: size, height: size, fill: "none", stroke: "var(--grey)",
      }),
      ...[0, 0.5, 1, 1.5, 2].map((w) =>
        text({ x: x(w), y: base + 15, "text-anchor": "middle" }, String(w)),
      ),
      ...[-1, -0.5, 0, 0.5, 1].map((b) =>
        text({ x: left - 5, y: y(b) + (b === 1 ? 10 : 4), "text-anchor": "end" }, String(b).replace("-", "−")),
      ),
      text({ x: left + size / 2, y: base + 33, "text-anchor": "middle" }, t`recurrent weight w`),
      text({ transform: `translate(11 ${top + size / 2}) rotate(-90)`, "text-anchor": "middle" }, t`bias b`),
    );
    this.moving = draw("g", { "clip-path": "url(#inside)" });
    this.here = draw(
      "g",
      { class: "here", tabindex: 0, role: "slider", "aria-valuemin": W[0], "aria-valuemax": W[1],
        "aria-label": t`parameters w and b` },
      draw("circle", { class: "reach", r: 23 }),
      draw("circle", { class: "dot", r: 7 }),
    );
    this.here.addEventListener("keydown", (event) => this.key(event));
    this.svg.append(this.moving, this.here);
    const focused = this.shadowRoot.activeElement?.classList.contains("here");
    this.picture.replaceChildren(this.svg);
    if (focused) this.here.focus();
    if (this.line) this.update();
  }

  /** Where parameters stand in the picture, in px. */
  at([w, b]) {
    return [
      MARGIN.left + ((w - W[0]) / (W[1] - W[0])) * this.size,
      MARGIN.top + ((B[1] - b) / (B[1] - B[0])) * this.size,
    ];
  }

  /** Shades and lines of equal loss: h_T = 1 +- sqrt(loss), so b = h_T / g(w). */
  contours() {
    const ws = Array.from({ length: 101 }, (_, i) => W[0] + (i / 100) * (W[1] - W[0]));
    const line = (h) => ws.map((w) => this.at([w, clamp(h / gain(w), [-9, 9])]).map((v) => v.toFixed(1)));
    const path = (points) => `M${points.map((p) => p.join(" ")).join("L")}`;
    const found = [];
    for (const loss of LOSSES) {
      for (const [side, edge] of [[1, 9], [-1, -9]]) {
        const points = line(1 + side * Math.sqrt(loss));
        const closed = [...points, this.at([W[1], edge]), this.at([W[0], edge])];
        found.push(
          draw("path", { class: "loss", d: `${path(closed)}Z` }),
          draw("path", { class: "contour", d: path(points) }),
        );
      }
    }
    found.push(draw("path", { class: "floor", d: path(line(1)) }));
    const all = draw("g", { "clip-path": "url(#inside)" }, ...found);
    // each where its line leaves a clear place
    const named = [[1, 0.8], [10, 1.18], [100, 1.55], [1000, 1.9]].map(([loss, w]) => {
      const [x, y] = this.at([w, (1 - Math.sqrt(loss)) / gain(w)]);
      return draw("text", { x, y: y + 4, "text-anchor": "middle" }, loss.toLocaleString("en"));
    });
    const [x, y] = this.at([0.3, 1 / gain(0.3)]);
    return [all, ...named, draw("text", { x: x + 4, y: y - 6 }, t`loss 0: the valley`)];
  }

  /** Drag the ring, or press anywhere; a drag goes on outside the picture. */
  followPointer() {
    const move = (event) => {
      const box = this.svg.getBoundingClientRect();
      const w = W[0] + ((event.clientX - box.left - MARGIN.left) / this.size) * (W[1] - W[0]);
      const b = B[1] - ((event.clientY - box.top - MARGIN.top) / this.size) * (B[1] - B[0]);
      this.go([w, b]);
    };
    this.picture.addEventListener("pointerdown", (event) => {
      // a finger beside the ring may be about to scroll; its tap is a click
      const held = this.here.contains(event.composedPath()[0]);
      if (event.button || (event.pointerType === "touch" && !held)) return;
      this.picture.setPointerCapture(event.pointerId);
      if (!held) move(event);
      this.here.focus({ preventScroll: true });
      event.preventDefault();
    });
    this.picture.addEventListener("pointermove", (event) => {
      if (this.picture.hasPointerCapture(event.pointerId)) move(event);
    });
    this.picture.addEventListener("click", (event) => {
      if (event.pointerType === "touch") move(event);
    });
  }

  key(event) {
    const step = event.shiftKey ? 0.1 : 0.01;
    const [w, b] = this.place;
    const there = {
      ArrowLeft: [w - step, b], ArrowRight: [w + step, b],
      ArrowUp: [w, b + step], ArrowDown: [w, b - step],
      PageUp: [w, b + 0.1], PageDown: [w, b - 0.1],
      Home: START, End: this.place, // a slider has no end in two directions
    }[event.key];
    if (!there) return;
    event.preventDefault();
    this.go(there);
  }

  go([w, b]) {
    const whole = (v, range) => Math.round(100 * clamp(v, range)) / 100;
    this.place = [whole(w, W), whole(b, B)];
    this.update();
  }

  get state() {
    const parameters = this.place;
    const [theta, eta] = [Number(this.radius.value), Number(this.rate.value)];
    const gradient = gradientAt(parameters);
    const norm = Math.hypot(...gradient);
    const factor = norm > theta ? theta / norm : 1;
    const clipped = gradient.map((g) => g * factor);
    const step = (direction) => {
      const landing = parameters.map((p, i) => p - eta * direction[i]);
      return { parameters: landing, loss: lossAt(landing), length: eta * Math.hypot(...direction) };
    };
    return {
      parameters, loss: lossAt(parameters), theta, eta, gradient, norm, clipped,
      without: step(gradient), with: step(clipped),
    };
  }

  update() {
    const state = this.state;
    const { parameters, theta, eta } = state;
    const [x, y] = this.at(parameters);
    const radius = ((eta * theta) / (W[1] - W[0])) * this.size;
    const arrow = (name, to) => {
      const [endX, endY] = this.at(to);
      return [
        draw("line", { class: name, x1: x, y1: y, x2: endX, y2: endY }),
        draw("circle", { class: `end ${name}`, cx: endX, cy: endY, r: 4 }),
      ];
    };
    this.moving.replaceChildren(
      draw("circle", { class: "ball", cx: x, cy: y, r: radius }),
      ...arrow("thrown", state.without.parameters),
      ...arrow("kept", state.with.parameters),
      // outside the ball, on the side that no step goes to
      draw(
        "text",
        { x: clamp(x, [MARGIN.left + 60, MARGIN.left + this.size - 60]), "text-anchor": "middle",
          y: y + (state.gradient[1] > 0 ? -radius - 12 : radius + 22) },
        t`radius ηθ = ${(eta * theta).toFixed(2)}`,
      ),
    );
    this.here.setAttribute("transform", `translate(${x} ${y})`);
    this.here.setAttribute("aria-valuenow", parameters[0]);
    this.here.setAttribute("aria-valuetext", `w ${parameters[0].toFixed(2)}, b ${parameters[1].toFixed(2)}`);
    this.tell(state);
  }

  tell(state) {
    const { norm, theta, loss } = state;
    const mark = (...children) =>
      draw("svg", { width: 28, height: 14, viewBox: "0 0 28 14", "aria-hidden": "true" }, ...children);
    const line = (name) => mark(
      draw("line", { class: name, x1: 0, x2: 22, y1: 7, y2: 7 }),
      draw("circle", { class: `end ${name}`, cx: 23, cy: 7, r: 4 }),
    );
    const row = (sign, name, ...cells) =>
      make(
        "tr", {}, make("th", { scope: "row" }, sign, name), ...cells.map((c) => make("td", {}, c)),
      );
    const head = ["", t`step`, t`loss`].map((words) => make("th", { scope: "col" }, words));
    const ring = mark(draw("circle", { class: "dot", cx: 14, cy: 7, r: 5 }));
    const disc = mark(draw("circle", { class: "ball", cx: 14, cy: 7, r: 6 }));
    this.table.replaceChildren(
      make("tr", {}, ...head),
      row(ring, t`now`, "", short(loss)),
      row(line("thrown"), t`without the clip`, short(state.without.length), short(state.without.loss)),
      row(line("kept"), t`with the clip`, short(state.with.length), short(state.with.loss)),
      row(disc, t`ball of radius ηθ`, short(state.eta * theta), ""),
    );

    const inside = (p) => p[0] >= W[0] && p[0] <= W[1] && p[1] >= B[0] && p[1] <= B[1];
    const changed = (there) => {
      const [from, to] = [short(loss), short(there.loss)];
      if (from === to) return t`leaves the loss at ${from}`;
      return there.loss > loss
        ? t`raises the loss from ${from} to ${to}`
        : t`lowers the loss from ${from} to ${to}`;
    };
    const moved = (there) =>
      inside(there.parameters) ? changed(there) : t`leaves the picture and ${changed(there)}`;
    const vector = (v) => v.map((g) => g.toFixed(2).replace("-", "−")).join(", ");
    const [gradient, size, most] = [vector(state.gradient), norm.toFixed(2), theta.toFixed(1)];
    this.line.textContent =
      norm > theta
        ? sentences(
            t`The gradient (${gradient}) has norm ${size}, more than θ = ${most}.`,
            t`Without the clip the step ${moved(state.without)}.`,
            t`Clipped to (${vector(state.clipped)}), it keeps its direction and ${moved(state.with)}.`,
          )
        : sentences(
            t`The gradient (${gradient}) has norm ${size}, at most θ = ${most}: the clip changes nothing.`,
            t`The step ${moved(state.with)}.`,
          );
  }
}

customElements.define("unrolled-clipping", Clipping);
