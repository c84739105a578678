// Draw lines over the words of a text, in the available width.

import { element, shape } from "./dom.js";

const HEIGHT = 170;
const LEFT = 40, RIGHT = 12, TOP = 10;
const WORD_WIDTH = 15; // needed by words written vertically

/**
 * Draw a chart of `lines`, each {name, tone, values}, over `words`. `format` writes a value, `top` is the highest one shown.
 * `choose(place)` is called when the pointer is at a word. Returns {figure, mark(place)}.
 */
export function chart(title, words, lines, { top, format, choose }) {
  const frame = element("div", { class: "frame" });
  const figure = element("figure", { class: "chart" },
    element("figcaption", {}, element("strong", {}, title), " ",
      ...lines.map((line) => element("span", { class: `series ${line.tone}` }, line.name))),
    frame, numbers(title, words, lines, format));
  let draw = { place: () => 0, cursor: null };
  let marked = 0;
  const mark = (place) => {
    marked = place;
    draw.cursor?.setAttribute("x1", draw.place(place));
    draw.cursor?.setAttribute("x2", draw.place(place));
  };
  let drawn = 0;
  new ResizeObserver(() => {
    if (frame.clientWidth === drawn || !frame.clientWidth) return;
    drawn = frame.clientWidth;
    draw = picture(drawn, title, words, lines, top, format);
    draw.svg.addEventListener("pointermove", (event) => {
      const across = (event.offsetX - LEFT) / (drawn - LEFT - RIGHT);
      choose(Math.max(0, Math.min(words.length - 1, Math.round(across * Math.max(1, words.length - 1)))));
    });
    frame.replaceChildren(draw.svg);
    mark(marked);
  }).observe(frame);
  return { figure, mark };
}

function picture(width, title, words, lines, top, format) {
  const step = (width - LEFT - RIGHT) / Math.max(1, words.length - 1);
  const named = step >= WORD_WIDTH;
  const letters = named ? Math.min(12, Math.max(...words.map((word) => Array.from(word).length))) : 0;
  const height = HEIGHT + letters * 7;
  const place = (index) => LEFT + index * step;
  const level = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - 10);
  const svg = shape("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${title}: ${lines.map((line) => `${line.name} ends at ${format(line.values.at(-1))}`).join(", ")}`,
  });
  for (const value of [0, top / 2, top]) {
    svg.append(
      shape("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: level(value), y2: level(value) }),
      shape("text", { class: "tick", x: LEFT - 6, y: level(value) + 4, "text-anchor": "end" }, format(value)),
    );
  }
  const cursor = shape("line", { class: "cursor-line", y1: TOP, y2: HEIGHT - 10 });
  svg.append(cursor);
  for (const line of lines) {
    const points = line.values.map((value, index) => `${place(index).toFixed(1)},${level(value).toFixed(1)}`).join(" ");
    svg.append(words.length > 1
      ? shape("polyline", { class: `line ${line.tone}`, points })
      : shape("circle", { class: `dot ${line.tone}`, cx: place(0), cy: level(line.values[0]), r: 4 }));
  }
  if (named) {
    words.forEach((word, index) => {
      const short = Array.from(word).length > 12 ? `${Array.from(word).slice(0, 11).join("")}…` : word;
      const x = place(index) + 4, y = HEIGHT;
      svg.append(shape("text", { class: "tick", x, y, "text-anchor": "end", transform: `rotate(-90 ${x} ${y})` }, short));
    });
  }
  return { svg, place, cursor };
}

/** Return the same as a table, for screen readers and for the numbers. */
function numbers(title, words, lines, format) {
  const details = element("details", { class: "numbers" }, element("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const rows = words.map((word, place) =>
      element("tr", {}, element("th", { scope: "row", dir: "auto" }, word),
        ...lines.map((line) => element("td", {}, format(line.values[place])))));
    details.append(element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${title}, numbers` },
      element("table", {},
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "word"),
          ...lines.map((line) => element("th", { scope: "col" }, line.name)))),
        element("tbody", {}, ...rows))));
  });
  return details;
}
