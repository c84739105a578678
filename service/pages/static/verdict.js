// The answer itself: label and probabilities, or a number, and how much of the text could be read.

import { element, percent, tone } from "./dom.js";

export function showVerdict(panel, prediction) {
  if ("value" in prediction) {
    const shown = prediction.value.toPrecision(4);
    panel.querySelector(".shown").replaceChildren(element("p", { class: "label" }, shown), ...notes(prediction));
    panel.querySelector(".said").textContent = shown;
    return;
  }
  const labels = Object.keys(prediction.probabilities);
  const share = prediction.probabilities[prediction.label];
  const bar = element("div", { class: "bar", "aria-hidden": "true" });
  const list = element("dl", { class: "shares" });
  for (const label of labels) {
    const probability = prediction.probabilities[label];
    bar.append(element("span", { class: tone(label, labels), "--share": probability }));
    list.append(
      element("div", { class: tone(label, labels) },
        element("dt", {}, label), element("dd", {}, percent(probability))),
    );
  }
  panel.querySelector(".shown").replaceChildren(
    element("p", { class: `label ${tone(prediction.label, labels)}` },
      prediction.label, element("small", {}, percent(share))),
    bar, list, ...notes(prediction),
  );
  panel.querySelector(".said").textContent = `${prediction.label}, ${percent(share)}`;
}

function notes(prediction) {
  const said = [];
  if (prediction.mixed) said.push("Mixed: one sentence is clearly positive, another clearly negative.");
  if (prediction.unknown_tokens) {
    said.push(`${prediction.unknown_tokens} of ${prediction.tokens} tokens are unknown to the model.`);
  }
  if (prediction.truncated) said.push(`Too long: ${prediction.tokens} tokens were read, the middle was left out.`);
  return said.map((words) => element("p", { class: "note" }, words));
}
