# make book | pdf | serve | test | refresh | execute | forms | claims | ladder | experiments |
#      explorables | rooms | zh | catalogs | test-zh | bench | portability | mutate | lines | lint | clean
# make book UNROLLED_SOLUTIONS=0 leaves the solutions of exercises out.
# A smaller torch, without GPU libraries:
#   make book PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"

PYTHON    ?= python3
PIP_FLAGS ?=
VENV      := .venv
BIN       := $(VENV)/bin
READY     := $(VENV)/ready
SITE      := _build/html
WORKERS   ?= 3
export JUPYTER_PLATFORM_DIRS := 1
export UNROLLED_SOLUTIONS

.PHONY: book pdf serve test refresh execute forms claims ladder experiments explorables rooms zh catalogs test-zh \
        bench portability mutate lines lint clean english-site chinese-site

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) -r requirements.txt -c constraints.txt
	@touch $@

book: $(READY)
	rm -rf _build book/_static/from_notebooks
	$(MAKE) -j 2 english-site chinese-site
	$(BIN)/python tools/translation place
	@echo "The site: $(CURDIR)/$(SITE)/index.html"

english-site:
	$(BIN)/jupyter-book build . -n -W --keep-going

chinese-site: zh
	$(BIN)/python tools/translation site

pdf: $(READY)
	$(BIN)/python tools/pdf.py
	$(BIN)/python tools/pdf.py zh

serve: book
	@echo "Open http://localhost:8000 and stop with Ctrl-C"
	cd $(SITE) && "$(CURDIR)/$(BIN)/python" -m http.server 8000 --bind 127.0.0.1

test: lint book
	$(BIN)/python -m pytest --nbval -n $(WORKERS) --dist loadscope \
	  --durations 15 --junitxml test-results/junit.xml

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

refresh: $(READY)
	$(BIN)/python tools/refresh.py $(NOTEBOOKS)

execute: $(READY)
	$(BIN)/python tools/execute.py $(NOTEBOOKS)

forms: $(READY)
	$(BIN)/python tools/forms.py $(NOTEBOOKS)

claims: $(READY)
	$(BIN)/python tools/claims.py

ladder: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tools/ladder.py

experiments: $(READY)
	$(BIN)/python experiments/whole_book.py seeds
	$(BIN)/python experiments/whole_book.py search
	$(BIN)/python experiments/whole_book.py best
	$(BIN)/python experiments/whole_book.py curve
	$(BIN)/python experiments/classic_recipe.py clip
	$(BIN)/python experiments/classic_recipe.py long
	$(BIN)/python experiments/classic_recipe.py probes
	$(BIN)/python experiments/classic_recipe.py sampling
	$(BIN)/python experiments/classic_recipe.py scale
	$(BIN)/python experiments/cliff.py
	$(BIN)/python experiments/horizon.py
	$(BIN)/python experiments/subwords.py
	$(BIN)/python experiments/memory.py
	$(BIN)/python experiments/context.py
	$(BIN)/python experiments/source.py
	$(BIN)/python experiments/reach.py
	$(BIN)/python experiments/truncation.py
	$(BIN)/python experiments/bias.py
	$(BIN)/python experiments/zipf.py
	$(BIN)/python experiments/context_mixing.py
	$(BIN)/python experiments/gates.py tune chosen care again curve
	$(BIN)/python experiments/finished_mixture.py reading
	$(BIN)/python experiments/recall.py networks controls seeds
	$(BIN)/python experiments/finished_mixture.py mixture
	$(BIN)/python experiments/d2l_1_0.py
	$(BIN)/python experiments/distributed.py learn
	$(BIN)/python experiments/distributed.py fail
	$(BIN)/python experiments/distributed.py time
	$(BIN)/python experiments/classic_exercises.py

explorables: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tools/explorables

zh: $(READY)
	$(BIN)/python tools/translation pages

catalogs: $(READY)
	$(BIN)/python tools/translation update

test-zh: $(READY) zh
	$(BIN)/python -m pytest --nbval -n $(WORKERS) --dist loadscope book/zh/*.ipynb

rooms: book
	$(BIN)/python tools/rooms.py

bench: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python tests/benchmarks/counting.py
	OMP_NUM_THREADS=2 $(BIN)/python tests/benchmarks/speed.py

portability: $(READY)
	$(BIN)/python tools/portability.py

mutate: $(READY)
	$(BIN)/python tools/mutate.py $(MODULES)

lines: $(READY)
	$(BIN)/python tools/count_lines.py

clean:
	rm -rf _build mutants test-results book/zh book/_static/from_notebooks
	find . -name __pycache__ -type d -not -path './.venv/*' -exec rm -rf {} +
