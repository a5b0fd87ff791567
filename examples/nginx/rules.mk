# SPDX-License-Identifier: MIT
# nginx that notices bots: examples/nginx/README.md.

.PHONY: nginx
nginx: ## nginx with a detector, on 127.0.0.1: half a minute of visitors, a bot among them
	@$(SETUP) nginx
	+@$(SUBMAKE) LUA=luajit lua
	@BUILD='$(BUILD)' examples/nginx/run.sh
