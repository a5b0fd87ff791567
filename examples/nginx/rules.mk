# SPDX-License-Identifier: MIT
# nginx that notices bots: examples/nginx/README.md.

.PHONY: nginx
nginx: ## nginx with a detector, on 127.0.0.1: half a minute of visitors, a bot among them
	@$(SETUP) nginx
	+@$(SUBMAKE) LUA=luajit lua
	@BUILD='$(BUILD)' examples/nginx/run.sh

.PHONY: bench-nginx
bench-nginx: ## what the detector adds to a request, beside what an access log adds; and what 10,000 clients take
	@$(SETUP) nginx
	+@$(SUBMAKE) LUA=luajit lua
	@PATH="$$PATH:/usr/sbin" BUILD='$(BUILD)' python3 examples/nginx/tests/cost.py
	@LUA_CPATH='$(BUILD)/luajit/?.so;;' luajit examples/nginx/tests/cost.lua
