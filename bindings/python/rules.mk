# SPDX-License-Identifier: MIT
# The Python package: docs/python.md. PYTHON picks the interpreter.
PYTHON_TESTS := bindings/python/tests/run.sh
TEST_NEEDS += $(if $(strip $(call pick,$(PYTHON_TESTS) $(DOCS_TESTS))),python)
TEST_TARGETS += $(if $(strip $(call pick,$(PYTHON_TESTS) $(DOCS_TESTS))),python-installed)
.PHONY: python-installed
python-installed:
	@BUILD='$(BUILD)' $(PYTHON_TESTS) --install
PACKAGE_PYTHON = BUILD='$(BUILD)' bindings/python/package.sh

.PHONY: python python-wheels
python: ## the Python package: sdist and this machine's wheel, in build/python/dist
	@$(SETUP) python
	@$(PACKAGE_PYTHON) native
python-wheels: ## the same for x86-64 and aarch64, glibc and musl, checked with auditwheel and abi3audit
	@$(SETUP) python
	@$(PACKAGE_PYTHON) wheels
.PHONY: python-try
python-try: python ## sdist and wheel in empty environments, as a new user would
	+@$(SUBMAKE) all
	@BUILD='$(BUILD)' MAKE='$(MAKE)' bindings/python/try.sh $(PYTHONS)
