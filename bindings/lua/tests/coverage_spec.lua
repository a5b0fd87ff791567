-- SPDX-License-Identifier: MIT
-- Everything that include/anomaly.h has is reachable from Lua or listed here as left out on purpose; the manual and the
-- types list what the module has, and nothing else.
local anomaly = require "anomaly"

local left_out = {
    anomaly_destroy = "close() and the collector",
    anomaly_needs_times = "a time that is missing is told",
    anomaly_kind_at = "kinds()",
    anomaly_option_at = "options()",
    anomaly_config_set = "options are tables",
    anomaly_config_get = "config()",
    anomaly_config_init = "options are tables",
    anomaly_pool_destroy = "close() and the collector",
    anomaly_pool_options_init = "limits are tables",
    anomaly_pool_with = "pool:slot() has every call of a detector",
    anomaly_snapshot_size = "strings know their size",
    anomaly_pool_snapshot_size = "strings know their size",
}
-- C's name, where Lua's is not what is left without anomaly_ or anomaly_pool_.
local renamed = {
    anomaly_create = "new",
    anomaly_get_config = "config",
    anomaly_window_stats = "stats",
    anomaly_snapshot_write = "snapshot",
    anomaly_pool_create = "pool",
    anomaly_pool_update_at = "update",
    anomaly_pool_get_config = "config",
    anomaly_pool_snapshot_write = "snapshot",
    anomaly_pool_restore = "restore_pool",
    anomaly_pool_restore_read = "restore_pool",
}

local function text_of(path)
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    return text
end

local header = text_of "include/anomaly.h"
local source = text_of((os.getenv "BUILD" or "build") .. "/lua/anomaly.c")
local manual, types = text_of "docs/lua.md", text_of "bindings/lua/library/anomaly.lua"
local declarations = header:gsub("/%*.-%*/", "")

local function methods_of(object)
    return debug.getmetatable(object).__index
end

local detector, pool = methods_of(anomaly.zscore()), methods_of(anomaly.pool("zscore"))

local function sorted(set)
    local list = {}
    for name in pairs(set) do
        list[#list + 1] = name
    end
    table.sort(list)
    return list
end

describe("the header", function()
    it("has no function that Lua has not", function()
        local count = 0
        for name in declarations:gmatch "ANOMALY_API[^;]-(anomaly_[%w_]+)%(" do
            count = count + 1
            local of_pool = name:match "^anomaly_pool_(.*)"
            local lua = renamed[name] or of_pool or name:match "^anomaly_(.*)"
            local found = anomaly[lua] or (of_pool and pool or detector)[lua]
            assert(left_out[name] or found, name .. " is not in Lua")
            assert(source:find("[^%w_]" .. name .. "[^%w_]"), name .. " is not called")
        end
        assert.is_true(count > 50)
    end)

    for enum, value_pattern in pairs{anomaly_flag = "0x%x+", anomaly_status = "%-?%d+"} do
        it("has no " .. enum .. " that Lua has not", function()
            local body, count = declarations:match("enum " .. enum .. " {(.-)}"), 0
            for name, value in body:gmatch("ANOMALY_(%u[%u_]*)%s*=%s*(" .. value_pattern .. ")") do
                count = count + 1
                assert.equal(tonumber(value), anomaly[name])
            end
            assert.is_true(count > 10)
        end)
    end

    it("has no option that Lua does not set and tell", function()
        local documented = {}
        for name in header:match("typedef struct anomaly_config {(.-)} anomaly_config;"):gmatch "%[([%l_]+)%]" do
            documented[name] = true
        end
        local settable = {}
        for _, kind in ipairs(anomaly.kinds()) do
            for _, option in ipairs(anomaly.options(kind.name)) do
                settable[option.name] = true
                local d = assert(anomaly.new(kind.name, {[option.name] = option.default}))
                assert.equal(option.default, d:config()[option.name])
                assert(types:find("---@field " .. option.name .. "? ", 1, true), option.name .. " is not in the types")
            end
        end
        assert.same(sorted(documented), sorted(settable))
    end)

    it("has no limit of pools that Lua has not", function()
        local deliberately = {struct_size = true, locks = true, evicting_ctx = true}
        local lua = {max_idle_ns = "max_idle", evicting = "evicted"}
        local body = declarations:match "typedef struct anomaly_pool_options {(.-)} anomaly_pool_options;"
        local limits = {max_keys = 10, max_bytes = 1e6, max_idle = "1h", refuse = true, shards = 1, hash_seed = 7,
            evicted = function() end}
        assert(anomaly.pool("zscore", nil, limits))
        for field in body:gmatch "([%w_]+)%)?%([^;]*;" do
            assert(limits[lua[field] or field], field)
        end
        for field in body:gmatch "([%w_]+);" do
            assert(deliberately[field] or limits[lua[field] or field], field)
        end
    end)

    it("has no field of a verdict, of statistics, counters or usage that Lua has not", function()
        local d, p = anomaly.zscore(), anomaly.pool("zscore")
        for struct, value in pairs{verdict = d:update(1), stats = d:stats(), counts = d:counters(), usage = p:usage()} do
            local fields = {anomaly = struct == "verdict" or nil}
            local body = declarations:match("typedef struct anomaly_" .. struct .. " {(.-)} anomaly_" .. struct)
            for name in body:gmatch "([%w_]+);" do
                fields[name] = true
            end
            assert.same(sorted(fields), sorted(value))
        end
    end)
end)

describe("the types", function()
    local function declared(pattern)
        local names = {}
        for name in types:gmatch(pattern) do
            names[name] = true
        end
        return sorted(names)
    end

    it("are those of the module", function()
        local functions, constants = {}, {}
        for name, value in pairs(anomaly) do
            (type(value) == "function" and functions or constants)[name] = true
        end
        assert.same(sorted(functions), declared "\nfunction anomaly%.([%w_]+)")
        assert.same(sorted(constants), declared "%-%-%-@field (%u[%u_]*) integer")
        assert.same(sorted(detector), declared "\nfunction detector:([%w_]+)")
        assert.same(sorted(pool), declared "\nfunction pool:([%w_]+)")
    end)

    it("are Lua", function()
        assert((loadstring or load)(types)) -- luacheck: ignore
    end)
end)

describe("the manual", function()
    it("has every function", function()
        for _, name in ipairs(sorted(detector)) do
            assert(manual:find("d:" .. name .. "(", 1, true), "d:" .. name)
        end
        for _, name in ipairs(sorted(pool)) do
            assert(manual:find("pool:" .. name .. "[({]"), "pool:" .. name)
        end
        for _, name in ipairs(sorted(anomaly)) do
            assert(type(anomaly[name]) ~= "function" or manual:find("anomaly." .. name .. "(", 1, true), "anomaly." .. name)
        end
    end)
end)
