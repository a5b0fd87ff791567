# SPDX-License-Identifier: MIT
# The IoT pipeline: examples/iot/README.md.

.PHONY: iot
iot: ## readings of sensors with a page, on 127.0.0.1:8501: SQLite, and sensors that are simulated
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/iot/run.sh demo

.PHONY: iot-all
iot-all: ## the same with Kafka, PostgreSQL, two consumers and the sender of alerts, until Ctrl-C
	@$(SETUP) python servers
	@BUILD='$(BUILD)' examples/iot/run.sh up all

.PHONY: bench-iot
bench-iot: ## how many readings a second through Kafka and PostgreSQL, with 30 and with 10,000 keys
	@$(SETUP) python servers
	@PYTHONPATH='$(CURDIR)/examples/iot:$(CURDIR)/examples' BUILD='$(BUILD)' "$$(examples/common/venv.sh '$(BUILD)/iot/venv' examples/iot/requirements.txt examples/iot/tests/requirements.txt)" examples/iot/tests/rates.py
