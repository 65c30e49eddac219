// What all explorables share: a shadow root with the site's colours, labelled
// controls, a small chart, a generator of random numbers with a seed.
//
// An explorable is a custom element. Its tag holds a sentence in plain text,
// which readers without this script (Colab, Jupyter) see in its place.

import { t } from "./say.js";

const SVG = "http://www.w3.org/2000/svg";

// The frame around it all (border, margins, background, and the room that it
// keeps while it loads) is in explorables.css, which is there before this is.
// The theme sets --pst-..., the site --family-...; the second values are for
// other pages. --one to --four are the families' colours under old names.
const STYLE = `
:host {
  font-size: 0.95rem;
  line-height: 1.5;
  --one: var(--family-network, #0072b2); --two: var(--family-counting, #d55e00);
  --three: var(--family-compressor, #009e73); --four: var(--family-mixture, #c2649a);
  --grey: var(--pst-color-text-muted, #5a5a5a);
  --paper: var(--pst-color-background, #fff);
  --accent: var(--pst-color-primary, #176de8); /* what can be moved */
}
* { box-sizing: border-box; }
h3 { margin: 0 0 0.3rem; font-size: 1.05rem; }
p { margin: 0.3rem 0; }
.controls {
  display: flex; flex-wrap: wrap; gap: 0.4rem 1.2rem; align-items: end;
  margin: 0.6rem 0;
}
[hidden] { display: none !important; }
label { display: flex; flex-direction: column; gap: 0.1rem; min-width: 0; }
label > span:first-child { font-weight: 600; }
/* a slider's value stands beside its name */
label:has(> input[type="range"]) { display: grid; justify-content: start; column-gap: 0.6rem; }
label > input[type="range"] { grid-area: 2 / 1 / 3 / 3; }
label > input[type="range"] + span { grid-area: 1 / 2; font-variant-numeric: tabular-nums; }
/* along it a finger moves it, across it the page */
input[type="range"] {
  width: 12rem; max-width: 78vw; accent-color: var(--accent); touch-action: pan-y;
}
input[type="text"], input[type="number"], select, button {
  font: inherit; color: inherit; padding: 0.25rem 0.6rem; max-width: 100%;
  background: var(--paper); border: 1px solid var(--grey); border-radius: 6px;
}
input[aria-invalid="true"] { outline: 2px solid currentColor; }
button { cursor: pointer; }
button:disabled { cursor: default; opacity: 0.6; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
/* a finger needs 44 px; a slider can be taken anywhere in its height */
@media (pointer: coarse), (max-width: 30rem) {
  button, select, input { min-width: 44px; min-height: 44px; }
}
svg { display: block; width: 100%; height: auto; max-width: 44rem; }
svg text { fill: currentColor; font-size: 13px; font-family: inherit; }
svg .axis { stroke: currentColor; stroke-width: 1; }
svg .grid { stroke: var(--grey); stroke-width: 0.5; opacity: 0.4; }
table { border-collapse: collapse; max-width: 100%; }
th, td { padding: 0.1rem 0.7rem 0.1rem 0; text-align: right; }
th:first-child, td:first-child { text-align: left; }
.scroll { overflow-x: auto; }
.text { font-family: monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; }
.legend span::before {
  content: ""; display: inline-block; width: 1.6rem; height: 0; margin-right: 0.4rem;
  vertical-align: middle; border-top: 3px var(--dash, solid) var(--colour);
}
/* what need not be read to use it: smaller and grey, never below 12 px */
.quiet { color: var(--grey); font-size: max(0.85rem, 12px); line-height: 1.4; }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
/* a high-contrast theme would paint over colours that are the picture */
@media (forced-colors: active) {
  .bar, .bar *, .swatch, .legend span::before, [style*="--colour"] {
    forced-color-adjust: none;
  }
  :host { --grey: CanvasText; --paper: Canvas; }
  :focus-visible { outline-color: Highlight; }
  button:disabled { opacity: 1; color: GrayText; border-color: GrayText; }
}
`;

/** An element with attributes and children (strings become text). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** The same for SVG. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Uniform numbers in [0, 1) from a seed (the generator mulberry32). */
export function uniforms(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers from a seed (Box and Muller). */
export function normals(seed) {
  const uniform = uniforms(seed);
  return () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) *
    Math.cos(2 * Math.PI * uniform());
}

/** Sentences one after the other; empty ones are left out. */
export const sentences = (...all) =>
  all.filter(Boolean).reduce((said, one) => t`${said} ${one}`);

/** "a, b, c". */
export const commas = (items) => items.reduce((said, one) => t`${said}, ${one}`);

/** Whether the reader asked for less motion. */
export const calm = () =>
  matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * The base of every explorable. A subclass has a static `title`, builds its
 * controls in `build(root)`, and draws in `update()`. `state` is a plain
 * object with the settings, inputs and results now shown, for tests.
 * A subclass that draws at the width it has gives `resized()`.
 */
export class Explorable extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    root.append(make("style", {}, STYLE));
    root.append(make("h3", {}, this.constructor.title));
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.constructor.title);
    try {
      await this.build(root);
      this.update();
      this.setAttribute("ready", "");
    } catch (error) {
      // said once, in place of "Loading ...", with what a report needs
      this.setAttribute("failed", "");
      root.append(
        make(
          "p", { role: "alert" },
          t`This part could not be loaded. Check the connection and load the page again. (${error.message})`,
        ),
      );
      throw error;
    }
    if (this.resized) this.#followWidth();
  }

  /** The width that there is for what is drawn, in px. */
  get room() {
    const { paddingLeft, paddingRight } = getComputedStyle(this);
    return this.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
  }

  /** A file of book/_static/explorables/data, as JSON. */
  async data(name) {
    const answer = await fetch(new URL(`data/${name}`, import.meta.url));
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  }

  /** A row for controls; returns it. */
  controls(root) {
    const row = make("div", { class: "controls" });
    root.append(row);
    return row;
  }

  /** A labelled slider that shows its value; `show` turns it into words. */
  slider(row, name, { min, max, step = 1, value, show = String }) {
    const input = make("input", { type: "range", min, max, step, value });
    const shown = make("span", { "aria-hidden": "true" }, show(value));
    row.append(make("label", {}, make("span", {}, name), input, shown));
    const tell = () => {
      shown.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    tell();
    input.addEventListener("input", () => {
      tell();
      this.update();
    });
    // a finger moves it as it comes down, before it turns out to scroll
    let before = input.value;
    input.addEventListener("pointerdown", () => (before = input.value));
    input.addEventListener("pointercancel", () => {
      if (input.value === before) return;
      input.value = before;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return input;
  }

  /** A labelled choice; options are [value, words] pairs. */
  choice(row, name, options) {
    const select = make("select");
    for (const [value, words] of options) {
      select.append(make("option", { value }, words));
    }
    row.append(make("label", {}, make("span", {}, name), select));
    select.addEventListener("change", () => this.update());
    return select;
  }

  /** A button. */
  button(row, words, action) {
    const button = make("button", { type: "button" }, words);
    button.addEventListener("click", action);
    row.append(button);
    return button;
  }

  /** A line that screen readers say when it changes. */
  said(root) {
    const line = make("p", { "aria-live": "polite" });
    root.append(line);
    return line;
  }

  #followWidth() {
    let drawn = this.room;
    new ResizeObserver(() => {
      // 0: out of the page or in a closed fold, where nothing is drawn
      if (this.room === drawn || this.room <= 0) return;
      drawn = this.room;
      this.resized();
    }).observe(this);
  }
}
