# SPDX-License-Identifier: MIT
# Live metrics with a dashboard: examples/live/README.md.

.PHONY: live
live: ## live metrics with a dashboard, on 127.0.0.1:8000: sends twenty ordinary values and an odd one, shows what came of them
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/live/run.sh demo

.PHONY: bench-live
bench-live: ## how long from POST to WebSocket, and how many events a second in files and through Kafka
	@$(SETUP) python redis servers
	@PYTHONPATH=examples/live:examples "$$(examples/common/venv.sh '$(BUILD)/live/venv' examples/live/requirements.txt examples/live/tests/requirements.txt)" examples/live/tests/load.py
