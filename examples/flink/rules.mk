# SPDX-License-Identifier: MIT
# Transactions of users, in a plain loop or on Flink: examples/flink/README.md.

.PHONY: flink
flink: ## transactions of users, judged in a plain loop; examples/flink/run.sh up is the same on Apache Flink
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/flink/run.sh demo

.PHONY: bench-flink
bench-flink: ## throughput and latency of detectors in Flink's state, beside pure Python in the same state
	@$(SETUP) python java
	@BUILD='$(BUILD)' examples/flink/run.sh bench $(BENCH_ARGS)

.PHONY: bench-scaling
bench-scaling: ## a simulation: a billion keys on a thousand nodes, of docs/scaling.md
	@$(SETUP) python
	@BUILD='$(BUILD)' examples/flink/run.sh python examples/flink/tests/scaling.py $(BENCH_ARGS)
