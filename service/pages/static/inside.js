// Show a trace: running probabilities, gates and cell state, and the shape of every tensor.

import { chart } from "./charts.js";
import { element, percent, tone } from "./dom.js";

const GATES = [
  ["forget_gate", "forget: how much of the memory is kept", "gate-forget"],
  ["input_gate", "input: how much is written", "gate-input"],
  ["output_gate", "output: how much is shown", "gate-output"],
];
const STATES = [["c", "c: the memory", "gate-forget"], ["h", "h: the exposed part of it", "gate-output"]];
const STEPS = {
  token_ids: "each word's number in the vocabulary", lengths: "how many words each text has",
  embedded: "a vector for each word: the cube", output: "h of both directions at each word",
  ht: "the last h of each direction: layers × directions first, whatever batch_first is",
  ct: "the last c of each direction", final: "both directions' last h, side by side",
  logits: "a number for each label", probabilities: "softmax of the logits",
};
const LETTERS = "N texts, T tokens, F features of a word's vector, H hidden units, L layers, C labels";

/** Show a trace. Returns a function that marks a word in all charts. */
export function showTrace(panel, trace, choose) {
  const words = trace.tokens.map((token) => token.text);
  const labels = Object.keys(trace.running);
  const running = chart("Probability up to each word", words,
    labels.map((label) => ({ name: label, tone: tone(label, labels), values: trace.running[label] })),
    { top: 1, format: (share) => `${Math.round(100 * share)} %`, choose });
  panel.querySelector(".running").replaceChildren(turns(trace, labels), running.figure);
  const gates = showGates(panel.querySelector(".gates"), trace, words, choose);
  showShapes(panel.querySelector(".shapes"), trace.shapes);
  return (place) => [running, ...gates()].forEach((each) => each.mark(place));
}

function turns(trace, labels) {
  const best = (place) => labels.reduce((a, b) => (trace.running[b][place] > trace.running[a][place] ? b : a));
  const said = [];
  for (let place = 1; place < trace.tokens.length; place++) {
    if (best(place) !== best(place - 1)) said.push(`${best(place)} from “${trace.tokens[place].text}” on`);
  }
  const last = trace.tokens.length - 1;
  const always = `${best(last)} from the first word, ${percent(trace.running[best(last)][last])} at the last`;
  return element("p", { class: "note", dir: "auto" }, said.length ? said.slice(-4).join("; ") : always);
}

function showGates(place, trace, words, choose) {
  let shown = [];
  const charts = element("div", {});
  const draw = (layer) => {
    const lines = (names, kind) => names.map(([name, says, tone]) => ({ name: says, tone, values: layer.series[name][kind] }));
    const states = lines(STATES, "norms");
    const top = Math.max(...states.flatMap((line) => line.values)) || 1;
    shown = [
      chart("Gates, mean of all units", words, lines(GATES, "means"), { top: 1, format: (x) => x.toFixed(2), choose }),
      chart("Length of the state vectors", words, states, { top, format: (x) => x.toFixed(1), choose }),
    ];
    charts.replaceChildren(...shown.map((each) => each.figure));
  };
  const layers = Math.max(...trace.layers.map((layer) => layer.layer)) + 1;
  const name = (layer) => (layers > 1 ? `layer ${layer.layer + 1}, ${layer.direction}` : layer.direction);
  const select = element("select", {}, ...trace.layers.map((layer, index) => element("option", { value: index }, name(layer))));
  select.addEventListener("change", () => draw(trace.layers[select.value]));
  place.replaceChildren(element("label", { class: "choice" }, "Direction of reading ", select), charts);
  draw(trace.layers[0]);
  return () => shown;
}

function showShapes(place, shapes) {
  place.replaceChildren(
    element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Tensor shapes" },
      element("table", { class: "walk" },
        element("thead", {}, element("tr", {}, ...["tensor", "shape", "here", "what it is"].map((name) =>
          element("th", { scope: "col" }, name)))),
        element("tbody", {}, ...shapes.map((each) => element("tr", {},
          element("th", { scope: "row" }, element("code", {}, each.name)),
          element("td", {}, element("code", {}, `(${each.letters.join(", ")})`)),
          element("td", {}, element("code", {}, `(${each.sizes.join(", ")})`)),
          element("td", {}, STEPS[each.name] ?? "")))))),
    element("p", { class: "note" }, `${LETTERS}.`));
}
