// What all explorables share: a shadow root with the site's colours, labelled
// controls, a small chart, a generator of random numbers with a seed.
//
// An explorable is a custom element. Its tag holds a sentence in plain text,
// which readers without this script (Colab, Jupyter) see in its place.

const SVG = "http://www.w3.org/2000/svg";

// The site's theme sets these on <html>; the second value is for other pages.
const STYLE = `
:host {
  display: block;
  margin: 1.5rem 0;
  padding: 1rem;
  border: 1px solid var(--pst-color-border, #c9c9c9);
  border-radius: 8px;
  background: var(--pst-color-surface, #f5f5f5);
  color: var(--pst-color-text-base, #222);
  font-size: 0.95rem;
  line-height: 1.5;
  --one: #0060a0; --two: #a84300; --three: #00664b; --four: #8f3f70;
  --grey: var(--pst-color-text-muted, #5a5a5a);
}
:host([dark]) {
  --one: #6cbcf0; --two: #f0a060; --three: #4fd0a5; --four: #e8a5cb;
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
input[type="range"] { width: 12rem; max-width: 78vw; accent-color: var(--one); }
input[type="text"], input[type="number"], select, button {
  font: inherit; color: inherit; padding: 0.25rem 0.6rem; max-width: 100%;
  background: var(--pst-color-background, #fff);
  border: 1px solid var(--grey); border-radius: 6px;
}
button { cursor: pointer; }
button:disabled { cursor: default; opacity: 0.6; }
:focus-visible { outline: 3px solid var(--one); outline-offset: 2px; }
svg { display: block; width: 100%; height: auto; max-width: 44rem; }
svg text { fill: currentColor; font-size: 13px; font-family: inherit; }
/* a chart shrinks with the screen; its words then need a larger size */
@media (max-width: 30rem) { svg { overflow: visible; } svg text { font-size: 18px; } }
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
.quiet { color: var(--grey); }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
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
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers from a seed (Box and Muller). */
export function normals(seed) {
  const uniform = uniforms(seed);
  return () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) *
    Math.cos(2 * Math.PI * uniform());
}

/** Whether the reader asked for less motion. */
export const calm = () =>
  matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * The base of every explorable. A subclass has a static `title`, builds its
 * controls in `build(root)`, and draws in `update()`. `state` is a plain
 * object with the settings, inputs and results now shown, for tests.
 */
export class Explorable extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    root.append(make("style", {}, STYLE));
    root.append(make("h3", {}, this.constructor.title));
    this.setAttribute("role", "group");
    this.setAttribute("aria-label", this.constructor.title);
    this.#followTheme();
    try {
      await this.build(root);
      this.update();
      this.setAttribute("ready", "");
    } catch (error) {
      root.append(make("p", {}, `This part could not be loaded: ${error.message}`));
      throw error;
    }
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

  #followTheme() {
    const html = document.documentElement;
    const look = () =>
      this.toggleAttribute("dark", html.dataset.theme === "dark");
    new MutationObserver(look).observe(html, {
      attributes: true,
      attributeFilter: ["data-theme"],
    });
    look();
  }
}
