// One text: asked when typing stops, answers shown as they arrive, the text always kept.

import { Refusal, post } from "./api.js";
import { element } from "./dom.js";
import { showTrace } from "./inside.js";
import { Latest, current, pause } from "./latest.js";
import { showSentences } from "./sentences.js";
import { showVerdict } from "./verdict.js";
import { describe, showWords } from "./words.js";

const PAUSE_MILLISECONDS = 350;
const ATTEMPTS = 6;
const EXAMPLES = [
  ["Not bad", "Not bad at all."],
  ["A turn", "I wanted to like it. The cast is superb and the music lovely, but the plot is a mess and I was bored to tears."],
  ["Mixed", "The room was spotless and the staff were wonderful. The food was cold, bland and overpriced."],
];
const limits = document.body.dataset;
let labelled = true; // until the model turns out to be a regression

export class Panel {
  #latest = new Latest(PAUSE_MILLISECONDS);
  #marks = [];
  #words = [];

  /** `onChange(panel)` is called whenever `prediction` or `explanation` is another one. */
  constructor(name, storageKey, onChange) {
    this.element = document.querySelector("#panel").content.firstElementChild.cloneNode(true);
    this.field = this.element.querySelector("textarea");
    this.prediction = this.explanation = this.trace = null;
    this.onChange = onChange;
    this.field.id = storageKey;
    const title = this.element.querySelector(".title");
    title.textContent = name;
    title.htmlFor = storageKey;
    this.#restore(storageKey);
    this.field.addEventListener("input", () => {
      this.#keep(storageKey);
      this.ask();
    });
    this.#addExamples(storageKey);
    this.#find(".clear").addEventListener("click", () => this.#put("", storageKey));
    this.#find(".message button").addEventListener("click", () => this.ask({ now: true }));
    this.#find(".cursor input").addEventListener("input", (event) => this.choose(Number(event.target.value)));
  }

  /** Ask about the text once typing stops. Only the newest text gets its answer shown. */
  ask({ now = false } = {}) {
    const text = this.field.value;
    const count = Array.from(text).length;
    this.#find(".count").textContent = count ? `${count.toLocaleString("en")} characters` : "";
    this.#find(".clear").hidden = !count;
    this.#find(".examples").hidden = count > 0;
    this.element.classList.toggle("stale", Boolean(this.prediction));
    if (!text.trim()) {
      this.#latest.stop();
      this.#say("");
      this.#forget();
    } else if (count > Number(limits.maxCharacters)) {
      this.#latest.stop();
      this.#say(`The text has ${count} characters; the limit is ${limits.maxCharacters}.`);
    } else {
      this.#latest.ask((signal) => this.#answer(text, signal), { now });
    }
  }

  /** Ask again if the last request failed. */
  retry() {
    if (!this.#find(".message").hidden) this.ask({ now: true });
  }

  /** Mark one word in the text and in every chart, and describe it. */
  choose(place) {
    if (!this.explanation) return;
    this.#words.forEach((word, index) => word.classList.toggle("chosen", index === place));
    this.#marks.forEach((mark) => mark(place));
    const { word, parts } = describe(place, this.explanation, this.trace);
    const slider = this.#find(".cursor input");
    slider.value = place;
    slider.setAttribute("aria-valuetext", `${word}: ${parts.join(", ")}`);
    this.#find(".detail").replaceChildren(
      element("bdi", { class: "chosen-word" }, word), ...parts.map((part) => element("span", {}, part)));
  }

  async #answer(text, signal) {
    for (let attempt = 1; ; attempt++) {
      try {
        const [prediction] = await this.#predict(text, signal);
        this.#say("");
        this.#showPrediction(text, prediction);
        if ("value" in prediction) return; // a number has no explanation
        await Promise.all([this.#explain(text, signal), this.#trace(text, signal)]);
        return;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        signal.throwIfAborted();
        if (error.kind === "key") this.element.dispatchEvent(new CustomEvent("key-needed", { bubbles: true }));
        if (error.kind !== "busy" || attempt >= ATTEMPTS) {
          const kept = error.kind === "refused" ? "" : " Your text is kept.";
          this.#say(error.message + kept, { retry: error.kind !== "refused" });
          return;
        }
        this.#say(`${error.message} Your text is kept; retrying in ${error.retrySeconds} s.`);
        await pause(1000 * error.retrySeconds, signal);
      }
    }
  }

  /** Return the predictions, with sentences unless the model answers with a number. */
  async #predict(text, signal) {
    try {
      const asked = labelled ? { text, sentences: true } : { text };
      return (await current(post("v1/predict", asked, signal), signal)).predictions;
    } catch (error) {
      if (!error.faults?.some((fault) => fault.pointer === "/sentences")) throw error;
      labelled = false;
      return this.#predict(text, signal);
    }
  }

  async #explain(text, signal) {
    if (this.prediction.tokens > Number(limits.maxExplainedTokens)) {
      this.#withoutWords(text, `Word weights are available for texts of up to ${limits.maxExplainedTokens} tokens.`);
      return;
    }
    const { explanations } = await current(post("v1/explain", { texts: [text] }, signal), signal);
    [this.explanation] = explanations;
    this.#words = showWords(this.element, text, this.explanation, (place) => this.choose(place));
    const slider = this.#find(".cursor input");
    slider.max = this.explanation.tokens.length - 1;
    this.#find(".cursor").hidden = this.explanation.tokens.length < 2;
    this.choose(this.#heaviest());
    this.onChange(this);
  }

  async #trace(text, signal) {
    const tooLong = this.prediction.tokens > Number(limits.maxTracedTokens);
    this.#find(".running-part").hidden = this.#find(".inside").hidden = tooLong;
    this.#marks = [];
    this.trace = null;
    if (tooLong) return;
    const { trace } = await current(post("v1/trace", { text }, signal), signal);
    this.trace = trace;
    this.#marks = [showTrace(this.element, trace, (place) => this.choose(place))];
    if (this.explanation?.tokens.length === trace.tokens.length) this.choose(Number(this.#find(".cursor input").value));
  }

  #showPrediction(text, prediction) {
    this.prediction = prediction;
    this.explanation = null;
    this.element.classList.remove("stale");
    this.#find(".answer").hidden = false;
    this.element.classList.toggle("number", "value" in prediction);
    showVerdict(this.element, prediction);
    if (!("value" in prediction)) showSentences(this.element, text, prediction);
    this.onChange(this);
  }

  #withoutWords(text, why) {
    this.#words = [];
    this.#find(".words").replaceChildren(text);
    this.#find(".legend").textContent = why;
    this.#find(".cursor").hidden = true;
    this.#find(".detail").replaceChildren();
  }

  #heaviest() {
    const weights = this.explanation.tokens.map((token) => Math.abs(token.weight));
    return weights.indexOf(Math.max(...weights));
  }

  #forget() {
    this.prediction = this.explanation = this.trace = null;
    this.element.classList.remove("stale");
    this.#find(".answer").hidden = true;
    this.onChange(this);
  }

  #say(words, { retry = false } = {}) {
    this.#find(".message").hidden = !words;
    this.#find(".message span").textContent = words;
    this.#find(".message button").hidden = !retry;
  }

  #put(text, storageKey) {
    this.field.value = text;
    this.#keep(storageKey);
    this.ask({ now: true });
    this.field.focus();
  }

  #addExamples(storageKey) {
    for (const [name, text] of EXAMPLES) {
      const button = element("button", { type: "button" }, name);
      button.addEventListener("click", () => this.#put(text, storageKey));
      this.#find(".examples").append(button);
    }
  }

  // The draft survives a reload of the tab, nothing else.
  #keep(storageKey) {
    try {
      sessionStorage.setItem(storageKey, this.field.value);
    } catch { /* no room or no permission: the text is still in its field */ }
  }

  #restore(storageKey) {
    try {
      this.field.value = sessionStorage.getItem(storageKey) ?? "";
    } catch { /* as above */ }
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }
}
