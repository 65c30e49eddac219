// Sphinx's search, with results that open at a section, pages before entries
// of the library, and Chinese words found inside longer ones.

import pages from "./sections.js";

/* global Search */

const LIBRARY = "book/library";

// The words of the index that contain this one: Chinese is written without
// spaces, so that a run of characters is one word of the index.
export const containing = (word, words) =>
  /\p{Script=Han}/u.test(word) ? words.filter((w) => w.includes(word)) : [word];

// A run of Chinese that is in no word of the index, cut into words that are:
// from the left, the longest first.
export const cut = (run, words) => {
  const found = [];
  for (let at = 0; at < run.length; ) {
    let end = run.length;
    while (end > at + 1 && !words.has(run.slice(at, end))) end -= 1;
    if (words.has(run.slice(at, end))) found.push(run.slice(at, end));
    at = end;
  }
  return found;
};

// The section of a page that holds most of these words, and among those the
// one where they weigh most; undefined where none holds any.
export function bestSection(sections, words) {
  let best, bestScore = 0;
  for (const section of sections) {
    const all = Object.keys(section[2]);
    const weights = words.map((word) =>
      containing(word, all).reduce((sum, w) => sum + (section[2][w] ?? 0), 0)
    );
    const held = weights.filter((weight) => weight > 0).length;
    const score = held + Math.log1p(weights.reduce((a, b) => a + b, 0)) / 100;
    if (held > 0 && score > bestScore) {
      best = section;
      bestScore = score;
    }
  }
  return best;
}

const isEntry = ([page, , , description]) =>
  description !== null || page === LIBRARY;

// Sphinx's results, the last one shown first, each an array
// [page, title, anchor, description, score, file].
export function arrange(results, query, words) {
  const wanted = query.toLowerCase().trim();
  const ranked = results.map((result) => {
    const [page, title, anchor, description, score, file] = result;
    const section = !anchor && bestSection(pages[page] ?? [], words);
    const placed = section?.[0]
      ? [page, `${title} > ${section[1]}`, `#${section[0]}`, description,
        score, file]
      : result;
    const heading = placed[1].split(" > ").at(-1).toLowerCase();
    const group = isEntry(placed) ? 0 : heading === wanted ? 2 : 1;
    return { placed, group };
  });
  // sorting keeps the order of equals
  ranked.sort((a, b) => a.group - b.group);
  const seen = new Set();
  return ranked
    .map(({ placed }) => placed)
    .reverse()
    .filter(([page, , anchor]) => {
      const place = page + anchor;
      return !seen.has(place) && seen.add(place);
    })
    .reverse();
}

const perform = Search._performSearch;
Search._performSearch = (query, words, ...others) => {
  const terms = Search._index.terms;
  for (const word of [...words]) {
    if (Object.hasOwn(terms, word)) continue;
    const longer = containing(word, Object.keys(terms));
    const files = longer.flatMap((w) => terms[w] ?? []);
    if (files.length) terms[word] = [...new Set(files)];
    else if (/\p{Script=Han}/u.test(word)) {
      words.delete(word);
      for (const part of cut(word, new Set(Object.keys(terms)))) words.add(part);
    }
  }
  const results = perform(query, words, ...others);
  return arrange(results, query, [...words]);
};
