# SPDX-License-Identifier: MIT
# The Lua module, one for each Lua that is installed: build/lua5.4/anomaly.so. docs/lua.md tells how to use it.
#
# LUA=lua5.4 picks one (or several); LUA_CFLAGS says where its headers are, if pkg-config does not know.

LUAS := lua5.1 lua5.2 lua5.3 lua5.4 luajit
lua_cflags = $(patsubst -I%,-isystem %,$(or $(LUA_CFLAGS),$(shell pkg-config --cflags $1 2>/dev/null)))
lua_installed = $(shell for lua in $(LUAS); do pkg-config --exists $$lua 2>/dev/null && echo $$lua; done)
LUA ?= $(lua_installed)
# Where Lua looks for modules in C, LUA_DIR if given. LuaJIT says that it is Lua 5.1, and takes its modules.
lua_version = $(or $(filter 5.%,$(patsubst lua%,%,$1)),$(shell $1 -e 'io.write(_VERSION:match("[%d.]+"))'))
lua_dir = $(or $(LUA_DIR),$(libdir)/lua/$(call lua_version,$1))

lua_share = $(prefix)/share/lua/5.1
lua_jits = $(filter luajit%,$(LUA))

# The module's files joined into one, which may be dropped into the build of a host as well.
LUA_SRC = $(BUILD)/lua/anomaly.c

.PHONY: lua install-lua uninstall-lua
lua: ## the Lua module for every Lua that is installed, or for LUA=lua5.4
	@$(if $(strip $(LUA)),,echo 'lua: no Lua with its headers is installed; tests/setup.sh lua installs them all' >&2; exit 2)
	+@$(SUBMAKE) $(foreach lua,$(LUA),$(BUILD)/$(lua)/anomaly.so) $(addsuffix /anomaly_ffi.lua,$(addprefix $(BUILD)/,$(lua_jits)))

$(LUA_SRC): bindings/lua/join.awk $(wildcard bindings/lua/src/*)
	$(call say,JOIN,$@)
	@mkdir -p $(@D)
	$Qawk -f $< bindings/lua/src/module.c >$@

# Each is built anew when it is to be for other headers.
.PRECIOUS: $(BUILD)/%/lua-flags
$(BUILD)/%/lua-flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(call lua_cflags,$*)) | cmp -s - $@ || printf '%s\n' $(call quote,$(call lua_cflags,$*)) >$@

$(BUILD)/%/anomaly.so: $(LUA_SRC) bindings/lua/anomaly.map $(STATIC_LIB) $(BUILD)/flags $(BUILD)/%/lua-flags
	$(call say,LUA,$@)
	$Q$(CC) $(ALL_CPPFLAGS) $(call lua_cflags,$*) $(ALL_CFLAGS) $(LDFLAGS) -shared \
		-Wl,--version-script=bindings/lua/anomaly.map -Wl,-Bsymbolic-functions -o $@ $(LUA_SRC) $(STATIC_LIB) $(LDLIBS) -lm

$(BUILD)/%/anomaly_ffi.lua: bindings/lua/anomaly_ffi.lua include/anomaly.h
	$(call say,FFI,$@)
	@mkdir -p $(@D)
	$Q$(CC) -E -P -DANOMALY_CDEF -DANOMALY_API= include/anomaly.h >$@.h
	$Qsed -e '/@DECLARATIONS@/r $@.h' -e '/@DECLARATIONS@/d' $< >$@
	@rm -f $@.h

install-lua: lua ## the Lua modules to PREFIX/lib/lua/VERSION/, below DESTDIR; LUA=lua5.4 picks
	$(foreach lua,$(LUA),$(call say,INST,$(call D,$(call lua_dir,$(lua))/anomaly.so))$(newline)\
	$Q$(INSTALL) -d $(call D,$(call lua_dir,$(lua)))$(newline)\
	$Q$(INSTALL) -m 755 $(BUILD)/$(lua)/anomaly.so $(call D,$(call lua_dir,$(lua))/anomaly.so)$(newline))
	$(if $(lua_jits),$Q$(INSTALL) -d $(call D,$(lua_share)))
	$(if $(lua_jits),$Q$(INSTALL) -m 644 $(BUILD)/$(firstword $(lua_jits))/anomaly_ffi.lua $(call D,$(lua_share)/anomaly_ffi.lua))

uninstall-lua: ## removes what install-lua put there
	$Qrm -f $(call D,$(lua_share)/anomaly_ffi.lua) $(foreach lua,$(or $(LUA),$(LUAS)),$(call D,$(call lua_dir,$(lua))/anomaly.so))

.PHONY: check-lua
check-lua: ## the Lua module's tests under the address and undefined-behaviour sanitizers; FUZZ_CALLS random calls (20000)
	@$(SETUP) tests lua
	+@FUZZ_CALLS='$(or $(FUZZ_CALLS),20000)' SAN=address,undefined BUILD='$(BUILD)/asan' MAKE='$(MAKE)' CC='$(CC)' bindings/lua/tests/run.sh

.PHONY: bench-lua
bench-lua: ## what an event costs from each Lua, beside C in the same run
	@$(SETUP) lua
	+@$(SUBMAKE) lua
	@BUILD='$(BUILD)' CC='$(CC)' bindings/lua/bench/per_event.sh
