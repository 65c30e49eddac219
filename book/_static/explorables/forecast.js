// Section 8.1: forecasts of a noisy sine, k steps ahead of one window, fed back
// or direct, and how far off they are on average, beside the best possible.

import { Explorable, commas, make, normals, sentences } from "./base.js";
import { chart, nearest } from "./chart.js";
import { t } from "./say.js";

const OMEGA = 0.01; // radians a step
const SIGMA = 0.2; // of the noise
const MAX_K = 64;
const EVERY = Array.from({ length: MAX_K }, (_, i) => i + 1); // k
const BEFORE = 136; // steps before the forecast that the picture shows
const AFTER = 190; // and after
// The same lines in both pictures.
const LOOKS = {
  "network": { name: t`network`, colour: "network" },
  "least squares": { name: t`least squares`, colour: "linear" },
  "last value": { name: t`last value`, colour: "baseline" },
  "mean of the window": { name: t`window's mean`, colour: "baseline", dash: "10 4 2 4" },
};
const FLOOR = { name: t`the best possible`, colour: "neutral", dash: "6 5", width: 2 };
const THE = { "network": t`the network`, "least squares": t`least squares` };
const WAYS = { "fed back": t`fed back`, "direct": t`direct` };

const STYLE = `
.said { display: grid; margin: 0.4rem 0; }
.said > * { grid-area: 1 / 1; margin: 0; }
.said > .room { visibility: hidden; }
.controls { gap: 0.3rem 0.8rem; }
.controls :is(select, button, input) { height: 44px; margin: 0; }
.controls label:has(input) { display: grid; grid-template-columns: auto auto; justify-content: start; column-gap: 0.5rem; }
.controls input { grid-row: 2; grid-column: 1 / 3; width: 8rem; max-width: 46vw; }
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
function sentence({ model, mode, tau, k, miss, error, floor }) {
  const other = Object.keys(MAKERS).find((name) => name !== model);
  const [the, way, off] = [THE[model], WAYS[mode], miss.toFixed(2)];
  const here = k === 1
    ? t`1 step after this window of tau = ${tau} values ${the} (${way}) misses the clean wave by ${off}`
    : t`${k} steps after this window of tau = ${tau} values ${the} (${way}) misses the clean wave by ${off}`;
  const [own, its, last] = [model, other, "last value"].map((name) => error(name).toFixed(3));
  return t`${here}; over a full period it has RMSE ${own}, ${THE[other]} ${its}, repeating the last value ${last}, the best possible forecast ${floor.toFixed(3)}.`;
}

/** Draw a chart in its place, or draw it anew. */
function put(place, options) {
  if (place.firstChild) place.firstChild.redraw(options);
  else place.append(chart(options));
}

class Forecast extends Explorable {
  static title = t`Forecast a noisy sine`;

  async build(root) {
    this.stored = await this.data("forecast.json");
    this.taus = Object.keys(this.stored.models).map(Number);
    // one step ahead nothing is fed back: both ways have the same model there
    this.jumps = [1, ...Object.keys(this.stored.direct[this.taus[0]]).map(Number)];
    this.places = EVERY; // what k may be
    this.seed = 1;
    this.kept = new Map(); // results by tau, for this seed
    this.window = make("div");
    this.errors = make("div");
    root.append(
      make("style", {}, STYLE),
      make("p", { class: "quiet" }, t`Drag tau and k in the picture.`),
      this.window,
    );
    this.line = this.said(root);
    const longest = {
      model: "network", mode: "fed back", tau: 128, k: MAX_K, miss: 0.888, error: () => 0.888,
      floor: 0.888,
    };
    const room = make("p", { class: "room", "aria-hidden": "true" }, sentence(longest));
    const box = make("div", { class: "said" }, room);
    this.line.replaceWith(box);
    box.append(this.line);
    root.append(this.errors);

    const row = this.controls(root);
    this.model = this.choice(row, t`model`, Object.keys(MAKERS).map((name) => [name, LOOKS[name].name]));
    this.mode = this.choice(row, t`fed back or direct`, [
      ["fed back", WAYS["fed back"]], ["direct", t`direct, for k = ${commas(this.jumps)}`],
    ]);
    this.tau = this.choice(row, t`window tau`, this.taus.map((tau) => [tau, tau]));
    this.tau.value = 16;
    this.k = this.slider(row, t`steps ahead k`, {
      min: 1, max: MAX_K, value: MAX_K, show: (place) => String(this.places[place - 1]),
    });
    this.button(row, t`new noise`, () => {
      this.seed += 1;
      this.kept.clear();
      this.update();
    });
    const { known, length, target } = this.stored;
    root.append(
      make(
        "details", { class: "quiet" }, make("summary", {}, t`How this is measured`),
        make(
          "p", {},
          sentences(
            t`Both models learned from the first ${known} values of another series, the same wave with other noise.`,
            t`Fed back: each forecast enters the window as if it had been observed.`,
            t`Direct: for k = ${commas(this.jumps)} there are models of their own, which go straight from the window to the value k steps later; the lines only join their points.`,
            t`For k = 1 both ways are the same.`,
            t`A forecast of a later window is drawn at the time that it is about.`,
            t`RMSE is against the clean wave, over the targets t = ${target} to ${length}, one full period.`,
          ),
        ),
        make(
          "p", {},
          sentences(
            t`The best possible forecast is made by one who knows the wave and the size of the noise, but not where on the wave the window lies.`,
            t`Its RMSE was measured on 20 other series.`,
            t`Nobody who knows less does better on average; with one noise it can happen.`,
          ),
        ),
      ),
    );
  }

  /** The series and all forecasts; made again only if an input changed. */
  results(tau) {
    if (this.kept.has(tau)) return this.kept.get(tau);
    const { known, length, target, models, direct } = this.stored;
    const normal = normals(this.seed);
    const noise = Array.from({ length }, normal);
    const clean = noise.map((_, i) => Math.sin(OMEGA * (i + 1)));
    const noisy = clean.map((c, i) => c + SIGMA * noise[i]);
    const window = (end) => noisy.slice(end - tau, end);

    // rows[i][j]: made when known + i values were seen, places[j] steps ahead
    const origins = Array.from({ length: length - known }, (_, i) => known + i);
    const table = (places, row) => ({ places, rows: origins.map((end) => row(window(end))) });
    const held = (rule) => table(EVERY, (values) => Array(MAX_K).fill(rule(values)));
    const [back, jump, free] = [{}, {}, {}];
    for (const [name, maker] of Object.entries(MAKERS)) {
      const forecaster = maker(models[tau][name]);
      back[name] = table(EVERY, (values) => freeRun(forecaster, values, MAX_K));
      free[name] = freeRun(forecaster, window(known), length - known);
      const own = this.jumps.map((k) => (k === 1 ? forecaster : maker(direct[tau][k][name])));
      jump[name] = table(this.jumps, (values) => own.map((one) => one(values, 0)));
    }
    const plain = {
      "last value": held((values) => values.at(-1)),
      "mean of the window": held((values) => values.reduce((a, b) => a + b) / tau),
    };
    const ahead = { "fed back": { ...back, ...plain }, "direct": { ...jump, ...plain } };

    // the same targets for every k: all were forecast after training ended
    const error = ({ places, rows }) =>
      places.map((k, j) => {
        let sum = 0;
        for (let time = target; time <= length; time++) {
          sum += (rows[time - k - known][j] - clean[time - 1]) ** 2;
        }
        return Math.sqrt(sum / (length - target + 1));
      });
    const each = (object, action) =>
      Object.fromEntries(Object.entries(object).map(([name, one]) => [name, action(one)]));
    const rmse = each(ahead, (tables) => each(tables, error));
    this.kept.set(tau, { noise, clean, noisy, ahead, free, rmse });
    return this.kept.get(tau);
  }

  /** The steps ahead that are chosen. */
  get steps() {
    return this.places[this.k.value - 1];
  }

  get state() {
    const [model, mode, tau] = [this.model.value, this.mode.value, Number(this.tau.value)];
    const k = this.steps;
    const { known, length } = this.stored;
    const { noise, ahead, free, rmse } = this.results(tau);
    const { places, rows } = ahead[mode][model];
    const upTo = (table) => table.rows[0].filter((_, j) => table.places[j] <= k);
    // those made later than length - k have no target left
    const made = rows.slice(0, length - known - k + 1);
    return {
      model, mode, tau, k, places, seed: this.seed, known, noise,
      window: Object.fromEntries( // forecasts of the window in the picture
        Object.entries(ahead[mode]).map(([name, table]) => [name, upTo(table)]),
      ),
      far: made.map((row) => row[places.indexOf(k)]), // for t = known + k on
      back: upTo(ahead["fed back"][model]),
      free: free[model], // for t = known + 1 on
      rmse: rmse[mode],
      floor: this.stored.floor[tau],
    };
  }

  /** Set a control as the reader would have. */
  set(control, value) {
    control.value = value;
    control.dispatchEvent(new Event(control === this.k ? "input" : "change"));
  }

  update() {
    const offered = this.mode.value === "direct" ? this.jumps : EVERY;
    if (this.places !== offered) {
      const k = nearest(offered, this.steps);
      this.places = offered;
      this.k.max = offered.length;
      this.set(this.k, offered.indexOf(k) + 1); // which updates
      return;
    }
    const { model, mode, tau, k, places, known, window, far, back, free, rmse, floor } = this.state;
    const results = this.results(tau);
    const { clean, noisy } = results;
    const from = (start, values) => values.map((value, i) => [start + i, value]);
    const at = (start, name, values) =>
      values.map((value, j) => [start + results.ahead[mode][name].places[j], value]);
    const [first, last] = [known - BEFORE, known + AFTER];
    const forecast = window[model].at(-1);
    const error = (name) => rmse[name][results.ahead[mode][name].places.indexOf(k)];
    const words = sentence({
      model, mode, tau, k, miss: Math.abs(forecast - clean[known + k - 1]), error,
      floor: floor[k - 1],
    });
    this.line.textContent = words;

    const marks = (name) => mode === "direct" && name in MAKERS;
    const forecasts = Object.entries(window).map(([name, values]) => ({
      ...LOOKS[name],
      // a baseline is one value, which holds from the window's end on
      points: name in MAKERS ? at(known, name, values) : [[known, values[0]], [known + k, values[0]]],
      width: name === model ? 3.5 : 2, marks: marks(name),
    }));
    const { colour, dash } = LOOKS[model];
    const dotted = { colour, dash: "1 4", width: 2 };
    put(this.window, {
      height: 225,
      x: [first, last], y: [-1.8, 1.8],
      xlabel: t`time t (steps)`, ylabel: "x",
      words: sentences(
        t`A noisy sine, a window of ${tau} values that ends at t = ${known}, and forecasts up to ${k} steps after it.`,
        words,
      ),
      shades: [{ from: known - tau, to: known }],
      series: [
        { name: t`noisy data`, colour: "muted", dots: true, points: from(first, noisy.slice(first - 1, last)) },
        { name: t`clean wave`, colour: "neutral", width: 1, points: from(first, clean.slice(first - 1, last)) },
        { name: t`later windows`, colour, dash, width: 1, points: from(known + k, far.slice(0, AFTER - k + 1)) },
        mode === "direct"
          ? { ...dotted, name: t`if fed back`, points: from(known + 1, back) }
          : { ...dotted, name: t`free run`, points: from(known + k, free.slice(k - 1, AFTER)) },
        ...forecasts,
      ],
      handles: [
        {
          along: "x", side: -1, name: t`left edge of the window`, label: `tau = ${tau}`,
          values: this.taus.map((one) => known - one).reverse(), at: known - tau,
          text: (edge) => `tau = ${known - edge}`, grip: -1.2,
          move: (edge) => this.set(this.tau, known - edge),
        },
        {
          along: "x", side: 1, name: t`marker of the forecast`, label: `k = ${k}`,
          values: places.map((one) => known + one), at: known + k,
          text: (time) => `k = ${time - known}`, grip: forecast, colour,
          move: (time) => this.set(this.k, places.indexOf(time - known) + 1),
        },
      ],
    });
    // one scale for both ways, so that they can be compared
    const all = Object.values(results.rmse).flatMap((ways) => Object.values(ways).flat());
    put(this.errors, {
      height: 185,
      x: [1, MAX_K], y: [0, Math.max(0.6, ...all)],
      xlabel: t`steps ahead k`, ylabel: t`RMSE`,
      words: sentences(t`RMSE against the clean wave for k = 1 to ${MAX_K}.`, words),
      series: [
        { ...FLOOR, points: from(1, floor) },
        ...Object.entries(rmse).map(([name, values]) => ({
          ...LOOKS[name], name: "", points: at(0, name, values),
          width: name === model ? 3.5 : 2, marks: marks(name),
        })),
      ],
      handles: [
        {
          along: "x", name: t`marker of the errors`, label: `k = ${k}`,
          values: places, at: k, text: (one) => `k = ${one}`, grip: error(model), colour,
          move: (one) => this.set(this.k, places.indexOf(one) + 1),
        },
      ],
    });
  }
}

customElements.define("unrolled-forecast", Forecast);
