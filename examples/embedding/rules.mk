# SPDX-License-Identifier: MIT
# Small programs for docs/embedding.md. Each ends with 0 only if what it says is so.

EMBEDDING_SRC := $(sort $(wildcard examples/embedding/*.c))
EMBEDDING = $(call binaries,$(EMBEDDING_SRC))

$(call objects,$(EMBEDDING_SRC)): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(compile)
-include $(EMBEDDING:=.d)
$(EMBEDDING): %: %.o $(STATIC_LIB)
	$(call link,-pthread)

.PHONY: embedding embedding-programs
embedding: embedding-programs ## the small programs of docs/embedding.md, one after another
	@set -e; for program in $(EMBEDDING); do $$program; done
embedding-programs: $(EMBEDDING)
test-examples everything: embedding-programs
