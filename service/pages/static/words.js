// The text itself, each word tinted by how far it moved the answer.

import { element, signed, tone } from "./dom.js";

/** Shows the words; `choose(place)` is called when one is pointed at. Returns the elements, one a token. */
export function showWords(panel, text, explanation, choose) {
  const points = Array.from(text); // offsets are in code points
  const { tokens, omitted, prediction } = explanation;
  const largest = Math.max(...tokens.map((token) => Math.abs(token.weight))) || 1;
  const marks = [
    ...tokens.map((token, place) => ({ ...token, place })),
    ...omitted.map((gap) => ({ ...gap, place: null })),
  ].sort((one, other) => one.start - other.start || one.end - other.end);
  const elements = [];
  const pieces = [];
  let end = 0;
  for (const mark of marks) {
    const start = Math.max(mark.start, end); // parts of one character share it
    if (start > end) pieces.push(points.slice(end, start).join(""));
    const shown = points.slice(start, mark.end).join("");
    if (mark.place === null) {
      pieces.push(element("del", { title: "not read" }, shown));
    } else {
      const share = Math.abs(mark.weight) / largest;
      const side = mark.weight > 0 ? "for" : "against";
      const word = element("span", {
        class: `word ${share > 0.04 ? side : ""} ${mark.unknown ? "unknown" : ""}`, "--share": share.toFixed(3),
      }, shown);
      word.addEventListener("pointerenter", () => choose(mark.place));
      word.addEventListener("click", () => choose(mark.place));
      elements[mark.place] = word;
      pieces.push(word);
    }
    end = Math.max(end, mark.end);
  }
  pieces.push(points.slice(end).join(""));
  const words = panel.querySelector(".words");
  const against = prediction.label === "negative" ? "positive" : "negative";
  const sides = `speaks-${tone(prediction.label, Object.keys(prediction.probabilities))} against-${against}`;
  words.className = `words ${sides}`;
  words.replaceChildren(...pieces);
  panel.querySelector(".legend").replaceChildren(
    element("span", { class: `key-words ${sides}` },
      element("span", { class: "word for", "--share": "0.8" }, `for ${prediction.label}`), " ",
      element("span", { class: "word against", "--share": "0.8" }, "against it"), " ",
      element("span", { class: "word unknown" }, "unknown"),
    ),
  );
  return elements;
}

/** What a word is, in words: its weight, whether it is known, and the gates while it was read. */
export function describe(place, explanation, trace) {
  const token = explanation.tokens[place];
  const { label } = explanation.prediction;
  const parts = [`${signed(token.weight)} ${token.weight < 0 ? "against" : "for"} ${label}`];
  if (token.unknown) parts.push("unknown to the model");
  for (const layer of trace?.layers ?? []) {
    const gate = (name) => layer.series[name].means[place].toFixed(2);
    const name = trace.layers.length > 2 ? `${layer.direction} ${layer.layer + 1}` : layer.direction;
    parts.push(`${name}: keeps ${gate("forget_gate")}, writes ${gate("input_gate")}, shows ${gate("output_gate")}`);
  }
  return { word: token.text, parts };
}
