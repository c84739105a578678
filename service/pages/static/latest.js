// What is typed is asked when typing stops; only the newest question has an answer.

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

  /** Runs `task(signal)` after a pause, unless another is asked for meanwhile: that one stops this one for good. */
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
    this.#controller.abort(new DOMException("a newer question", "AbortError"));
    this.#controller = new AbortController();
  }
}

/** The answer, unless a newer question was asked while it was on its way. */
export async function current(answer, signal) {
  const found = await answer;
  signal.throwIfAborted();
  return found;
}
