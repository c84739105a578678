"""fastText for `benchmarks.training`, run by the peers' own interpreter; prints an epoch's median seconds.

python -m benchmarks.training_peers LINES.txt REPEATS THREADS
"""

import statistics
import sys
import time

import fasttext


def seconds(path: str, epochs: int, threads: int) -> float:
    """Return the seconds of so many epochs with the default sizes, reading the file included."""
    started = time.perf_counter()
    fasttext.train_supervised(path, epoch=epochs, thread=threads, verbose=0)
    return time.perf_counter() - started


def main() -> None:
    """Print the time of an epoch: a ninth of what ten take more than one, without reading the file."""
    path, repeats, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(statistics.median((seconds(path, 10, threads) - seconds(path, 1, threads)) / 9 for _ in range(repeats)))


if __name__ == "__main__":
    main()
