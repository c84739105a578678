// Call the service's API, and describe its errors.

const BUSY = [429, 502, 503, 504];

let key = "";

export function useKey(given) {
  key = given;
}

/** A request without an answer. `kind` is offline, key, busy, refused or failed; `faults` point into the request. */
export class Refusal extends Error {
  constructor(kind, message, { retrySeconds = 1, faults = [] } = {}) {
    super(message);
    this.kind = kind;
    this.retrySeconds = retrySeconds;
    this.faults = faults;
  }
}

export function get(path, signal) {
  return ask(path, { signal });
}

export function post(path, content, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", body: JSON.stringify(content), headers, signal });
}

async function ask(path, options) {
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  let response, content;
  try {
    response = await fetch(path, { ...options, headers });
    content = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (response && BUSY.includes(response.status)) throw busy(response);
    if (response) throw new Refusal("failed", "The response could not be read.");
    throw new Refusal("offline", "The service can't be reached.");
  }
  if (response.ok) return content;
  if (response.status === 401) throw new Refusal("key", "This service needs an API key: enter one above.");
  if (response.status === 403) throw new Refusal("key", "This key is not allowed to predict: enter another above.");
  if (BUSY.includes(response.status)) throw busy(response);
  if (response.status >= 500) throw new Refusal("failed", `The service failed on this text (request ${content.instance}).`);
  throw new Refusal("refused", inWords(content), { faults: content.errors });
}

function busy(response) {
  const retrySeconds = Math.min(60, Math.max(1, Number(response.headers.get("Retry-After")) || 1));
  return new Refusal("busy", "The service is busy.", { retrySeconds });
}

function inWords(problem) {
  const fault = problem.errors?.[0];
  return fault ? `The text ${fault.detail}.` : problem.detail;
}
