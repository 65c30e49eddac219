// The trained network of one layer, for the explorables that run it:
// section 8.5 lets it write, section 8.4 lets it guess.

import { t } from "./say.js";

export const sum = (values) => values.reduce((a, b) => a + b, 0);

/** softmax(logits / temperature); at 0 all of it is on the largest logit. */
export function softmax(logits, temperature = 1) {
  const largest = Math.max(...logits);
  if (temperature === 0) {
    const first = logits.indexOf(largest);
    return logits.map((_, id) => Number(id === first));
  }
  const powers = logits.map((o) => Math.exp((o - largest) / temperature));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** H_t = tanh(W_in[x_t] + H_{t-1} W_hh + b_h), logits = H_t W_hq + b_q. */
export class Network {
  constructor({ tokens, hiddens, scales, b_h, b_q }, bytes) {
    const numbers = new Int8Array(bytes);
    let start = 0;
    // whole numbers, row by row, times the scale of their column
    const matrix = (rows, scale) => {
      const columns = scale.length;
      const part = numbers.subarray(start, (start += rows * columns));
      return Float64Array.from(part, (n, i) => n * scale[i % columns]);
    };
    this.tokens = tokens;
    this.hiddens = hiddens;
    this.W_in = matrix(tokens.length, scales.W_in);
    this.W_hh = matrix(hiddens, scales.W_hh);
    this.W_hq = matrix(hiddens, scales.W_hq);
    if (start !== numbers.length) throw new Error(t`network.bin does not fit`);
    // each step looks up one row of W_in, so that the bias can lie there
    this.W_in.forEach((w, i) => (this.W_in[i] = w + b_h[i % hiddens]));
    this.b_q = Float64Array.from(b_q);
  }

  begin() {
    return new Float64Array(this.hiddens);
  }

  step(state, id) {
    const h = this.hiddens;
    const next = this.W_in.slice(id * h, (id + 1) * h);
    addProduct(next, state, this.W_hh);
    for (let j = 0; j < h; j++) next[j] = Math.tanh(next[j]);
    return next;
  }

  logits(state) {
    const logits = this.b_q.slice();
    addProduct(logits, state, this.W_hq);
    return Array.from(logits);
  }
}

/** row += vector W, with W row by row, so that memory is read in order. */
function addProduct(row, vector, W) {
  const columns = row.length;
  for (let i = 0, k = 0; i < vector.length; i++) {
    const factor = vector[i];
    for (let j = 0; j < columns; j++, k++) row[j] += factor * W[k];
  }
}

async function file(name) {
  const answer = await fetch(new URL(`data/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer;
}

/** Fetch the network. */
export async function loadNetwork() {
  const [header, bytes] = await Promise.all([
    file("network.json").then((answer) => answer.json()),
    file("network.bin").then((answer) => answer.arrayBuffer()),
  ]);
  return new Network(header, bytes);
}
