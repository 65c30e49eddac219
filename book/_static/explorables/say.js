// The tag t says a template, such as `so many ${n}`, in the language of the
// site. It looks up "so many {1}"; a translation may change the order.

import words from "./words.js";

export const t = (parts, ...values) => {
  const english = parts.reduce((all, part, n) => `${all}{${n}}${part}`);
  const said = words[english] ?? english;
  return said.replace(/\{(\d+)\}/g, (_, n) => values[n - 1]);
};
