// Elements, made without ever reading a text as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with these attributes and children; a null or false attribute is left out. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same of a picture. */
export function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

export function signed(number) {
  return `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(2)}`;
}

/** The class that gives a label its colour: its own where it has one, else one by its place. */
export function tone(label, labels) {
  return ["negative", "neutral", "positive"].includes(label) ? label : `label-${labels.indexOf(label) % 6}`;
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (name.startsWith("--")) made.style.setProperty(name, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}
