// Several lines or a dropped file, scored part by part into a table that can be downloaded.

import { Refusal, post } from "./api.js";
import { parse, write } from "./csv.js";
import { element, percent, tone } from "./dom.js";
import { current, pause } from "./latest.js";

const TEXTS_AT_ONCE = Math.min(100, Number(document.body.dataset.maxTexts));
const CHARACTERS_AT_ONCE = 100_000;
const MAX_FILE_BYTES = 20_000_000;
const ROWS_SHOWN = 300;
const ATTEMPTS = 20; // of one part, while the service is busy
const COLUMN = /text|review|comment|sentence|message|content|tweet/i;

const find = (selector) => document.querySelector(selector);

export function setUpMany() {
  let table = null; // {header, rows} of a dropped file
  let scored = [];
  let stopped = new AbortController();

  find("#lines").addEventListener("input", () => forgetFile());
  find("#file").addEventListener("change", (event) => event.target.files[0] && take(event.target.files[0]));
  const drop = find("#drop");
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  find("#score").addEventListener("click", score);
  find("#stop").addEventListener("click", () => stopped.abort(new DOMException("stopped", "AbortError")));
  find("#download").addEventListener("click", () => download(scored));

  function forgetFile() {
    table = null;
    find("#column-choice").hidden = true;
    say("");
  }

  async function take(file) {
    if (file.size > MAX_FILE_BYTES) {
      say(`The file has ${file.size} bytes; this page reads up to ${MAX_FILE_BYTES}: use “sentiment score” for more.`);
      return;
    }
    let content;
    try {
      content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      say("The file is not UTF-8: save it as UTF-8 and drop it again.");
      return;
    }
    if (!/\.(csv|tsv)$/i.test(file.name)) {
      find("#lines").value = content;
      forgetFile();
      return;
    }
    const [header, ...rows] = parse(content);
    if (!rows.length) {
      say("The file has no rows below its header.");
      return;
    }
    table = { header, rows };
    const guess = Math.max(0, header.findIndex((name) => COLUMN.test(name)));
    find("#column").replaceChildren(...header.map((name, place) =>
      element("option", { value: place, selected: place === guess }, name || `column ${place + 1}`)));
    find("#column-choice").hidden = false;
    say(`${file.name}: ${rows.length.toLocaleString("en")} rows.`);
  }

  function texts() {
    if (table) return table.rows.map((row) => row[Number(find("#column").value)] ?? "");
    return find("#lines").value.split("\n").map((line) => line.trim()).filter(Boolean);
  }

  async function score() {
    const all = texts();
    if (!all.length) {
      say("There is no text yet.");
      return;
    }
    stopped = new AbortController();
    scored = all.map((text) => ({ text, prediction: null, refusal: null }));
    find("#stop").hidden = false;
    find("#score").disabled = true;
    find("#download").hidden = find("#scored").hidden = true;
    find("#scored tbody").replaceChildren();
    try {
      for (const part of parts(scored)) {
        await scorePart(part, stopped.signal);
        show(scored);
        const done = scored.filter((row) => row.prediction || row.refusal).length;
        say(`${done.toLocaleString("en")} of ${all.length.toLocaleString("en")} scored.`);
      }
      const refused = scored.filter((row) => row.refusal).length;
      say(`${all.length - refused} scored${refused ? `, ${refused} refused` : ""}.`);
    } catch (error) {
      if (error.name === "AbortError") say("Stopped.");
      else if (error instanceof Refusal) say(`${error.message} Rows scored so far are kept.`);
      else throw error;
    } finally {
      find("#stop").hidden = true;
      find("#score").disabled = false;
      find("#download").hidden = !scored.some((row) => row.prediction);
    }
  }
}

function* parts(rows) {
  let part = [], characters = 0;
  for (const row of rows) {
    if (part.length && (part.length >= TEXTS_AT_ONCE || characters + row.text.length > CHARACTERS_AT_ONCE)) {
      yield part;
      [part, characters] = [[], 0];
    }
    part.push(row);
    characters += row.text.length;
  }
  yield part;
}

/** Score these rows. A refused row gets its reason, and the others their answers. */
async function scorePart(part, signal) {
  let open = part;
  for (let attempt = 1; open.length; ) {
    try {
      const answer = await current(post("v1/predict", { texts: open.map((row) => row.text) }, signal), signal);
      open.forEach((row, place) => (row.prediction = answer.predictions[place]));
      return;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.kind === "busy" && attempt++ < ATTEMPTS) {
        say(`${error.message} Retrying in ${error.retrySeconds} s.`);
        await pause(1000 * error.retrySeconds, signal);
        continue;
      }
      const faults = error.faults.map((fault) => [/^\/texts\/(\d+)$/.exec(fault.pointer)?.[1], fault.detail]);
      if (error.kind !== "refused" || !faults.length || faults.some(([place]) => place === undefined)) throw error;
      faults.forEach(([place, detail]) => (open[place].refusal = detail));
      open = open.filter((row) => !row.refusal);
    }
  }
}

function show(rows) {
  const labels = Object.keys(rows.find((row) => row.prediction)?.prediction.probabilities ?? {});
  const named = labels.length ? "label" : "value";
  const head = ["text", named, ...labels].map((name) => element("th", { scope: "col" }, name));
  find("#scored thead tr").replaceChildren(...head);
  const body = rows.filter((row) => row.prediction || row.refusal).slice(0, ROWS_SHOWN).map((row) => {
    const text = element("td", { dir: "auto", class: "cell" }, row.text.slice(0, 300));
    if (row.refusal) return element("tr", {}, text, element("td", { colspan: labels.length + 1 }, `refused: ${row.refusal}`));
    const { label, probabilities, value } = row.prediction;
    return element("tr", {}, text, element("td", { class: tone(label, labels) }, label ?? value.toPrecision(4)),
      ...labels.map((name) => element("td", {}, percent(probabilities[name]))));
  });
  find("#scored tbody").replaceChildren(...body);
  if (rows.length > ROWS_SHOWN) {
    find("#scored tbody").append(element("tr", {}, element("td", { colspan: labels.length + 2 },
      `The first ${ROWS_SHOWN} rows are shown; the download has all.`)));
  }
  find("#scored").hidden = !body.length;
}

function download(rows) {
  const labels = Object.keys(rows.find((row) => row.prediction).prediction.probabilities ?? {});
  const named = labels.length ? "label" : "value";
  const lines = rows.map(({ text, prediction, refusal }) => [
    text, prediction?.[named] ?? "", ...labels.map((label) => prediction?.probabilities[label] ?? ""), refusal ?? "",
  ]);
  const content = write([["text", named, ...labels.map((label) => `probability_${label}`), "refused"], ...lines]);
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  element("a", { href: url, download: "sentiment.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function say(words) {
  find("#progress").textContent = words;
}
