#!/usr/bin/env bash
# Builds the wheel and tries it with each Python that is given: installed into an empty environment, away from this
# checkout, it answers with the model that it brings along. An environment takes up to 8 GB where pip chooses a CUDA
# build of torch, and is removed after its turn.
#   deploy/prove_wheel.sh python3.10 python3.11 python3.12 python3.13
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { echo "usage: deploy/prove_wheel.sh PYTHON..." >&2; exit 2; }
work=$(mktemp --directory "${TMPDIR:-/tmp}/wheel.XXXXXX")
trap 'rm -rf "$work"' EXIT
"$1" -m venv "$work/build"
"$work/build/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work" .
wheel=$(ls "$work"/*.whl)
echo "$(basename "$wheel"): $(du -k "$wheel" | cut -f1) kB"

for python in "$@"; do
  "$python" -m venv "$work/empty"
  "$work/empty/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
  (
    cd "$work"
    empty/bin/python --version
    empty/bin/sentiment predict 'Not bad at all.'
    empty/bin/python -c '
import statistics, subprocess, sys, time
def seconds(code):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started
seconds("import sentiment")  # compiles
bare, whole = (statistics.median(seconds(code) for _ in range(5)) for code in ("pass", "import sentiment"))
import sentiment, torch
print(f"import sentiment: {whole - bare:.2f} s; torch {torch.__version__}")'
  )
  rm -rf "$work/empty"
done
