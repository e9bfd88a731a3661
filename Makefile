# Two commands do everything: `make demo` and `make test`. See CONTRIBUTING.md.
PYTHON ?= python3
VENV := .venv
TEST_PROCESSES ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

# `make test-peers` also tests with other people's clients, servers and browser, `make test-vllm` with
# vLLM on the CPU and a mixture of experts that it makes itself.
.PHONY: demo test test-peers test-vllm fuzz fuzz-guided bench lint examples clean

# The deterministic answer first; then the weights (fetched once) and the agent's. A machine that
# cannot have them still ends well: the reason is printed, and the agent says that it has no model.
demo: $(VENV)/.product
	$(BIN)/epicrisis demo
	$(BIN)/epicrisis laboratory serving/examples/laboratory
	-$(BIN)/epicrisis knowledge build
	-$(BIN)/epicrisis llm pull
	$(BIN)/epicrisis demo --agent-only

test: $(VENV)/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n $(TEST_PROCESSES) --dist loadfile --ignore=tests/peers --ignore=tests/vllm

test-peers: $(VENV)/.tests
	sh scripts/peers.sh $(BIN)/python
	$(BIN)/pytest -q tests/peers

# An environment of its own, without torchvision; Linux on x86-64 (CONTRIBUTING.md). Each start of
# vLLM imports for a quarter of a minute, three times over, where no bytecode may be kept.
test-vllm: $(VENV)-vllm/.vllm
	PYTHONDONTWRITEBYTECODE= OMP_WAIT_POLICY=passive $(VENV)-vllm/bin/python -m pytest -q --durations=15 \
		tests/serving/llm/upcycle tests/serving/llm/routing tests/vllm

# Ten thousand changed files of every kind that is read, through the front door (CONTRIBUTING.md).
fuzz: $(VENV)/.tests
	$(BIN)/python scripts/fuzz.py --count 10000 --processes 2

# The same rules with files that a coverage-guided fuzzer makes; a few runs a second, so for a night.
fuzz-guided: $(VENV)/.tests
	$(PIP) install --quiet --group fuzz
	$(BIN)/python scripts/fuzz_guided.py --seconds 600

# vLLM is measured where its environment can be made.
bench: $(VENV)-bench/.bench
	-$(MAKE) $(VENV)-vllm/.vllm
	$(VENV)-bench/bin/python bench/run.py

lint: $(VENV)/.tests
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

examples: $(VENV)/.product
	$(BIN)/python scripts/make_examples.py

clean:
	rm -rf $(VENV) $(VENV)-vllm $(VENV)-bench out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	sh scripts/make_venv.sh $(PYTHON) $(VENV)

$(VENV)/.product: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --quiet --editable '.[local-llm,service]'
	touch $@

$(VENV)/.tests: $(VENV)/.product
	$(PIP) install --quiet --editable '.[local-llm,service]' --group dev
	touch $@

$(VENV)-vllm/.vllm: pyproject.toml tests/vllm/constraints.txt tests/vllm/vllm.txt scripts/make_vllm_env.sh
	sh scripts/make_vllm_env.sh $(PYTHON) $(VENV)-vllm
	touch $@

# The libraries compared with need older versions than the product: an environment of their own.
$(VENV)-bench/.bench: pyproject.toml bench/constraints.txt
	sh scripts/make_venv.sh $(PYTHON) $(VENV)-bench
	PIP_CONSTRAINT=$(CURDIR)/bench/constraints.txt $(VENV)-bench/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[service,wsi,dicom-net,local-llm,router-moe]' --group bench
	touch $@
