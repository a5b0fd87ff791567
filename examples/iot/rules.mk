# SPDX-License-Identifier: MIT
# The IoT pipeline: examples/iot/README.md.

.PHONY: iot
iot: ## readings of sensors with a page, on 127.0.0.1:8501: SQLite, and sensors that are simulated
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/iot/run.sh demo
