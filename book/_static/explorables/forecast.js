// Section 8.1: forecasts of a noisy sine, k steps ahead of one window, and how
// far off they are on average.

import { Explorable, make, normals } from "./base.js";
import { chart } from "./chart.js";

const OMEGA = 0.01; // radians a step
const SIGMA = 0.2; // of the noise
const MAX_K = 64;
const PLACES = Array.from({ length: MAX_K }, (_, i) => i + 1); // of k
const BEFORE = 136; // steps before the forecast that the picture shows
const AFTER = 190; // and after
// The same lines in both pictures.
const LOOKS = {
  "network": { name: "network", colour: "network" },
  "least squares": { name: "least squares", colour: "linear" },
  "last value": { name: "last value", colour: "baseline" },
  "mean of the window": { name: "window's mean", colour: "baseline", dash: "10 4 2 4" },
};
const THE = { "network": "the network", "least squares": "least squares" };

const STYLE = `
.said { display: grid; margin: 0.4rem 0; }
.said > * { grid-area: 1 / 1; margin: 0; }
.said > .room { visibility: hidden; }
.controls { gap: 0.3rem 1rem; }
.controls :is(select, button, input) { height: 44px; margin: 0; }
.controls label:has(input) { display: grid; grid-template-columns: auto auto; justify-content: start; column-gap: 0.5rem; }
.controls input { grid-row: 2; grid-column: 1 / 3; width: 10rem; max-width: 46vw; }
summary { min-height: 44px; line-height: 44px; cursor: pointer; }
`;

// A forecaster is a function from values and a place in them to the next
// value: the window begins at that place. tau is fixed beforehand.

const leastSquares = ({ weights, bias }) => (values, from) => {
  let sum = bias;
  for (let i = 0; i < weights.length; i++) sum += weights[i] * values[from + i];
  return sum;
};

const network = (layers) => {
  const units = layers.hidden.map((weights, unit) =>
    leastSquares({ weights, bias: layers["hidden bias"][unit] }),
  );
  return (values, from) =>
    units.reduce(
      (sum, unit, i) => sum + layers.output[i] * Math.max(unit(values, from), 0),
      layers["output bias"],
    );
};

const MAKERS = { "network": network, "least squares": leastSquares };

/** Continue a window by `steps` values, each fed back. */
function freeRun(forecaster, window, steps) {
  const values = new Float64Array(window.length + steps);
  values.set(window);
  for (let i = 0; i < steps; i++) {
    values[window.length + i] = forecaster(values, i);
  }
  return [...values.subarray(window.length)];
}

/** What is seen, with its numbers; `error` gives the RMSE of a forecaster. */
function sentence({ model, tau, k, miss, error }) {
  const other = Object.keys(MAKERS).find((name) => name !== model);
  return (
    `${k} step${k === 1 ? "" : "s"} after this window of tau = ${tau} values ${THE[model]} ` +
    `misses the clean wave by ${miss.toFixed(2)}; over a full period it has RMSE ` +
    `${error(model).toFixed(3)}, ${THE[other]} ${error(other).toFixed(3)}, ` +
    `repeating the last value ${error("last value").toFixed(3)}.`
  );
}

/** Draw a chart in its place, or draw it anew. */
function put(place, options) {
  if (place.firstChild) place.firstChild.redraw(options);
  else place.append(chart(options));
}

class Forecast extends Explorable {
  static title = "Forecast a noisy sine";

  async build(root) {
    this.stored = await this.data("forecast.json");
    this.taus = Object.keys(this.stored.models).map(Number);
    this.seed = 1;
    this.kept = new Map(); // results by tau, for this seed
    this.window = make("div");
    this.errors = make("div");
    root.append(
      make("style", {}, STYLE),
      make("p", { class: "quiet" }, "Drag tau and k in the picture."),
      this.window,
    );
    this.line = this.said(root);
    const longest = { model: "network", tau: 128, k: MAX_K, miss: 0.888, error: () => 0.888 };
    const room = make("p", { class: "room", "aria-hidden": "true" }, sentence(longest));
    const box = make("div", { class: "said" }, room);
    this.line.replaceWith(box);
    box.append(this.line);
    root.append(this.errors);

    const row = this.controls(root);
    this.model = this.choice(row, "model", Object.keys(MAKERS).map((name) => [name, name]));
    this.tau = this.choice(row, "window tau", this.taus.map((tau) => [tau, tau]));
    this.tau.value = 16;
    this.k = this.slider(row, "steps ahead k", { min: 1, max: MAX_K, value: 32 });
    this.button(row, "new noise", () => {
      this.seed += 1;
      this.kept.clear();
      this.update();
    });
    const { known, length, target } = this.stored;
    root.append(
      make(
        "details", { class: "quiet" }, make("summary", {}, "How this is measured"),
        make(
          "p", {},
          `Both models learned from the first ${known} values of another series, the same wave ` +
            `with other noise. Each forecast is fed back as if it had been observed. A forecast ` +
            `of a later window is drawn at the time that it is about. RMSE is against the clean ` +
            `wave, over the targets t = ${target} to ${length}, one full period.`,
        ),
      ),
    );
  }

  /** The series and all forecasts; made again only if an input changed. */
  results(tau) {
    if (this.kept.has(tau)) return this.kept.get(tau);
    const { known, length, target, models } = this.stored;
    const normal = normals(this.seed);
    const noise = Array.from({ length }, normal);
    const clean = noise.map((_, i) => Math.sin(OMEGA * (i + 1)));
    const noisy = clean.map((c, i) => c + SIGMA * noise[i]);
    const window = (end) => noisy.slice(end - tau, end);

    // ahead[name][i][k - 1]: made when known + i values were seen, k steps ahead
    const origins = Array.from({ length: length - known }, (_, i) => known + i);
    const held = (rule) => origins.map((end) => Array(MAX_K).fill(rule(window(end))));
    const [ahead, free] = [{}, {}];
    for (const [name, maker] of Object.entries(MAKERS)) {
      const forecaster = maker(models[tau][name]);
      ahead[name] = origins.map((end) => freeRun(forecaster, window(end), MAX_K));
      free[name] = freeRun(forecaster, window(known), length - known);
    }
    ahead["last value"] = held((values) => values.at(-1));
    ahead["mean of the window"] = held((values) => values.reduce((a, b) => a + b) / tau);

    // the same targets for every k: all were forecast after training ended
    const error = (table) =>
      Array.from({ length: MAX_K }, (_, i) => {
        let sum = 0;
        for (let t = target; t <= length; t++) {
          sum += (table[t - 1 - i - known][i] - clean[t - 1]) ** 2;
        }
        return Math.sqrt(sum / (length - target + 1));
      });
    const names = Object.keys(ahead);
    const rmse = Object.fromEntries(names.map((name) => [name, error(ahead[name])]));
    this.kept.set(tau, { noise, clean, noisy, ahead, free, rmse });
    return this.kept.get(tau);
  }

  get state() {
    const [model, tau, k] = [this.model.value, Number(this.tau.value), Number(this.k.value)];
    const { known, length } = this.stored;
    const { noise, ahead, free, rmse } = this.results(tau);
    // those made later than length - k have no target left
    const made = ahead[model].slice(0, length - known - k + 1);
    return {
      model, tau, k, seed: this.seed, known, noise,
      window: Object.fromEntries( // forecasts of the window in the picture
        Object.entries(ahead).map(([name, rows]) => [name, rows[0].slice(0, k)]),
      ),
      far: made.map((row) => row[k - 1]), // for t = known + k on
      free: free[model], // for t = known + 1 on
      rmse,
    };
  }

  /** Set a control as the reader would have. */
  set(control, value) {
    control.value = value;
    control.dispatchEvent(new Event(control === this.k ? "input" : "change"));
  }

  update() {
    const { model, tau, k, known, window, far, free, rmse } = this.state;
    const { clean, noisy } = this.results(tau);
    const from = (start, values) => values.map((value, i) => [start + i, value]);
    const [first, last] = [known - BEFORE, known + AFTER];
    const miss = Math.abs(window[model][k - 1] - clean[known + k - 1]);
    const words = sentence({ model, tau, k, miss, error: (name) => rmse[name][k - 1] });
    this.line.textContent = words;

    const forecasts = Object.entries(window).map(([name, values]) => ({
      ...LOOKS[name],
      // a baseline is one value, which holds from the window's end on
      points: name in MAKERS ? from(known + 1, values) : [[known, values[0]], [known + k, values[0]]],
      width: name === model ? 3.5 : 2,
    }));
    const { colour, dash } = LOOKS[model];
    put(this.window, {
      height: 250,
      x: [first, last], y: [-1.8, 1.8],
      xlabel: "time t (steps)", ylabel: "x",
      words: `A noisy sine, a window of ${tau} values that ends at t = ${known}, and forecasts ` +
        `up to ${k} steps after it. ${words}`,
      shades: [{ from: known - tau, to: known }],
      series: [
        { name: "noisy data", colour: "muted", dots: true, points: from(first, noisy.slice(first - 1, last)) },
        { name: "clean wave", colour: "neutral", width: 1, points: from(first, clean.slice(first - 1, last)) },
        { name: "later windows", colour, dash, width: 1, points: from(known + k, far.slice(0, AFTER - k + 1)) },
        { name: "free run", colour, dash: "1 4", width: 2, points: from(known + k, free.slice(k - 1, AFTER)) },
        ...forecasts,
      ],
      handles: [
        {
          along: "x", side: -1, name: "left edge of the window", label: `tau = ${tau}`,
          values: this.taus.map((one) => known - one).reverse(), at: known - tau,
          text: (t) => `tau = ${known - t}`, grip: -1.2,
          move: (t) => this.set(this.tau, known - t),
        },
        {
          along: "x", side: 1, name: "marker of the forecast", label: `k = ${k}`,
          values: PLACES.map((one) => known + one), at: known + k,
          text: (t) => `k = ${t - known}`, grip: window[model][k - 1], colour,
          move: (t) => this.set(this.k, t - known),
        },
      ],
    });
    const top = Math.max(0.6, ...Object.values(rmse).flat());
    put(this.errors, {
      height: 200,
      x: [1, MAX_K], y: [0, top],
      xlabel: "steps ahead k", ylabel: "RMSE",
      words: `RMSE against the clean wave for k = 1 to ${MAX_K}. ${words}`,
      series: Object.entries(rmse).map(([name, values]) => ({
        ...LOOKS[name], name: "", points: from(1, values), width: name === model ? 3.5 : 2,
      })),
      handles: [
        {
          along: "x", name: "marker of the errors", label: `k = ${k}`,
          values: PLACES, at: k, text: (one) => `k = ${one}`, grip: rmse[model][k - 1], colour,
          move: (one) => this.set(this.k, one),
        },
      ],
    });
  }
}

customElements.define("unrolled-forecast", Forecast);
