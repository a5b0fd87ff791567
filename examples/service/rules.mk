# SPDX-License-Identifier: MIT
# The example service: build/anomaly-service, and build/anomaly-load that loads it. They need libevent and jansson.

SERVICE_DIR := examples/service
SERVICE_SRC := $(sort $(wildcard $(SERVICE_DIR)/*.c))
SERVICE_FUZZ := $(SERVICE_DIR)/tests/fuzz_line.c
SERVICE_OBJ = $(call objects,$(SERVICE_SRC) $(SERVICE_FUZZ))
# All but its main; numbers and times are read and written, and files opened, as by the program.
SERVICE_PARTS = $(call objects,$(filter-out %/main.c %/load.c,$(SERVICE_SRC)) \
                $(addprefix examples/cli/common/,civil.c dates.c files.c flags.c number.c number_format.c text.c times.c times_write.c zone.c))
SERVICE_LIBS := -levent -ljansson
SERVICE = $(BUILD)/anomaly-service
SERVICE_LOAD = $(BUILD)/anomaly-load

$(SERVICE_OBJ): INCLUDES = -Iexamples/cli
$(SERVICE_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(compile)
-include $(SERVICE_OBJ:.o=.d)

$(SERVICE): $(call objects,$(SERVICE_DIR)/main.c) $(SERVICE_PARTS) $(STATIC_LIB)
	$(call link,$(SERVICE_LIBS))
$(SERVICE_LOAD): $(call objects,$(SERVICE_DIR)/load.c examples/cli/common/files.c)
	$(call link,)
$(BUILD)/fuzz_line: $(call objects,$(SERVICE_FUZZ)) $(SERVICE_PARTS) $(STATIC_LIB)
	$(call link,$(SERVICE_LIBS) -fsanitize=fuzzer)

.PHONY: service service-programs run-service check-service fuzz-service
service: ## the example service and its load generator: examples/service/README.md
	@$(SETUP) service
	+@$(SUBMAKE) service-programs
service-programs: $(SERVICE) $(SERVICE_LOAD)
run-service: service ## build and start it on its usual ports, the state in build/
	$(SERVICE) --state $(BUILD)/service-state
test-examples: service

check-service: ## its tests with clang's sanitizers, then under valgrind
	@$(SETUP) service checks
	+@$(SUBMAKE) BUILD=$(BUILD)/service-asan CC=$(CLANG) SAN=address,undefined service-programs
	BUILD=$(BUILD)/service-asan $(SERVICE_DIR)/tests/run.sh
	+@$(SUBMAKE) service-programs
	WRAPPER='valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite' $(SERVICE_DIR)/tests/run.sh
fuzz-service: ## libFuzzer over what clients send, FUZZ_SECONDS (60)
	@$(SETUP) service checks
	+@$(SUBMAKE) BUILD=$(BUILD)/fuzz CC=$(CLANG) SAN=fuzzer-no-link,address,undefined $(BUILD)/fuzz/fuzz_line
	@mkdir -p $(BUILD)/corpus/line
	$(BUILD)/fuzz/fuzz_line -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1 \
		-dict=$(SERVICE_DIR)/tests/fuzz_line.dict -artifact_prefix=$(BUILD)/ $(BUILD)/corpus/line
