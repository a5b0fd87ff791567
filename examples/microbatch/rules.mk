# SPDX-License-Identifier: MIT
# Micro-batches on object storage: examples/microbatch/README.md.

microbatch_python = "$$(examples/common/venv.sh '$(BUILD)/microbatch/venv' examples/microbatch/requirements.txt $1)"

.PHONY: microbatch
microbatch: ## traffic in micro-batches, on 127.0.0.1:8002: a handler in a process of its own each time, and its page
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/microbatch/run.sh demo

.PHONY: bench-microbatch
bench-microbatch: ## how long a cold start takes: import, restore 10,000 clients, judge 10,000 rows, save
	@$(SETUP) python
	@PYTHONPATH=examples/microbatch:examples PYTHONDONTWRITEBYTECODE=1 $(call microbatch_python,examples/microbatch/tests/requirements.txt) examples/microbatch/tests/cold.py
