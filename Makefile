# SPDX-License-Identifier: MIT
# libanomaly. `make help` lists the targets, docs/testing.md explains those that test.
#
# CC, CXX, AR, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS may be given; the flags below that the results depend on stay.
# V=1 shows the commands, WERROR=1 turns warnings into errors, BUILD=dir builds somewhere else. WITH_THREADS=0 builds the
# library without pthread: pools have no locks then.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
WITH_THREADS ?= 1
$(if $(filter 0 1,$(WITH_THREADS)),,$(error WITH_THREADS must be 0 or 1, not "$(WITH_THREADS)"))
Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-5s %s\n' '$1' '$2'

# ---- version: include/anomaly.h has it ----
version_part = $(shell sed -n 's/^.define ANOMALY_VERSION_$1 *\([0-9][0-9]*\).*/\1/p' include/anomaly.h)
MAJOR := $(call version_part,MAJOR)
VERSION := $(MAJOR).$(call version_part,MINOR).$(call version_part,PATCH)

# ---- directories: upper or lower case, as you like ----
DESTDIR ?=
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
BINDIR ?= $(prefix)/bin
bindir ?= $(BINDIR)
LIBDIR ?= $(prefix)/lib
libdir ?= $(LIBDIR)
INCLUDEDIR ?= $(prefix)/include
includedir ?= $(INCLUDEDIR)
MANDIR ?= $(prefix)/share/man
mandir ?= $(MANDIR)
PKGCONFIGDIR ?= $(libdir)/pkgconfig
pkgconfigdir ?= $(PKGCONFIGDIR)
cmakedir = $(libdir)/cmake/libanomaly
INSTALL ?= install

# ---- flags ----
# Always: the same bits from every compiler (no contraction to fused multiply-add; gnu11, since by c11 gcc for s390x reckons
# floats as doubles), errno left alone by sqrt, and only what the header marks visible outside.
CLANG ?= clang
CFLAGS ?= $(if $(SAN),-O1 -g -fno-omit-frame-pointer,-O3)
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wmissing-prototypes -Wstrict-prototypes $(if $(filter 1,$(WERROR)),-Werror)
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
ALL_CPPFLAGS = -Iinclude -D_POSIX_C_SOURCE=200809L $(if $(filter 0,$(WITH_THREADS)),-DANOMALY_THREADS=0) $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden -fno-semantic-interposition $(WARNINGS) $(CFLAGS) \
             -ffp-contract=off -fno-math-errno $(SANITIZE)
ALL_LDFLAGS = $(CFLAGS) $(SANITIZE) $(LDFLAGS)
# What the program unpacks where the library is there; WITH_ZSTD=0 and WITH_XZ=0 do without.
library_there = $(shell pkg-config --exists $1 2>/dev/null && echo 1 || echo 0)
ifndef WITH_ZSTD
WITH_ZSTD := $(call library_there,libzstd)
endif
ifndef WITH_XZ
WITH_XZ := $(call library_there,liblzma)
endif
PACKINGS := $(if $(filter 1,$(WITH_ZSTD)),-DCLI_ZSTD=1) $(if $(filter 1,$(WITH_XZ)),-DCLI_XZ=1)
PROGRAM_LIBS := -lcsv -ljansson -lz $(if $(filter 1,$(WITH_ZSTD)),-lzstd) $(if $(filter 1,$(WITH_XZ)),-llzma)

# ---- what is built from what ----
objects = $(patsubst %.c,$(BUILD)/%.o,$1)
LIB_SRC := $(sort $(wildcard lib/*.c lib/*/*.c lib/*/*/*.c))
CLI_SRC := $(sort $(wildcard examples/cli/*.c examples/cli/*/*.c))
AMALGAMATION = $(BUILD)/amalgamation/anomaly.c
LIB_OBJ = $(if $(AMALGAMATED),$(AMALGAMATION:.c=.o),$(call objects,$(LIB_SRC)))
STATIC_LIB = $(BUILD)/libanomaly.a
SHARED_LIB = $(BUILD)/libanomaly.so
PROGRAM = $(BUILD)/anomaly
CLI_PAGE = $(BUILD)/examples/cli/write/report_page# the fixed parts of a report, as C
CLI_LIB = $(BUILD)/examples/cli/cli.a# the program without its main, for tests of its parts

TEST_SRC := $(sort $(filter-out $(if $(filter 0,$(WITH_THREADS)),%/pool_threads.c),\
            $(wildcard tests/unit/*.c tests/model/*.c tests/oracle/*.c tests/oom/*.c tests/program/*.c)))
ORACLE_SRC := $(sort $(wildcard tests/oracle/support/*.c))
BUILD_SCRIPTS := $(addprefix tests/install/,amalgamation.sh cmake.sh meson.sh)
DOCS_TESTS := tests/docs/pages.sh
TEST_SCRIPTS := $(sort $(filter-out %/lib.sh %/bench_cli.sh %/bare.sh $(BUILD_SCRIPTS),$(wildcard tests/program/*.sh tests/abi/*.sh tests/install/*.sh tests/layout/*.sh \
                bindings/*/tests/run.sh)) $(DOCS_TESTS))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*.c))
SOAK_SRC := $(sort $(wildcard tests/soak/*.c))
BENCH_SRC := $(sort $(wildcard tests/bench/*.c))
ALL_OBJ = $(call objects,$(LIB_SRC) $(CLI_SRC) $(TEST_SRC) $(ORACLE_SRC) $(FUZZ_SRC) $(SOAK_SRC) $(BENCH_SRC))

.PHONY: all lib program
all: lib program ## the libraries and the program, in build/
lib: $(STATIC_LIB) $(SHARED_LIB)
program: $(PROGRAM)

# Everything is rebuilt when the compiler or a flag changes.
FLAGS_NOW = $(CC) $(PACKINGS) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(LDLIBS) $(VERSION)
quote = '$(subst ','\'',$1)'
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(FLAGS_NOW)) | cmp -s - $@ || printf '%s\n' $(call quote,$(FLAGS_NOW)) >$@

compile = $(call say,CC,$<)$(newline)@mkdir -p $(@D)$(newline)$Q$(CC) $(ALL_CPPFLAGS) $(INCLUDES) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
$(ALL_OBJ): $(BUILD)/%.o: %.c $(BUILD)/flags
	$(compile)
$(BUILD)/lib/%.o: INCLUDES = -Ilib
$(BUILD)/examples/cli/%.o: INCLUDES = -Iexamples/cli $(PACKINGS)
$(BUILD)/tests/%.o: INCLUDES = -Ilib -Itests/support -Iexamples/cli
$(BUILD)/tests/oracle/%.o: INCLUDES = -Itests/support# written from the documentation alone: no -Ilib
-include $(ALL_OBJ:.o=.d)

archive = $(call say,AR,$@)$(newline)@rm -f $@$(newline)$Q$(AR) qcs $@ $^
define newline


endef
$(STATIC_LIB): $(LIB_OBJ)
	$(archive)
$(CLI_LIB): $(call objects,$(filter-out %/main.c,$(CLI_SRC))) $(CLI_PAGE).o
	$(archive)

$(SHARED_LIB).$(VERSION): $(LIB_OBJ) lib/libanomaly.map
	$(call say,LD,$@)
	$Q$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,libanomaly.so.$(MAJOR) -Wl,--version-script=lib/libanomaly.map \
		-Wl,-z,defs -o $@ $(filter %.o,$^) $(LDLIBS) -lm
$(SHARED_LIB).$(MAJOR): $(SHARED_LIB).$(VERSION)
	@ln -sf $(<F) $@
$(SHARED_LIB): $(SHARED_LIB).$(MAJOR)
	@ln -sf $(<F) $@

# ---- the library in one file ----
$(AMALGAMATION): lib/amalgamate.sh LICENSE include/anomaly.h $(LIB_SRC) $(wildcard lib/*/*.h lib/*/*/*.h)
	$(call say,JOIN,$@)
	$Qlib/amalgamate.sh $(@D)
# For the tests (AMALGAMATED=1), which call what is static there otherwise.
$(AMALGAMATION:.c=.o): $(AMALGAMATION) $(BUILD)/flags
	$(call say,CC,$<)
	$Q$(CC) $(ALL_CPPFLAGS) -DAN_LOCAL= $(ALL_CFLAGS) -c $< -o $@
.PHONY: amalgamation
amalgamation: $(AMALGAMATION) ## the library as one file: anomaly.c and anomaly.h, in build/amalgamation/

$(CLI_PAGE).c: $(sort $(wildcard examples/cli/write/report/*))
	$(call say,EMBED,$@)
	@mkdir -p $(@D)
	$Qexamples/cli/write/report/embed.sh examples/cli/write/report >$@
$(CLI_PAGE).o: $(CLI_PAGE).c $(BUILD)/flags
	$(call say,CC,$<)
	$Q$(CC) $(ALL_CPPFLAGS) -Iexamples/cli $(ALL_CFLAGS) -c $< -o $@

link = $(call say,LD,$@)$(newline)$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $1 $(LDLIBS) -lm
$(PROGRAM): $(BUILD)/examples/cli/main.o $(CLI_LIB) $(STATIC_LIB)
	$(call link,$(PROGRAM_LIBS))

# ---- tests ----
# TESTS=words keeps the tests whose path contains one of the words: make test TESTS=zscore, make test TESTS=tests/unit/
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SUBMAKE = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
SETUP = CC='$(CC)' CXX='$(CXX)' CLANG='$(CLANG)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' tests/setup.sh
# Further groups of tests/setup.sh, and targets, that the picked tests need; bindings/*/rules.mk add theirs.
TEST_NEEDS =
TEST_TARGETS =
pick = $(if $(TESTS),$(foreach f,$1,$(if $(strip $(foreach w,$(TESTS),$(findstring $w,$f))),$f)),$1)
binaries = $(patsubst %.c,$(BUILD)/%,$1)
TEST_BIN = $(call binaries,$(call pick,$(TEST_SRC)))
RUN_TESTS = BUILD='$(BUILD)' ANOMALY='$(BUILD)/anomaly' CC='$(CC)' CXX='$(CXX)' MAKE='$(MAKE)' V='$(V)' \
            TEST_QUICK='$(TEST_QUICK)' WITH_THREADS='$(WITH_THREADS)' tests/run.sh

$(call binaries,$(filter tests/oracle/%,$(TEST_SRC))): $(call objects,$(ORACLE_SRC))
$(call binaries,$(filter-out tests/program/%,$(TEST_SRC))): %: %.o $(STATIC_LIB)
	$(call link,$(if $(findstring /cross,$(CPPFLAGS)),,-lcmocka))
$(call binaries,$(filter tests/program/%,$(TEST_SRC))): %: %.o $(CLI_LIB) $(STATIC_LIB)
	$(call link,$(PROGRAM_LIBS) -lcmocka)

.PHONY: test test-programs run-programs everything
test: ## all tests but the long ones, after setting up what they need; TESTS=words picks some
	@$(SETUP) tests $(TEST_NEEDS)
	+@$(SUBMAKE) all test-programs $(TEST_TARGETS)
	@$(RUN_TESTS) $(TEST_BIN) $(call pick,$(TEST_SCRIPTS))
test-programs: $(TEST_BIN) $(PROGRAM)
	@:
EXAMPLE_TESTS := $(sort $(wildcard examples/*/tests/run.sh)) tests/docs/servers.sh
.PHONY: test-examples
test-examples: ## the example systems against real servers; TESTS=words picks some; the first run installs for minutes
	@$(SETUP) tests
	+@$(SUBMAKE) all
	@TEST_TIMEOUT=2400 $(RUN_TESTS) $(call pick,$(EXAMPLE_TESTS))
everything: all $(call binaries,$(TEST_SRC) $(SOAK_SRC)) $(addprefix $(BUILD)/tests/bench/,bench accuracy forest kinds pool rate trades) # what a compiler has to take without a warning
run-programs: test-programs # what the checks below run: no installation, no ABI
	@$(RUN_TESTS) $(TEST_BIN) $(call pick,$(filter tests/program/%,$(TEST_SCRIPTS)))

VALGRIND := valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=all
.PHONY: check-asan check-valgrind check-tsan check-oom check-crash check-bare fuzz soak
check-asan: ## the tests under the address and undefined-behaviour sanitizers; CC=clang looks for more than gcc
	@$(SETUP) tests $(if $(findstring clang,$(CC)),checks)
	+@TEST_TIMEOUT=1200 $(SUBMAKE) BUILD=$(BUILD)/asan$(if $(findstring clang,$(CC)),-clang) SAN=address,undefined run-programs
check-valgrind: ## the tests under valgrind, which sees uninitialised memory as well
	@$(SETUP) tests checks
	+@TEST_TIMEOUT=3600 WRAPPER='$(VALGRIND)' $(SUBMAKE) run-programs
check-tsan: ## pools under many threads, and the thread sanitizer
	@$(SETUP) tests
	+@TEST_TIMEOUT=1200 $(SUBMAKE) BUILD=$(BUILD)/tsan SAN=thread TESTS=threads run-programs
check-oom: ## every allocation fails in turn, under the address sanitizer
	@$(SETUP) tests
	+@TEST_TIMEOUT=1200 $(SUBMAKE) BUILD=$(BUILD)/asan SAN=address,undefined TESTS=tests/oom/ run-programs
CRASHES ?=
check-crash: ## kill -9 at any moment, CRASHES (200) times for each form of input: each verdict is written once
	@$(SETUP) tests
	+@CRASHES=$(or $(CRASHES),200) $(SUBMAKE) TESTS=program/crash run-programs
check-bare: ## make run, test and nginx as a newcomer's, in the bare root of a release; SUITE=trixie, COMMANDS="'make run'"
	@$(SETUP) bare
	@BUILD='$(BUILD)' tests/install/bare.sh $(or $(SUITE),bookworm) $(COMMANDS)

# Other machines, big-endian or with 32 bits: they read the snapshots of this one, and write them to the same bytes.
CROSS_TESTS = unit/ model/
CROSS_BIN = $(call binaries,$(call pick,$(filter $(addprefix tests/,$(addsuffix %,$(CROSS_TESTS))),$(TEST_SRC))))
CROSS_MAKE = $(SUBMAKE) BUILD=$(BUILD)/$1 LDFLAGS=-static CPPFLAGS=-Itests/support/cross TEST_QUICK=1
.PHONY: check-s390x check-i686 run-cross
check-s390x: ## golden snapshots and what goes with them on a big-endian machine, under qemu-user
	@$(SETUP) program s390x
	+@TEST_TIMEOUT=1200 WRAPPER=qemu-s390x $(call CROSS_MAKE,s390x) CC=s390x-linux-gnu-gcc \
		CROSS_TESTS='unit/golden unit/scenarios model/snapshot' run-cross
check-i686: ## the tests of the library with 32 bits, where sizes are soon too large
	@$(SETUP) program i686
	+@TEST_TIMEOUT=1200 $(call CROSS_MAKE,i686) CC='i686-linux-gnu-gcc -msse2 -mfpmath=sse' WERROR=1 run-cross
run-cross: $(CROSS_BIN)
	@$(RUN_TESTS) $(CROSS_BIN)

# The library built another way: the same tests, the same symbols.
LIBRARY_SCRIPTS = tests/abi/symbols.sh $(if $(AMALGAMATED),tests/install/amalgamation.sh)
.PHONY: check-amalgamation check-unthreaded check-packages run-library
check-amalgamation: ## the library as one file: compiled with one line by each compiler at hand, then its tests on it
	@$(SETUP) tests builds
	+@TEST_TIMEOUT=1200 $(SUBMAKE) BUILD=$(BUILD)/amalgamated AMALGAMATED=1 run-library
check-unthreaded: ## the library without threads (WITH_THREADS=0): its tests, and that it needs nothing of pthread
	@$(SETUP) tests
	+@TEST_TIMEOUT=1200 $(SUBMAKE) BUILD=$(BUILD)/unthreaded WITH_THREADS=0 run-library
run-library: lib $(CROSS_BIN) $(if $(AMALGAMATED),amalgamation)
	@WARNINGS='$(WARNINGS)' $(RUN_TESTS) $(CROSS_BIN) $(call pick,$(LIBRARY_SCRIPTS))
check-packages: ## programs that CMake and Meson build with the installed library, and with its sources
	@$(SETUP) tests builds
	+@$(SUBMAKE) all
	@$(RUN_TESTS) $(call pick,$(filter-out %/amalgamation.sh,$(BUILD_SCRIPTS)))

ORACLE_STEPS ?= 10000000
.PHONY: oracle
oracle: ## the long form of tests/oracle/: ORACLE_STEPS (1e7) random steps beside what the documentation says
	@$(SETUP) tests
	+@$(SUBMAKE) TESTS=tests/oracle/ test-programs
	+@ORACLE_STEPS=$(ORACLE_STEPS) TEST_TIMEOUT=36000 $(SUBMAKE) TESTS=tests/oracle/ V=1 run-programs

FUZZ_SECONDS ?= 60
FUZZ_BIN = $(call binaries,$(call pick,$(FUZZ_SRC)))
$(call binaries,$(FUZZ_SRC)): %: %.o $(CLI_LIB) $(STATIC_LIB)
	$(call link,$(PROGRAM_LIBS) -fsanitize=fuzzer)
.PHONY: fuzz-programs run-fuzz
fuzz-programs: $(FUZZ_BIN)
run-fuzz: fuzz-programs
	$Qset -e; for program in $(FUZZ_BIN); do name=$$(basename $$program); \
		corpus=$(BUILD)/corpus/$$name; mkdir -p $$corpus; kept=tests/fuzz/corpus/$$name; \
		echo "fuzz  $$name for $(FUZZ_SECONDS) s"; \
		$$program -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/ $$corpus $$(test ! -d $$kept || echo $$kept); done
fuzz: ## libFuzzer over the readers and the library, FUZZ_SECONDS each (60); needs clang
	@$(SETUP) program checks
	+@$(SUBMAKE) BUILD=$(BUILD)/fuzz CC=$(CLANG) SAN=fuzzer-no-link,address,undefined run-fuzz

$(call binaries,$(SOAK_SRC)): %: %.o $(STATIC_LIB)
	$(call link,)
SOAK_EVENTS ?= 1000000000
soak: ## the long test: the error after SOAK_EVENTS (1e9) events is that after 1e3
	@$(SETUP) program
	+@$(SUBMAKE) $(call binaries,$(SOAK_SRC))
	@$(BUILD)/tests/soak/soak $(SOAK_EVENTS)

MILLION_ROWS ?= 10
BENCH = $(BUILD)/tests/bench/bench
$(BENCH): $(call objects,$(filter-out %/accuracy.c %/forest.c %/pool.c %/rate.c %/trades.c %/incidents.c %/story.c %/kinds.c %/anomalies.c,$(BENCH_SRC))) $(STATIC_LIB)
	$(call link,)
BENCH_POOL = $(BUILD)/tests/bench/pool
$(BENCH_POOL): $(call objects,tests/bench/pool.c tests/bench/naive.c) $(STATIC_LIB)
	$(call link,-pthread)
.PHONY: bench bench-pool bench-cli
bench: ## what an event costs, as ratios to a naive one; BENCH_ARGS='--json --repeats 31 rows' picks
	@$(SETUP) program
	+@$(SUBMAKE) $(BENCH)
	@$(BENCH) $(BENCH_ARGS)
bench-pool: ## a million keys: bytes, costs, snapshots, eviction, threads; BENCH_ARGS='KEYS EVENTS DISTINCT'
	@$(SETUP) program
	+@$(SUBMAKE) $(BENCH_POOL)
	@$(BENCH_POOL) $(BENCH_ARGS)
bench-cli: ## how fast the program reads MILLION_ROWS (10), beside pandas and Miller where they are installed
	@$(SETUP) program
	+@$(SUBMAKE) program
	@ANOMALY='$(PROGRAM)' sh tests/program/bench_cli.sh $(MILLION_ROWS)

# Alarms that people can act on.
BENCH_RATE = $(BUILD)/tests/bench/rate
BENCH_TRADES = $(BUILD)/tests/bench/trades
BENCH_KINDS = $(BUILD)/tests/bench/kinds
$(BENCH_RATE): %: %.o $(STATIC_LIB)
	$(call link,)
$(BENCH_TRADES): $(call objects,tests/bench/trades.c tests/bench/incidents.c tests/bench/story.c) $(STATIC_LIB)
	$(call link,-pthread)
$(BENCH_KINDS): $(call objects,tests/bench/kinds.c tests/bench/anomalies.c tests/bench/story.c) $(STATIC_LIB)
	$(call link,)
.PHONY: bench-rate bench-trades bench-kinds bench-defaults figures
bench-rate: ## does a budget of alarms hold, for every kind over ten kinds of series; BENCH_ARGS='EVENTS METHODS'
	@$(SETUP) program
	+@$(SUBMAKE) $(BENCH_RATE)
	@$(BENCH_RATE) $(BENCH_ARGS)
bench-trades: ## false alarms and planted incidents of five trades; BENCH_ARGS='SEEDS TRADES', SEEDS 3 or 501-506
	@$(SETUP) program
	+@$(SUBMAKE) $(BENCH_TRADES)
	@$(BENCH_TRADES) $(BENCH_ARGS)
bench-kinds: ## which detector finds which kind of anomaly; BENCH_ARGS='--markdown SEEDS REST'
	@$(SETUP) program
	+@$(SUBMAKE) $(BENCH_KINDS)
	@$(BENCH_KINDS) $(BENCH_ARGS)
bench-defaults: ## what the program takes by itself, beside other methods, where there are no times; BENCH_ARGS=FIRST-SEED
	@$(SETUP) program
	+@$(SUBMAKE) program
	@$(or $(PYTHON),python3) tests/bench/defaults.py $(PROGRAM) $(BENCH_ARGS)
# The tables of choose.md, accuracy.md and methods.md in docs/, and the pictures of docs/knobs.md. The settings were chosen
# with the first stories, with those of HELD_OUT nothing was.
HELD_OUT = 501-506
INTO_PAGE = sh tests/bench/into_page.sh
TRADES_TABLE = awk $1 -f tests/bench/trades.awk $(BUILD)/trades.txt $(BUILD)/trades-held-out.txt
OF_CHOOSE = -v columns='chosen 1;chosen 2;program 1;program 2;today 1' \
            -v heads='chosen;... held out;nothing set;... held out;today'
OF_ACCURACY = -v columns='program 1;program 2;suggest 1;suggest 2;watch 1;z-score 1;z-auto 1;today 1' \
              -v heads='program;... held out;suggested;... held out;watch;z-score;z-score, `alarms=auto`;what people set today'
OF_METHODS = -v columns='strict 2;watch 2;distance 2;program 2' \
             -v heads='`watch`, `alarms=1/day`;`watch`, `alarms=auto`, `rest=150`;`mahalanobis`;what the program takes'
figures: python-installed ## makes the tables of choose.md, accuracy.md, methods.md and the pictures of knobs.md anew
	+@$(SUBMAKE) program $(BENCH_KINDS) $(BENCH_TRADES)
	@$(BENCH_KINDS) --markdown >$(BUILD)/kinds.md && $(INTO_PAGE) docs/choose.md bench-kinds <$(BUILD)/kinds.md
	@$(BENCH_TRADES) >$(BUILD)/trades.txt || test $$? = 1 # a bar that is missed is in the table
	@$(BENCH_TRADES) $(HELD_OUT) >$(BUILD)/trades-held-out.txt || test $$? = 1
	@$(call TRADES_TABLE,$(OF_CHOOSE)) | $(INTO_PAGE) docs/choose.md bench-trades
	@$(call TRADES_TABLE,$(OF_ACCURACY)) | $(INTO_PAGE) docs/accuracy.md bench-trades
	@$(call TRADES_TABLE,$(OF_METHODS)) | $(INTO_PAGE) docs/methods.md bench-trades
	@$(or $(PYTHON),python3) tests/bench/defaults.py $(PROGRAM) | $(INTO_PAGE) docs/methods.md bench-defaults
	@$$(find $(BUILD)/python -path '*/venv-*/bin/python') -B tests/bench/knobs.py docs/img
# DATA: a checkout of NAB; a directory of SET__NAME.npz.
.PHONY: bench-nab bench-vus
bench-nab: ## the Numenta Anomaly Benchmark in DATA=directory, a checkout of it; BENCH_ARGS='--sweep NAME=VALUE'
	@$(SETUP) program
	+@$(SUBMAKE) program
	@$(or $(PYTHON),python3) tests/bench/nab.py $(PROGRAM) '$(DATA)' $(BENCH_ARGS)
bench-vus: ## VUS-PR and incidents within a budget over DATA=directory of SET__NAME.npz; BENCH_ARGS=SETS; needs NumPy
	@$(SETUP) program
	+@$(SUBMAKE) program
	@$(or $(PYTHON),python3) tests/bench/vus.py $(PROGRAM) '$(DATA)' $(BENCH_ARGS)

# How well the forest finds: DATA is a directory of labelled streams, NAME.npz with X [n, d] and y [n].
$(BUILD)/tests/bench/accuracy: private override LDLIBS += -lz
$(addprefix $(BUILD)/tests/bench/,accuracy forest): %: %.o $(STATIC_LIB)
	$(call link,)
.PHONY: bench-accuracy bench-forest
bench-accuracy: ## the forest's ROC AUC and average precision over DATA=directory of NAME.npz; also in build/accuracy.json
	@$(SETUP) program
	+@$(SUBMAKE) $(BUILD)/tests/bench/accuracy
	@$(BUILD)/tests/bench/accuracy --json $(BUILD)/accuracy.json $(ACCURACY) '$(DATA)'
bench-forest: ## what an event costs the forest; tests/bench/forest_peers.py puts others beside it
	@$(SETUP) program
	+@$(SUBMAKE) $(BUILD)/tests/bench/forest
	@$(BUILD)/tests/bench/forest

# ---- bindings and examples: each folder has its own rules, if it needs any ----
include $(wildcard bindings/*/rules.mk examples/*/rules.mk)

# ---- ways of using it ----
DATA := examples/data
show = @echo; echo '$$ $1'; $1
.PHONY: run
run: ## build, then find the outliers of the sample files
	@$(SETUP) program
	+@$(SUBMAKE) program
	$(call show,$(PROGRAM) --whole -s robust=1 -t 3.5 $(DATA)/sensors.csv)
	$(call show,$(PROGRAM) --whole -s robust=1 -t 3.5 $(DATA)/metrics.json)
	$(call show,$(PROGRAM) --whole -s robust=1 -t 3.5 $(DATA)/network.txt)
	$(call show,$(PROGRAM) -w 30m -t 5 $(DATA)/server-day.csv)
	$(call show,$(PROGRAM) --whole -d iforest -s contamination=0.005 $(DATA)/machine.csv)

# ---- installation ----
# libanomaly.pc and the CMake package find their prefix from where they lie themselves, so that an installed tree can be moved.
from_own = $(if $(filter $(prefix)/%,$1),$2/$(shell realpath -m --relative-to='$1' '$(prefix)'),$(prefix))
from_prefix = $(patsubst $(prefix)/%,$${prefix}/%,$1)
D = '$(DESTDIR)$1'
# fill TEMPLATE PREFIX: into build/, under its own name
fill = $Qsed -e 's|@PREFIX@|$2|' -e 's|@LIBDIR@|$(call from_prefix,$(libdir))|' -e 's|@VERSION@|$(VERSION)|' \
	-e 's|@MAJOR@|$(MAJOR)|' -e 's|@INCLUDEDIR@|$(call from_prefix,$(includedir))|' pkgconfig/$1.in >$(BUILD)/$1
CMAKE_FILES := libanomalyConfig.cmake libanomalyConfigVersion.cmake

.PHONY: install uninstall dist
install: all ## libraries, header, program, manual pages, files for pkg-config and CMake to PREFIX (/usr/local), below DESTDIR
	@$(INSTALL) -d $(foreach dir,$(bindir) $(libdir) $(includedir) $(pkgconfigdir) $(cmakedir) $(mandir)/man1 $(mandir)/man3,$(call D,$(dir)))
	$(call say,INST,$(DESTDIR)$(prefix))
	$Q$(INSTALL) -m 755 $(PROGRAM) $(call D,$(bindir)/anomaly)
	$Q$(INSTALL) -m 644 include/anomaly.h $(call D,$(includedir)/anomaly.h)
	$Q$(INSTALL) -m 644 $(STATIC_LIB) $(call D,$(libdir)/libanomaly.a)
	$Q$(INSTALL) -m 755 $(SHARED_LIB).$(VERSION) $(call D,$(libdir)/libanomaly.so.$(VERSION))
	$Qln -sf libanomaly.so.$(VERSION) $(call D,$(libdir)/libanomaly.so.$(MAJOR))
	$Qln -sf libanomaly.so.$(MAJOR) $(call D,$(libdir)/libanomaly.so)
	$(call fill,libanomaly.pc,$(call from_own,$(pkgconfigdir),$${pcfiledir}))
	$Q$(INSTALL) -m 644 $(BUILD)/libanomaly.pc $(call D,$(pkgconfigdir)/libanomaly.pc)
	$(call fill,libanomalyConfig.cmake,$(call from_own,$(cmakedir),$${CMAKE_CURRENT_LIST_DIR}))
	$(call fill,libanomalyConfigVersion.cmake)
	$Q$(INSTALL) -m 644 $(addprefix $(BUILD)/,$(CMAKE_FILES)) $(call D,$(cmakedir))
	$Q$(INSTALL) -m 644 docs/man/anomaly.1 $(call D,$(mandir)/man1/anomaly.1)
	$Q$(INSTALL) -m 644 docs/man/libanomaly.3 $(call D,$(mandir)/man3/libanomaly.3)
	$Qtest -n '$(DESTDIR)' || test "$$(id -u)" -ne 0 || ldconfig 2>/dev/null || true

uninstall: ## removes what install put there
	$Qrm -f $(call D,$(bindir)/anomaly) $(call D,$(includedir)/anomaly.h) $(call D,$(libdir)/libanomaly.a) \
		$(call D,$(libdir)/libanomaly.so) $(call D,$(libdir)/libanomaly.so.$(MAJOR)) \
		$(call D,$(libdir)/libanomaly.so.$(VERSION)) $(call D,$(pkgconfigdir)/libanomaly.pc) \
		$(foreach file,$(CMAKE_FILES),$(call D,$(cmakedir)/$(file))) \
		$(call D,$(mandir)/man1/anomaly.1) $(call D,$(mandir)/man3/libanomaly.3)
	$Qrmdir $(call D,$(cmakedir)) 2>/dev/null || true

dist: ## a source archive of the committed tree, in dist/
	@mkdir -p dist
	$Qgit archive --prefix=libanomaly-$(VERSION)/ -o dist/libanomaly-$(VERSION).tar.gz HEAD
	@echo dist/libanomaly-$(VERSION).tar.gz

# ---- housekeeping ----
.PHONY: docs symbols format-check help clean
docs: ## the site, in build/site: the pages, the reference of C and Python, search; mkdocs comes by pip, into build/
	@$(SETUP) python
	+@$(SUBMAKE) python-installed
	@BUILD='$(BUILD)' docs/site/build.sh

symbols: $(SHARED_LIB) ## the symbols that the shared library exports
	@nm -D --defined-only $< | awk '$$2 != "A" { print $$3 }' | sort

format-check: ## compare the C files with .clang-format
	@command -v clang-format >/dev/null || { echo 'format-check: clang-format is not installed; not checked'; exit 0; }; \
	git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.* ## \(.*\)/  \1|\2/p' $(filter %akefile %.mk,$(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-19s %s\n", $$1, $$2 }'

clean: ## removes build/
	rm -rf $(BUILD)
