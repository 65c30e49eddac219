// The line chart of the explorables. It is drawn anew at the width that it
// has, so that words and lines keep their size on a telephone.

import { draw, make } from "./base.js";

// A family has one colour everywhere, and a dash for those who cannot tell
// colours apart. What belongs to no family has a plain name or the place of
// a colour in the element's own palette.
const LOOKS = {
  network: ["var(--family-network, #0072b2)", ""],
  linear: ["var(--family-linear, #a0522d)", "9 4"],
  baseline: ["var(--family-baseline, #808080)", "2 3"],
  counting: ["var(--family-counting, #d55e00)", "12 3 2 3"],
  compressor: ["var(--family-compressor, #009e73)", "5 5"],
  mixture: ["var(--family-mixture, #c2649a)", "12 3 2 3 2 3"],
  people: ["var(--family-people, #a87900)", "1 5"],
  neutral: ["currentColor", ""],
  muted: ["var(--pst-color-text-muted, #5a5a5a)", ""],
};
const TYPE = 13; // px
const TARGET = 44; // px that a finger needs

const STYLE = `
/* the families' colours are made for the page's background */
.chart {
  max-width: 45rem; margin: 0.4rem -0.5rem; padding: 0.4rem 0.5rem;
  border-radius: 6px; background: var(--pst-color-background, #fff);
}
.chart .plot { position: relative; }
.chart .plot svg { width: auto; max-width: none; overflow: visible; }
.chart svg text { font-size: ${TYPE}px; }
.chart .line { fill: none; stroke: var(--paint); }
.chart .dot { fill: var(--paint); }
.chart .shade { fill: var(--paint); fill-opacity: 0.16; }
.chart .keys {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(8.7rem, 1fr));
  gap: 0 0.4rem; font-size: 0.85rem;
}
.chart .keys > span { display: flex; gap: 0.4rem; align-items: center; }
.chart .keys svg { flex: none; width: 28px; height: 12px; }
.chart .handle { position: absolute; user-select: none; -webkit-user-select: none; }
.chart .handle > * { position: absolute; }
.chart .rule { border: 0 solid currentColor; }
.chart .grip {
  width: 22px; height: 22px; margin: -11px; border: 2px solid var(--paint);
  border-radius: 50%; background: var(--pst-color-background, #fff);
  font: 700 14px/15px sans-serif; text-align: center;
}
.chart .grip::before { content: "\\2039\\203a"; }
.chart .tag { font-size: ${TYPE}px; line-height: 1; font-weight: 600; white-space: nowrap; }
.chart .along-x { cursor: ew-resize; touch-action: pan-y; }
.chart .along-x .rule { border-left-width: 1.5px; }
.chart .along-y { cursor: ns-resize; touch-action: pan-x; }
.chart .along-y .rule { border-top-width: 1.5px; }
.chart .along-y .grip { transform: rotate(90deg); }
.chart .handle:focus-visible { outline: none; }
.chart .handle:focus-visible .grip { outline: 3px solid currentColor; outline-offset: 2px; }
@media (forced-colors: active) {
  .chart * { --paint: CanvasText !important; }
  .chart .shade { stroke: CanvasText; }
  .chart .handle:focus-visible .grip { outline-color: Highlight; }
}
`;

/** At most `most` + 1 round numbers between low and high. */
export function ticks(low, high, most = 5) {
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const found = [];
  for (let x = Math.ceil(low / step) * step; x <= high + 1e-9; x += step) {
    found.push(Number(x.toPrecision(12)));
  }
  return found;
}

const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

/** The one of `values` that is nearest to v. */
export const nearest = (values, v) =>
  values.reduce((a, b) => (Math.abs(b - v) < Math.abs(a - v) ? b : a));

function look({ colour, dash, width = 2.5, faint = false }) {
  const [paint, own] = LOOKS[colour];
  return {
    style: `--paint: ${paint}`,
    "stroke-dasharray": dash ?? own,
    "stroke-width": width,
    opacity: faint ? 0.6 : 1,
  };
}

/** Where data lie in a picture of this size, in px. */
function scales({ x, y, height, yticks }, width) {
  const letters = Math.max(...yticks.map((tick) => String(tick).length));
  const [left, right] = [letters * 0.6 * TYPE + 10, width - 12];
  const [top, bottom] = [TYPE + 10, height - 2 * TYPE - 16];
  return {
    left, right, top, bottom,
    toX: (v) => left + ((v - x[0]) / (x[1] - x[0])) * (right - left),
    toY: (v) => bottom - ((v - y[0]) / (y[1] - y[0])) * (bottom - top),
    fromX: (px) => x[0] + ((px - left) / (right - left)) * (x[1] - x[0]),
    fromY: (px) => y[0] + ((bottom - px) / (bottom - top)) * (y[1] - y[0]),
  };
}

/** Axes, shades and series as SVG. */
function drawing({ series, shades = [], x, y, xlabel, ylabel, height, yticks }, at) {
  const { left, right, top, bottom, toX, toY } = at;
  const parts = [];
  for (const tick of yticks) {
    parts.push(
      draw("line", { class: "grid", x1: left, x2: right, y1: toY(tick), y2: toY(tick) }),
      draw("text", { x: left - 6, y: toY(tick) + 4, "text-anchor": "end" }, String(tick)),
    );
  }
  const letters = Math.max(...x.map((end) => String(Math.round(end)).length));
  const room = Math.floor((right - left) / (letters * 0.6 * TYPE + 40));
  for (const tick of ticks(x[0], x[1], clamp(room, 2, 8))) {
    parts.push(
      draw("line", { class: "axis", x1: toX(tick), x2: toX(tick), y1: bottom, y2: bottom + 4 }),
      draw("text", { x: toX(tick), y: bottom + TYPE + 5, "text-anchor": "middle" }, String(tick)),
    );
  }
  parts.push(
    draw("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    draw("text", { x: (left + right) / 2, y: height - 4, "text-anchor": "middle" }, xlabel),
    draw("text", { x: 0, y: TYPE - 2 }, ylabel),
  );
  for (const { from, to, colour = "muted" } of shades) {
    const { style } = look({ colour });
    const width = toX(to) - toX(from);
    parts.push(
      draw("rect", { class: "shade", x: toX(from), width, y: top, height: bottom - top, style }),
    );
  }
  series.forEach((one) => {
    const points = one.points.map(([a, b]) => [toX(a), toY(clamp(b, ...y))]);
    const { style, ...stroke } = look(one);
    if (one.dots) {
      for (const [cx, cy] of points) {
        parts.push(draw("circle", { class: "dot", cx, cy, r: 1.5, style, opacity: stroke.opacity }));
      }
      return;
    }
    const path = points.map((point) => point.map((v) => v.toFixed(1)).join(",")).join(" ");
    parts.push(draw("polyline", { class: "line", points: path, style, ...stroke }));
    for (const [cx, cy] of one.marks ? points : []) {
      parts.push(draw("circle", { class: "dot", cx, cy, r: 2 + stroke["stroke-width"] / 2, style }));
    }
  });
  return parts;
}

/** The names of the series, each beside a piece of its line. */
function keys(series) {
  return series.flatMap((one) => {
    if (!one.name) return [];
    const { style, ...stroke } = look(one);
    const sample = one.dots
      ? [4, 14, 24].map((cx) => draw("circle", { class: "dot", cx, cy: 6, r: 2, style }))
      : [draw("line", { class: "line", x1: 0, x2: 28, y1: 6, y2: 6, style, ...stroke })];
    return [make("span", {}, draw("svg", {}, ...sample), one.name)];
  });
}

/**
 * A marker that is dragged along x (a vertical rule) or y (a horizontal one),
 * or moved by keys; `place` moves it when data or size have changed.
 */
function handle(along) {
  const [rule, grip, tag] = ["rule", "grip", "tag"].map((name) =>
    make("span", { class: name, "aria-hidden": "true" }),
  );
  const element = make(
    "div",
    {
      class: `handle along-${along}`, role: "slider", tabindex: 0,
      "aria-orientation": along === "x" ? "horizontal" : "vertical",
    },
    rule, grip, tag,
  );
  let options, at, held; // held: from the pointer to the rule, in px
  const tell = (value) => {
    if (value !== options.at) options.move(value);
  };
  const pointer = (event) => (along === "x" ? event.clientX : event.clientY);
  const here = () => (along === "x" ? at.toX(options.at) : at.toY(options.at));
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // no selection of text
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    held = here() - pointer(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (!element.hasPointerCapture(event.pointerId)) return;
    const px = pointer(event) + held;
    tell(nearest(options.values, along === "x" ? at.fromX(px) : at.fromY(px)));
  });
  element.addEventListener("keydown", (event) => {
    const { values } = options;
    const [one, many] = [1, Math.ceil(values.length / 10)];
    const jump = {
      ArrowLeft: -one, ArrowDown: -one, ArrowRight: one, ArrowUp: one,
      PageDown: -many, PageUp: many, Home: -values.length, End: values.length,
    }[event.key];
    if (!jump) return;
    event.preventDefault();
    const now = values.indexOf(nearest(values, options.at));
    tell(values[clamp(now + jump, 0, values.length - 1)]);
  });

  const place = (next, scale, width, height) => {
    [options, at] = [next, scale];
    const { name, values, text = String, label = "", side = 0, colour = "neutral" } = next;
    element.setAttribute("aria-label", name);
    element.setAttribute("aria-valuemin", values[0]);
    element.setAttribute("aria-valuemax", values.at(-1));
    element.setAttribute("aria-valuenow", next.at);
    element.setAttribute("aria-valuetext", text(next.at));
    element.style.cssText = look({ colour }).style;
    tag.textContent = label;
    // two handles that come close lie on different sides of their rules
    const start = (px, size) => clamp(px - TARGET / 2 + side * (TARGET / 2 - 2), 0, size - TARGET);
    if (along === "x") {
      const from = start(here(), width);
      const inner = here() - from;
      const { top, bottom } = scale;
      const size = { left: from, top, width: TARGET, height: bottom - top };
      for (const [key, px] of Object.entries(size)) element.style[key] = `${px}px`;
      rule.style.cssText = `left: ${inner - 0.75}px; top: 0; height: 100%`;
      const level = next.grip === undefined ? 12 : scale.toY(next.grip) - top;
      grip.style.cssText = `left: ${inner}px; top: ${level}px`;
      const room = label.length * 0.65 * TYPE + 6; // else it lies on the other side
      const isLeft = side < 0 ? here() > room : here() + room > width;
      const away = isLeft ? `right: ${TARGET - inner + 6}px` : `left: ${inner + 6}px`;
      tag.style.cssText = `${away}; top: ${side < 0 ? bottom - top - TYPE - 4 : 2}px`;
    } else {
      const from = start(here(), height);
      const inner = here() - from;
      const { left, right } = scale;
      const size = { left, top: from, width: right - left, height: TARGET };
      for (const [key, px] of Object.entries(size)) element.style[key] = `${px}px`;
      rule.style.cssText = `top: ${inner - 0.75}px; left: 0; width: 100%`;
      const level = next.grip === undefined ? right - left - 12 : scale.toX(next.grip) - left;
      grip.style.cssText = `top: ${inner}px; left: ${level}px`;
      tag.style.cssText = `top: ${inner - TYPE - 4}px; left: 4px`;
    }
  };
  return { element, place };
}

/**
 * A line chart with its legend, as an element whose method `redraw` takes the
 * options that change.
 *
 * series: [{ name, points: [[x, y], ...], colour, dash, width, faint, dots, marks }],
 *   colour a family or another name of LOOKS; no name, no place in the legend;
 *   dots in place of a line, or marks on it, at its points.
 * x, y: [low, high]. words: what a screen reader says in place of the picture.
 * height: of the picture in px. shades: [{ from, to, colour }] along x.
 * handles: [{ name, along: "x" or "y", at, values, text, label, move, grip,
 *   side, colour }]: `values` are all places it may take, in order; `move` is
 *   called with the new one, `text` and `label` are its words aloud and in the
 *   picture, `grip` is where its grip lies on the other axis, and `side`
 *   (-1, 0, 1) to which side of the rule a finger finds it. Their number and
 *   order stay.
 */
export function chart(options) {
  const picture = draw("svg", { role: "img" });
  const plot = make("div", { class: "plot" }, picture);
  const legend = make("div", { class: "keys", "aria-hidden": "true" });
  const element = make("div", { class: "chart" }, make("style", {}, STYLE), plot, legend);
  const handles = (options.handles ?? []).map(({ along }) => handle(along));
  plot.append(...handles.map((one) => one.element));
  let now = { height: 260, ...options };

  const show = () => {
    const width = plot.clientWidth;
    if (!width) return; // not on a page yet, or folded away
    const { height, words, y } = now;
    const yticks = ticks(...y, clamp(Math.floor(height / 45), 2, 6));
    const at = scales({ ...now, yticks }, width);
    picture.setAttribute("width", width);
    picture.setAttribute("aria-label", words);
    picture.replaceChildren(...drawing({ ...now, yticks }, at));
    handles.forEach((one, i) => one.place(now.handles[i], at, width, height));
  };
  element.redraw = (changed) => {
    now = { ...now, ...changed };
    plot.style.height = `${now.height}px`;
    picture.setAttribute("height", now.height);
    legend.replaceChildren(...keys(now.series));
    show();
  };
  element.redraw();
  new ResizeObserver(show).observe(plot);
  return element;
}
