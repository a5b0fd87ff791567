-- SPDX-License-Identifier: MIT
-- Random calls with random and hostile arguments: fuzz.lua SEED CALLS. Nothing may crash (the address sanitizer watches), an
-- error is a string, and what is answered has the form the manual promises. Finalizers, the functions given to the module
-- and coroutines make calls of their own, on the very objects that are in use.
local anomaly = require "anomaly"
local seed, calls = tonumber(arg[1]) or 1, tonumber(arg[2]) or 10000

local unpack = table.unpack or unpack -- luacheck: ignore
local state = seed
local function random(n) -- 1 .. n, the same in every Lua
    state = (state * 16807) % 2147483647
    return math.floor(state / 7) % n + 1
end
for _ = 1, 10 do
    random(1)
end
local function one_of(list)
    return list[random(#list)]
end

local objects, snapshots = {}, {"", "ANOM"}
local current -- the object that is being called
local depth = 0
local budget = 0 -- of calls within the present one
local act

local function keep(list, value)
    list[#list < 12 and #list + 1 or random(12)] = value
end

local function action()
    return function(...)
        if depth < 3 and budget > 0 then
            act()
        end
        local what = random(9)
        if what == 1 then
            error("told to fail")
        elseif what == 2 then
            error({})
        elseif what == 3 then
            return nil, "stop"
        elseif what == 4 then
            coroutine.yield()
        elseif what == 5 then
            collectgarbage()
        elseif what == 6 then
            return ("x"):rep(random(100))
        elseif what == 7 then
            return (...)
        end
    end
end

local function with_finalizer()
    local f = action()
    local finalizer = function() pcall(f) end
    if newproxy then -- luacheck: ignore
        local proxy = newproxy(true) -- luacheck: ignore
        getmetatable(proxy).__gc = finalizer
        return proxy
    end
    return setmetatable({}, {__gc = finalizer})
end

local function damaged(bytes)
    local at = random(#bytes + 1)
    local how = random(3)
    if how == 1 then
        return bytes:sub(1, at - 1)
    elseif how == 2 then
        return bytes:sub(1, at - 1) .. string.char(random(256) - 1) .. bytes:sub(at + 1)
    end
    return bytes .. bytes:sub(at)
end

local numbers = {0, 1, 2, 3, 5, 7, 100, 1000, 65536, -1, .5, 1e9, 1.7e9, 1e18, 2 ^ 31, 2 ^ 53, 2 ^ 63, -2 ^ 63, 1e300,
    -1e300, 1e-320, 0 / 0, 1 / 0, -1 / 0}
local strings = {"", "a", "b", "1", "12.5", "-3", "300s", "5m,100", "normal", "upper", "fast", "zscore", "percentile",
    "iforest", "score", "anomaly", "flags", "events", "nobody", "\0", "a\0b", "12345678", ("x"):rep(16), ("\255"):rep(800),
    ("\0"):rep(2400), ("k"):rep(65535), ("k"):rep(65536), "1700000000.123456789", "9223372036.854775807"}
local names = {}
for _, kind in ipairs{"zscore", "percentile", "iforest"} do
    for _, option in ipairs(anomaly.options(kind)) do
        names[#names + 1] = option.name
    end
end
for _, name in ipairs{"max_keys", "max_bytes", "max_idle", "refuse", "shards", "hash_seed", "evicted", "before",
    "keep_keys"} do
    names[#names + 1] = name
end

local value
local function options()
    local t = {window = one_of{30, 50, 16, "10s", "1h,40"}, features = one_of{1, 1, 1, 1, 3}}
    if random(4) == 1 then
        t[one_of(names)] = value()
    end
    return t
end

local function limits()
    local t = {max_keys = one_of{1, 4, 100}, evicted = random(2) == 1 and action() or nil, refuse = random(8) == 1}
    if random(6) == 1 then
        t[one_of(names)] = value()
    end
    return t
end

local function numbers_table()
    local t = {}
    for i = 1, one_of{0, 1, 2, 3, 3, 10, 100} do
        t[i] = random(20) == 1 and value() or one_of(numbers)
    end
    return t
end

local function value_of(what)
    if what <= 5 then
        return one_of(numbers)
    elseif what <= 8 then
        return one_of(strings)
    elseif what == 9 then
        return numbers_table()
    elseif what == 10 then
        local t = {}
        for i = 1, random(4) do
            t[i] = value()
        end
        return t
    elseif what == 11 then
        return one_of(objects)
    elseif what == 12 then
        return action()
    elseif what == 13 then
        return damaged(one_of(snapshots))
    elseif what == 14 then
        return one_of{true, false, io.stdout, coroutine.create(action()), math.huge}
    elseif what == 15 then
        return setmetatable({}, {__index = action(), __newindex = action(), __len = function() return 2 ^ 40 end})
    elseif what == 16 then
        return one_of(snapshots)
    end
    return nil
end

function value()
    return value_of(random(18))
end

local detector_calls = {"update", "score", "learn", "advance", "update_rows", "score_rows", "learn_rows", "rebuild",
    "reserve", "reset", "set_threshold", "stats", "quantile", "explain", "counters", "config", "snapshot",
    "overdue", "close"}
local pool_calls = {"update", "update", "update", "update_rows", "slot", "find", "each", "overdue", "remove", "evict",
    "advance", "set_threshold", "config", "count", "usage", "counters", "snapshot", "export", "import", "close"}
local module_calls = {"new", "zscore", "percentile", "iforest", "restore", "pool", "restore_pool", "options",
    "memory_needed", "key_hash", "suggest", "flags", "status_text", "version"}
local keys = {"a", "b", "c", "d", "e", "f"}

local function x()
    if random(4) == 1 then
        return {one_of(numbers), one_of(numbers), random(100)}
    end
    return random(9) == 1 and numbers_table() or random(100)
end

local clock = 0
local function t()
    clock = clock + 1
    return random(9) == 1 and value() or clock
end

local function packed() -- columns, or rows of three
    local n = random(9)
    local function column()
        return ("\0\0\0\0\0\0\89\64"):rep(random(9) == 1 and random(200) or n)
    end
    return random(2) == 1 and {column(), column(), column()} or ("\0\0\0\0\0\0\240\63"):rep(3 * n),
        ("\0\0\0\0\1\0\0\0"):rep(n)
end

local function rows()
    if random(3) == 1 then
        return packed()
    end
    local n, values, times, named = random(9), {}, {}, {}
    for i = 1, n do
        values[i], times[i], named[i] = random(9), clock + i, one_of(keys)
    end
    return values, times, named
end

-- Arguments that mostly make sense, else any.
local sensible = {
    update = function(is_pool)
        if is_pool then
            return one_of(keys), x(), t(), random(2) == 1 and {} or nil
        end
        return x(), t(), random(2) == 1 and {} or nil
    end,
    update_rows = function(is_pool)
        local values, times, named = rows()
        if is_pool then
            return named, values, times
        end
        return values, times, {"score", "anomaly", one_of(strings)}
    end,
    quantile = function() return random(10) / 10 end,
    slot = function() return one_of(keys) end,
    snapshot = function() return random(2) == 1 and action() or nil end,
    import = function() return one_of(keys), random(3) == 1 and damaged(one_of(snapshots)) or one_of(snapshots) end,
    evict = function() return {keep_keys = random(5)} end,
    restore = function() return random(2) == 1 and one_of(snapshots) or damaged(one_of(snapshots)) end,
    restore_pool = function()
        return one_of{one_of(snapshots), damaged(one_of(snapshots)), action()}, nil, nil, random(2) == 1 and limits() or nil
    end,
    pool = function() return one_of{"zscore", "percentile", "iforest"}, options(), limits() end,
    zscore = options,
    percentile = options,
    iforest = options,
}
sensible.score, sensible.learn, sensible.explain = sensible.update, sensible.update, sensible.update
sensible.score_rows, sensible.learn_rows = sensible.update_rows, sensible.update_rows
sensible.find, sensible.remove, sensible.export = sensible.slot, sensible.slot, sensible.slot

local function arguments(name, is_pool)
    if sensible[name] and random(4) > 1 then
        return sensible[name](is_pool)
    end
    return value(), value(), value(), value()
end

local answered, raised, refused = 0, 0, 0
local function judge(good, first, second, third)
    if not good then
        assert(type(first) == "string" or type(first) == "table", "an error that is neither a string nor the script's own")
        raised = raised + 1
    elseif first == nil and second ~= nil then
        assert(type(second) == "string" and type(third) == "number", "not nil, message, code")
        refused = refused + 1
    else
        answered = answered + 1
        if type(first) == "string" and #first < 100000 then
            keep(snapshots, first)
        elseif type(first) == "userdata" and first ~= io.stdout then
            keep(objects, first)
        elseif type(first) == "function" and type(second) == "userdata" then
            for _ = 1, random(5) do
                local visited, key, d = pcall(first, second)
                if visited and d then
                    keep(objects, d)
                    assert(type(key) == "string")
                end
            end
        end
    end
end

local function call(f, ...)
    if random(8) > 1 then
        return judge(pcall(f, ...))
    end
    local co = coroutine.create(function(...) return f(...) end)
    local result = {coroutine.resume(co, ...)}
    if coroutine.status(co) == "dead" then
        judge(unpack(result, 1, 4))
    end
end

function act()
    depth = depth + 1
    budget = budget - 1
    local object = random(6) > 1 and one_of(objects) or nil
    if depth > 1 and random(2) == 1 then
        object = current
    end
    current = object
    if depth == 1 and random(4) == 1 then -- so that one of them runs while the next call makes its values
        for _ = 1, random(9) do
            with_finalizer()
        end
    end
    if not object then
        local name = one_of(module_calls)
        call(anomaly[name], arguments(name))
    elseif random(99) == 1 then -- as debug.getmetatable() allows, at any time
        local metatable = debug.getmetatable(object)
        call(metatable[one_of{"__gc", "__tostring", "__close"}], random(9) == 1 and value() or object)
    else
        local is_pool = tostring(object):find "^anomaly.pool"
        local name = one_of(random(9) > 1 == (is_pool ~= nil) and pool_calls or detector_calls)
        local method = object[name]
        if method and (name ~= "close" or random(4) == 1) then
            local self = random(30) == 1 and value() or object
            call(method, self, arguments(name, is_pool))
        end
    end
    depth = depth - 1
end

collectgarbage("setpause", 10)
collectgarbage("setstepmul", 1000)
for i = 1, calls do
    depth, budget = 0, 20
    if not next(objects) or i % 50 == 0 then
        call(anomaly.pool, "zscore", {window = 30}, limits())
        call(anomaly[one_of{"zscore", "percentile", "iforest"}], options())
        depth = 0
    end
    act()
end
objects = nil
collectgarbage()
collectgarbage()
print(("seed %d: %d calls answered, %d raised, %d nil with a message"):format(seed, answered, raised, refused))
assert(answered > calls / 5)
