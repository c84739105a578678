// The page: the visible part, and what all parts share.

import { showModel } from "./about.js";
import { useKey } from "./api.js";
import { showChanges } from "./changes.js";
import { setUpMany } from "./many.js";
import { Panel } from "./panel.js";

const find = (selector) => document.querySelector(selector);
const changed = () => showChanges(find("#changes"), first, second);
const first = new Panel("Text", "text-one", () => mode() === "two" && changed());
const second = new Panel("Second text", "text-two", () => mode() === "two" && changed());

function mode() {
  return find("input[name=mode]:checked").value;
}

function switchMode() {
  find("#panels").hidden = mode() === "many";
  find("#many").hidden = mode() !== "many";
  find("#panels").className = mode();
  second.element.hidden = mode() !== "two";
  find("#changes").hidden = true;
  if (mode() === "two") {
    changed();
    if (!second.prediction) second.ask({ now: true });
  }
}

function start() {
  first.ask({ now: true });
  showModel(find("#about"));
}

function sayConnection() {
  const notice = find("#connection");
  notice.hidden = navigator.onLine;
  notice.textContent = navigator.onLine ? "" : "You are offline. Your text is kept and sent when you are back online.";
}

find("#panels").append(first.element, second.element);
document.querySelectorAll("input[name=mode]").forEach((input) => input.addEventListener("change", switchMode));
window.addEventListener("offline", sayConnection);
window.addEventListener("online", () => {
  sayConnection();
  [first, second].forEach((panel) => panel.retry());
});
find("#key")?.addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(find("#key-field").value.trim());
  find("#key").classList.remove("needed");
  find("#key-note").textContent = "The key is used from now on.";
  start();
  second.retry();
});
document.addEventListener("key-needed", () => find("#key")?.classList.add("needed"));
setUpMany();
switchMode();
sayConnection();
start();
