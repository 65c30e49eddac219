// Section 8.5: gradient clipping is the projection onto a ball.

import { Explorable, draw, make } from "./base.js";

const SIZE = 340; // of the picture, for gradients from -4 to 4
const SPAN = 4;

class Clipping extends Explorable {
  static title = "Clip a gradient";

  build(root) {
    const row = this.controls(root);
    this.first = this.slider(row, "gradient, first entry", {
      min: -4, max: 4, step: 0.1, value: 2.5, show: (v) => v.toFixed(1),
    });
    this.second = this.slider(row, "gradient, second entry", {
      min: -4, max: 4, step: 0.1, value: 1.8, show: (v) => v.toFixed(1),
    });
    this.radius = this.slider(row, "theta", {
      min: 0.2, max: 4, step: 0.1, value: 1, show: (v) => v.toFixed(1),
    });
    this.picture = draw("svg", {
      viewBox: `0 0 ${SIZE} ${SIZE}`,
      role: "img",
      style: "max-width: 22rem; touch-action: none; cursor: crosshair",
    });
    this.picture.addEventListener("pointerdown", (event) => this.drag(event));
    this.picture.addEventListener("pointermove", (event) => {
      if (event.buttons) this.drag(event);
    });
    root.append(
      make("p", { class: "quiet" }, "Drag in the picture, or use the sliders."),
      this.picture,
    );
    this.line = this.said(root);
  }

  drag(event) {
    const box = this.picture.getBoundingClientRect();
    const place = (share) => Math.round((share - 0.5) * 20 * SPAN) / 10;
    this.first.value = place((event.clientX - box.left) / box.width);
    this.second.value = -place((event.clientY - box.top) / box.height);
    this.first.dispatchEvent(new Event("input"));
    this.second.dispatchEvent(new Event("input"));
  }

  get state() {
    const gradient = [Number(this.first.value), Number(this.second.value)];
    const theta = Number(this.radius.value);
    const norm = Math.hypot(...gradient);
    const factor = norm > theta ? theta / norm : 1;
    return { gradient, theta, norm, clipped: gradient.map((g) => g * factor) };
  }

  update() {
    const { gradient, theta, norm, clipped } = this.state;
    const at = ([a, b]) => [
      (SIZE / 2) * (1 + a / SPAN),
      (SIZE / 2) * (1 - b / SPAN),
    ];
    const arrow = (vector, colour, dash) => {
      const [x, y] = at(vector);
      return [
        draw("line", {
          x1: SIZE / 2, y1: SIZE / 2, x2: x, y2: y,
          style: `stroke: var(${colour}); stroke-width: 3; stroke-dasharray: ${dash}`,
        }),
        draw("circle", { cx: x, cy: y, r: 5, style: `fill: var(${colour})` }),
      ];
    };
    this.picture.replaceChildren(
      draw("line", { class: "grid", x1: 0, x2: SIZE, y1: SIZE / 2, y2: SIZE / 2 }),
      draw("line", { class: "grid", y1: 0, y2: SIZE, x1: SIZE / 2, x2: SIZE / 2 }),
      draw("circle", {
        cx: SIZE / 2, cy: SIZE / 2, r: (SIZE / 2) * (theta / SPAN),
        style: "fill: var(--three); fill-opacity: 0.12; stroke: var(--three); stroke-width: 2",
      }),
      ...arrow(gradient, "--two", "6 4"),
      ...arrow(clipped, "--one", ""),
    );
    const show = (vector) => vector.map((v) => v.toFixed(2)).join(", ");
    const words =
      norm > theta
        ? `The gradient (${show(gradient)}) has norm ${norm.toFixed(2)}, more than theta ` +
          `${theta.toFixed(1)}. It becomes (${show(clipped)}): same direction, on the edge of the ball.`
        : `The gradient (${show(gradient)}) has norm ${norm.toFixed(2)}, at most theta ` +
          `${theta.toFixed(1)}. It stays as it is.`;
    this.line.textContent = words;
    this.picture.setAttribute("aria-label", words);
  }
}

customElements.define("unrolled-clipping", Clipping);
