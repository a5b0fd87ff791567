# SPDX-License-Identifier: MIT
# The Python package: docs/python.md. PYTHON picks the interpreter.
TEST_NEEDS += $(if $(call pick,bindings/python/tests/run.sh),python)
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
