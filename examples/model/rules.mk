# SPDX-License-Identifier: MIT
# A model that watches itself: examples/model/README.md.

.PHONY: model
model: ## a model that watches itself, on 127.0.0.1:8000: trains, judges a stream, sees the stream drift, trains anew
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/model/run.sh demo
