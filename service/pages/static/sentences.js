// Where the opinion turns: the answer sentence by sentence.

import { element, percent, tone } from "./dom.js";

export function showSentences(panel, text, prediction) {
  const points = Array.from(text); // offsets are in code points
  const labels = Object.keys(prediction.probabilities);
  panel.querySelector(".sentences-part").hidden = prediction.sentences.length < 2;
  panel.querySelector(".sentences").replaceChildren(
    ...prediction.sentences.map((sentence) =>
      element("li", { class: tone(sentence.label, labels) },
        element("span", { class: "label" },
          sentence.label, " ", element("small", {}, percent(sentence.probabilities[sentence.label]))),
        element("span", { dir: "auto", class: "sentence" }, points.slice(sentence.start, sentence.end).join("").trim())),
    ),
  );
}
