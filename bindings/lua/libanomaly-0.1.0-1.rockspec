-- Builds from the tree it lies in, from its top:  luarocks make bindings/lua/libanomaly-0.1.0-1.rockspec
rockspec_format = "3.0"
package = "libanomaly"
version = "0.1.0-1"
source = {url = "git+file://."}
description = {
    summary = "Event by event, is something off? z-score, percentile and isolation forest over sliding windows",
    license = "MIT",
}
dependencies = {"lua >= 5.1, < 5.5"}
build = {
    type = "make",
    build_target = "lua",
    build_variables = {BUILD = "build/rock", LUA = "lua", LUA_CFLAGS = "-I$(LUA_INCDIR)", CFLAGS = "-O3"},
    install_target = "install-lua",
    install_variables = {
        BUILD = "build/rock",
        LUA = "lua",
        LUA_CFLAGS = "-I$(LUA_INCDIR)",
        CFLAGS = "-O3",
        LUA_DIR = "$(LIBDIR)",
    },
}
