// Two texts side by side: how the answer moved, and which words came and went.

import { element, percent, signed, tone } from "./dom.js";

/** Shows what changed from one panel's text to the other's, as soon as both have an answer. */
export function showChanges(section, one, other) {
  section.hidden = !(one.prediction?.label && other.prediction?.label); // a number has nothing to come or go
  if (section.hidden) return;
  const labels = Object.keys(one.prediction.probabilities);
  const rows = labels.map((label) => {
    const [before, after] = [one, other].map((panel) => panel.prediction.probabilities[label]);
    const points = 100 * (after - before);
    return element("tr", {},
      element("th", { scope: "row", class: tone(label, labels) }, label),
      element("td", {}, percent(before)), element("td", {}, percent(after)),
      element("td", { class: "change" }, `${points < 0 ? "▼ −" : "▲ +"}${Math.abs(points).toFixed(1)} points`));
  });
  const kept = one.prediction.label === other.prediction.label;
  section.querySelector(".changes").replaceChildren(
    element("p", { class: "label" }, kept ? `Both are ${one.prediction.label}.`
      : `From ${one.prediction.label} to ${other.prediction.label}.`),
    element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Probabilities of both" },
      element("table", {}, element("thead", {}, element("tr", {}, ...["label", "first", "second", "change"].map((name) =>
        element("th", { scope: "col" }, name)))), element("tbody", {}, ...rows))),
    ...(one.explanation && other.explanation ? words(one.explanation, other.explanation) : []),
  );
}

function words(one, other) {
  const { gone, come } = difference(one.tokens, other.tokens);
  const list = (name, tokens, label) => element("p", { class: "diff" }, element("strong", {}, `${name}: `),
    ...(tokens.length ? tokens.map((token) => element("span", { class: "changed", title: `for ${label}` },
      element("bdi", {}, token.text), element("small", {}, signed(token.weight)))) : ["nothing"]));
  return [
    list("Only in the first", gone, one.prediction.label),
    list("Only in the second", come, other.prediction.label),
    element("p", { class: "note" }, "Numbers: the word's weight for its own text's label, in log-odds."),
  ];
}

/** The tokens that are in no longest common subsequence of both. */
export function difference(one, other) {
  const same = (i, j) => one[i].text.toLowerCase() === other[j].text.toLowerCase();
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let i = one.length - 1; i >= 0; i--) {
    for (let j = other.length - 1; j >= 0; j--) {
      lengths[i][j] = same(i, j) ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const gone = [], come = [];
  let i = 0, j = 0;
  while (i < one.length || j < other.length) {
    if (i < one.length && j < other.length && same(i, j)) {
      i++;
      j++;
    } else if (j >= other.length || (i < one.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      gone.push(one[i++]);
    } else {
      come.push(other[j++]);
    }
  }
  return { gone, come };
}
