# SPDX-License-Identifier: MIT
# anomaly() in PostgreSQL: examples/postgres/README.md. PGXS builds it; this starts a server of its own for it.

.PHONY: postgres bench-postgres
postgres: ## anomaly() in PostgreSQL: starts one for itself and judges a sample file: examples/postgres/README.md
	@$(SETUP) postgres
	+@$(SUBMAKE) lib
	@BUILD='$(BUILD)' examples/postgres/run.sh
bench-postgres: ## rows a second, beside window functions of PostgreSQL itself
	@$(SETUP) postgres
	+@$(SUBMAKE) lib
	@BUILD='$(BUILD)' examples/postgres/tests/bench.sh
