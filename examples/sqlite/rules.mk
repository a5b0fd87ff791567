# SPDX-License-Identifier: MIT
# anomaly() in SQLite: build/sqlite/anomaly.so. It needs SQLite's header, and nothing of SQLite when it is linked.

SQLITE_DIR := examples/sqlite
SQLITE_OBJ = $(call objects,$(sort $(wildcard $(SQLITE_DIR)/*.c)))
SQLITE_SHARED = $(call objects,examples/common/sql.c) # what extensions of databases share
SQLITE_TEST = $(call binaries,$(SQLITE_DIR)/tests/test_sqlite.c)
SQLITE_EXTENSION = $(BUILD)/sqlite/anomaly.so

$(SQLITE_OBJ) $(SQLITE_SHARED) $(SQLITE_TEST).o: INCLUDES = -Iexamples -Iexamples/cli -Itests/support
$(SQLITE_OBJ) $(SQLITE_SHARED) $(SQLITE_TEST).o: $(BUILD)/%.o: %.c $(BUILD)/flags
	$(compile)
-include $(patsubst %.o,%.d,$(SQLITE_OBJ) $(SQLITE_SHARED)) $(SQLITE_TEST).d

$(SQLITE_EXTENSION): $(SQLITE_OBJ) $(SQLITE_SHARED) $(call objects,examples/cli/common/flags.c) $(STATIC_LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$Q$(CC) $(ALL_LDFLAGS) -shared -Wl,--exclude-libs,ALL -o $@ $^ $(LDLIBS) -lm
$(SQLITE_TEST): %: %.o $(SQLITE_SHARED) $(call objects,examples/cli/common/flags.c) $(STATIC_LIB)
	$(call link,-lsqlite3 -lcmocka)

.PHONY: sqlite sqlite-extension sqlite-tests check-sqlite bench-sqlite
sqlite: ## anomaly() in SQLite: builds build/sqlite/anomaly.so and judges a sample file: examples/sqlite/README.md
	@$(SETUP) sqlite
	+@$(SUBMAKE) sqlite-extension
	@BUILD='$(BUILD)' $(SQLITE_DIR)/run.sh
sqlite-extension: $(SQLITE_EXTENSION)
sqlite-tests: $(SQLITE_EXTENSION) $(SQLITE_TEST)

check-sqlite: ## its tests with clang's sanitizers, then under valgrind
	@$(SETUP) tests sqlite checks
	+@$(SUBMAKE) BUILD=$(BUILD)/sqlite-asan CC=$(CLANG) SAN=address,undefined sqlite-tests
	BUILD=$(BUILD)/sqlite-asan $(BUILD)/sqlite-asan/$(SQLITE_DIR)/tests/test_sqlite
	+@$(SUBMAKE) sqlite-tests
	BUILD=$(BUILD) TEST_QUICK=1 valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite $(SQLITE_TEST)
bench-sqlite: ## rows a second, beside window functions of SQLite itself
	@$(SETUP) sqlite
	+@$(SUBMAKE) sqlite-extension
	@BUILD='$(BUILD)' $(SQLITE_DIR)/tests/bench.sh
