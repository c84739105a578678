// Run a task when typing stops; only the newest task finishes.

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

export class Latest {
  #controller = new AbortController();
  #milliseconds;

  constructor(milliseconds) {
    this.#milliseconds = milliseconds;
  }

  /** Run `task(signal)` after a pause; a newer task aborts it. */
  async ask(task, { now = false } = {}) {
    this.stop();
    const { signal } = this.#controller;
    try {
      if (!now) await pause(this.#milliseconds, signal);
      await task(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  stop() {
    this.#controller.abort(new DOMException("a newer request", "AbortError"));
    this.#controller = new AbortController();
  }
}

/** Return the answer, unless a newer request aborted it. */
export async function current(answer, signal) {
  const found = await answer;
  signal.throwIfAborted();
  return found;
}
