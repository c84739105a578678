// Which model answers, its card, and the limits of this service.

import { Refusal, get } from "./api.js";
import { element } from "./dom.js";

export async function showModel(place) {
  let card;
  try {
    card = await get("v1/models/default");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    place.replaceChildren(element("p", {}, error.message));
    return;
  }
  const limits = document.body.dataset;
  const facts = {
    name: card.model.name, version: card.model.version, labels: card.labels.join(", ") || "none (regression)", language: card.language,
    "maximum length": `${number(card.max_tokens)} tokens; the middle of longer texts is left out`,
    "word weights": `texts of up to ${number(limits.maxExplainedTokens)} tokens`,
    "LSTM states": `texts of up to ${number(limits.maxTracedTokens)} tokens`,
    "request limit": `up to ${number(limits.maxTexts)} texts of ${number(limits.maxCharacters)} characters each`,
  };
  place.replaceChildren(
    element("dl", { class: "facts" }, ...Object.entries(facts).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
    element("details", { class: "model-card" }, element("summary", {}, "Model card"), ...blocks(card.card)),
  );
}

function number(given) {
  return Number(given).toLocaleString("en");
}

/** Markdown as model cards use it: headings, paragraphs, lists, tables, fenced code, code and bold. */
function blocks(markdown) {
  const made = [];
  const body = markdown.replace(/^---\n[\s\S]*?\n---\n/, "");
  for (const part of body.split(/(^```[\s\S]*?^```)/m)) {
    if (part.startsWith("```")) {
      made.push(element("pre", { tabindex: "0" }, part.replace(/^```.*\n|```$/g, "")));
      continue;
    }
    for (const block of part.split(/\n{2,}|(?<=^#.*)\n/m).map((each) => each.trim()).filter(Boolean)) {
      const lines = block.split("\n");
      const heading = /^#+ (.*)/.exec(block);
      if (heading) made.push(element("h3", {}, ...inline(heading[1])));
      else if (lines.every((line) => line.startsWith("|"))) made.push(grid(lines));
      else if (/^[-*] /.test(block)) made.push(list(block));
      else made.push(element("p", {}, ...inline(lines.join(" "))));
    }
  }
  return made;
}

function list(block) {
  const items = block.split(/\n(?=[-*] )/).map((item) => item.slice(2).replace(/\s+/g, " "));
  return element("ul", {}, ...items.map((item) => element("li", {}, ...inline(item))));
}

function grid(lines) {
  const rows = lines.filter((line) => !/^[|:\s-]+$/.test(line)).map((line) => line.split("|").slice(1, -1));
  const row = (cells, name) => element("tr", {}, ...cells.map((cell) => element(name, {}, ...inline(cell.trim()))));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Figures of the model" },
    element("table", {}, element("thead", {}, row(rows[0], "th")),
      element("tbody", {}, ...rows.slice(1).map((cells) => row(cells, "td")))));
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).filter(Boolean).map((part) => {
    if (/^`.+`$/.test(part)) return element("code", {}, part.slice(1, -1));
    if (/^\*\*.+\*\*$/.test(part)) return element("strong", {}, part.slice(2, -2));
    return part.replace(/^\[([^\]]+)\]\([^)]+\)$/, "$1");
  });
}
