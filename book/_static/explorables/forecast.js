// Section 8.1: forecasts of a noisy sine, one step, k steps, and all the way.

import { Explorable, chart, make, normals } from "./base.js";

const OMEGA = 0.01; // radians a step
const SIGMA = 0.2; // of the noise
const MAX_K = 64;
const COLOURS = { "network": 0, "least squares": 1, "last value": 2, "mean of the window": 3 };

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

class Forecast extends Explorable {
  static title = "Forecast a noisy sine";

  async build(root) {
    this.stored = await this.data("forecast.json");
    this.seed = 1;
    const row = this.controls(root);
    this.model = this.choice(row, "model", [
      ["network", "network"],
      ["least squares", "least squares"],
    ]);
    this.tau = this.choice(
      row,
      "window tau",
      Object.keys(this.stored.models).map((tau) => [tau, tau]),
    );
    this.k = this.slider(row, "steps ahead k", { min: 1, max: MAX_K, value: 16 });
    this.behind = this.choice(row, "drawn behind", [
      ["noisy", "noisy series"],
      ["clean", "clean sine"],
    ]);
    this.button(row, "new noise", () => {
      this.seed += 1;
      this.update();
    });
    this.line = this.said(root);
    this.pictures = make("div");
    const { known, length, target } = this.stored;
    root.append(
      this.pictures,
      make(
        "p",
        { class: "quiet" },
        `Both models learned from the first ${known} values of another series, the same wave ` +
          `with other noise. Every forecast is drawn at the time that it is about. Scored are ` +
          `the targets t = ${target} to ${length}, one full period.`,
      ),
    );
  }

  /** The series and all forecasts; made again only if an input changed. */
  results(model, tau) {
    const key = `${model} ${tau} ${this.seed}`;
    if (this.kept?.key === key) return this.kept;
    const { known, length, target, models } = this.stored;
    const normal = normals(this.seed);
    const noise = Array.from({ length }, normal);
    const clean = noise.map((_, i) => Math.sin(OMEGA * (i + 1)));
    const noisy = clean.map((c, i) => c + SIGMA * noise[i]);
    const window = (end) => noisy.slice(end - tau, end);

    // ahead[i][k - 1]: made when known + i values were seen, k steps ahead
    const origins = Array.from({ length: length - known }, (_, i) => known + i);
    const fedBack = (name) => {
      const forecaster = MAKERS[name](models[tau][name]);
      return origins.map((end) => freeRun(forecaster, window(end), MAX_K));
    };
    const held = (rule) => origins.map((end) => Array(MAX_K).fill(rule(window(end))));
    const ahead = {};
    for (const name of new Set([model, "least squares"])) ahead[name] = fedBack(name);
    ahead["last value"] = held((values) => values.at(-1));
    ahead["mean of the window"] = held((values) => values.reduce((a, b) => a + b) / tau);

    // the same targets for every k: all were forecast after training ended
    const rmse = (table) =>
      Array.from({ length: MAX_K }, (_, i) => {
        let sum = 0;
        for (let t = target; t <= length; t++) {
          sum += (table[t - 1 - i - known][i] - clean[t - 1]) ** 2;
        }
        return Math.sqrt(sum / (length - target + 1));
      });
    this.kept = {
      key, noise, clean, noisy,
      ahead: ahead[model],
      free: freeRun(MAKERS[model](models[tau][model]), window(known), length - known),
      rmse: Object.fromEntries(Object.entries(ahead).map(([name, table]) => [name, rmse(table)])),
    };
    return this.kept;
  }

  get state() {
    const [model, tau, k] = [this.model.value, Number(this.tau.value), Number(this.k.value)];
    const { known, length } = this.stored;
    const { noise, ahead, free, rmse } = this.results(model, tau);
    // those made later than length - steps have no target left
    const made = (steps) => ahead.slice(0, length - known - steps + 1).map((row) => row[steps - 1]);
    return {
      model, tau, k, seed: this.seed, behind: this.behind.value, known, noise,
      one: made(1), // for t = known + 1 on
      far: made(k), // for t = known + k on
      free, // for t = known + 1 on
      rmse,
    };
  }

  update() {
    const { model, tau, k, known, behind, one, far, free, rmse } = this.state;
    const { clean, noisy } = this.kept;
    const length = clean.length;
    const from = (start, values) => values.map((value, i) => [start + i, value]);
    const step = k === 1 ? "1 step" : `${k} steps`;
    const words =
      `${k === 1 ? "One step" : step} ahead the ${model} model with tau = ${tau} has RMSE ` +
      `${rmse[model][k - 1].toFixed(3)}; repeating the last value has ` +
      `${rmse["last value"][k - 1].toFixed(3)}.`;
    this.line.textContent = words;

    const isNoisy = behind === "noisy";
    const wave = {
      name: isNoisy ? "noisy series" : "clean sine",
      points: from(known + 1, (isNoisy ? noisy : clean).slice(known)),
      dots: isNoisy,
      colour: 4,
    };
    const lines = [
      { name: "one step ahead", points: from(known + 1, one), colour: 0 },
      { name: `${step} ahead`, points: from(known + k, far), colour: 1 },
      { name: "free run", points: from(known + 1, free), colour: 2 },
    ];
    if (k === 1) lines.shift(); // the same line twice
    const errors = Object.entries(rmse).map(([name, values]) => ({
      name, points: from(1, values), colour: COLOURS[name],
    }));
    const top = Math.max(0.8, ...Object.values(rmse).flat());
    this.pictures.replaceChildren(
      chart({
        series: [wave, ...lines],
        x: [known, length], y: [-2, 2],
        xlabel: "time t (steps)", ylabel: "x",
        words: `The ${wave.name} after training, with forecasts one step ahead, ` +
          `${step} ahead, and the free run.`,
      }),
      chart({
        series: [
          ...errors,
          { points: [[k, 0], [k, top]], colour: 4 }, // where the slider stands
        ],
        x: [1, MAX_K], y: [0, top],
        xlabel: "steps ahead k", ylabel: "RMSE",
        words: `RMSE against the clean sine for k = 1 to ${MAX_K}. ${words}`,
      }),
    );
  }
}

customElements.define("unrolled-forecast", Forecast);
