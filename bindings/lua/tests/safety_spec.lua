-- SPDX-License-Identifier: MIT
-- What a script may do at the wrong moment. Meant to be run under the address sanitizer as well (make check-lua).
local anomaly = require "anomaly"

-- Garbage whose finalizer is `f`, and a collector that is eager to run it.
local function garbage(f)
    if newproxy then -- luacheck: ignore
        getmetatable(newproxy(true)).__gc = f -- luacheck: ignore
    else
        setmetatable({}, {__gc = f})
    end
end

-- Calls d[method](d, ...) again and again while finalizers do `harm` to d; they can run only where the call makes a value.
-- Has one?
local function harmed(make, harm, method, ...)
    local hits, rounds = 0, 0
    -- The collector stands still while the garbage is made, then does a whole cycle at each step: within the calls.
    local pause, pace = collectgarbage("setpause", 10), collectgarbage("setstepmul", 100000)
    while hits < 3 and rounds < 1000 do
        rounds = rounds + 1
        collectgarbage("stop")
        local d, inside = make(), false
        local call, before = d[method], hits
        for _ = 1, 20 + rounds * 17 % 61 do -- not always as many, or the collector may always come between the calls
            garbage(function()
                if inside then
                    hits = hits + 1
                    harm(d)
                end
            end)
        end
        inside = true
        collectgarbage("restart")
        for _ = 1, 500 do
            pcall(call, d, ...)
            if hits > before + 1 then
                break
            end
        end
        inside = false
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", pace)
    return hits > 0
end

local function forest()
    local d = anomaly.iforest{features = 2, window = 50, warmup = 10, sample = 8, trees = 1, contamination = 0}
    for i = 1, 40 do
        d:learn({i % 7, i % 11})
    end
    return d
end

local function zscore()
    local d = anomaly.zscore{window = 10000, features = 2}
    for i = 1, 20 do
        d:learn({i, -i})
    end
    return d
end

local function pool()
    local p = anomaly.pool("zscore", {window = 100, features = 2})
    for i = 1, 20 do
        p:update("m" .. i, {i, i})
    end
    return p
end

local function key()
    return pool():slot("m1")
end

local function close(d)
    d:close()
end

local function collect(d) -- as only debug can
    debug.getmetatable(d).__gc(d)
end

describe("a finalizer that runs within a call", function()
    local row = {{1, 2}, {3, 4}, {5, 6}}
    local cases = {
        {zscore, "update", {1, 2}},
        {zscore, "score", {1, 2}},
        {zscore, "update_rows", row},
        {zscore, "snapshot"},
        {zscore, "config"},
        {forest, "explain", {1, 2}},
        {pool, "update", "m1", {1, 2}},
        {pool, "update_rows", {"m1", "m2", "new"}, row},
        {pool, "snapshot"},
        {pool, "export", "m1"},
        {pool, "slot", "m1"},
        {pool, "each"},
        {key, "update", {1, 2}},
        {key, "update_rows", row},
        {key, "snapshot"},
    }
    for _, case in ipairs(cases) do
        it(("may close what %s is called on"):format(case[2]), function()
            local closed = harmed(case[1], close, case[2], case[3], case[4])
            local collected = harmed(case[1], collect, case[2], case[3], case[4])
            assert.is_true(closed or collected) -- some collectors rarely come within the smallest calls
        end)
    end

    it("may feed what is being saved", function()
        local function feed(d)
            for i = 1, 50 do
                d:learn({i, i})
            end
        end
        local i = 0
        local function add(p)
            i = i + 1
            p:update("new" .. i, {1, 1})
        end
        assert.is_true(harmed(zscore, feed, "snapshot"))
        assert.is_true(harmed(pool, add, "snapshot"))
        assert.is_true(harmed(pool, add, "each"))
    end)

    it("may shorten the tables that are being read", function()
        local values, times, keys = {}, {}, {}
        local function fill()
            for i = 1, 50 do
                values[i], times[i], keys[i] = {i, i}, i, ("k"):rep(100) .. i
            end
        end
        local function empty()
            for i = 1, 50 do
                values[i], times[i], keys[i] = nil, nil, nil
            end
            collectgarbage()
        end
        local function make()
            fill()
            return pool()
        end
        assert.is_true(harmed(make, empty, "update_rows", keys, values, times))
    end)
end)

describe("the function of a snapshot", function()
    for name, make in pairs{detector = zscore, pool = pool, key = key} do
        it("may not call its " .. name, function()
            local d, refused = make(), 0
            local ok, message = d:snapshot(function()
                for _, method in ipairs{"update", "stats", "each", "snapshot", "close", "reset", "remove", "config"} do
                    if d[method] then
                        local _, why = pcall(d[method], d, name == "pool" and method ~= "snapshot" and "m1" or nil)
                        assert.matches("no call from inside the function that the snapshot goes to", why)
                        refused = refused + 1
                    end
                end
                tostring(d)
            end)
            assert.is_true(ok, message)
            assert.is_true(refused >= 5)
            assert.is_true((d:snapshot(function() collect(d) end)))
        end)

        it("may fail, yield and collect: " .. name, function()
            local d = make()
            assert.has_error(function() d:snapshot(function() error("told to", 0) end) end, "told to")
            local thrown = {}
            local _, caught = pcall(d.snapshot, d, function() error(thrown) end)
            assert.equal(thrown, caught)
            local co = coroutine.wrap(function() return pcall(d.snapshot, d, coroutine.yield) end)
            assert.is_false((co()))
            assert.is_true(d:snapshot(function() collectgarbage() end))
            assert.is_true(#d:snapshot() > 100)
        end)
    end

    it("gives at most what it is asked for, and strings", function()
        local bytes = pool():snapshot()
        assert.has_error(function() anomaly.restore_pool(function(n) return ("x"):rep(n + 1) end) end)
        assert.has_error(function() anomaly.restore_pool(function() return 7 end) end)
        assert.has_error(function() anomaly.restore_pool(error) end)
        assert.equal(anomaly.E_CORRUPT, select(3, anomaly.restore_pool(function() end)))
        assert.same({nil, "gone", anomaly.E_STOPPED}, {anomaly.restore_pool(function() return nil, "gone" end)})
        assert.same({nil, "7", anomaly.E_STOPPED}, {anomaly.restore_pool(function() return nil, 7 end)})
        local at = 0
        assert.truthy(anomaly.restore_pool(function() at = at + 1 return bytes:sub(at, at) end)) -- byte by byte
    end)
end)

describe("the function that is told of evictions", function()
    local function evicting(f)
        local p
        p = anomaly.pool("zscore", {window = 30}, {max_keys = 2, evicted = function(...) return f(p, ...) end})
        p:update("a", 1)
        p:update("b", 1)
        return p
    end

    it("may use the pool, whose evictions are told in turn", function()
        local told = {}
        local p = evicting(function(p, k)
            told[#told + 1] = k
            if k == "a" then
                p:update("again", 1)
            end
        end)
        assert.equal(1, p:update("c", 1).feature)
        assert.same({"a", "b"}, told)
        assert.equal(2, #p)
    end)

    it("may close the pool", function()
        local p = evicting(close)
        assert.equal(1, p:update("c", 1).feature)
        assert.has_error(function() p:update("c", 1) end)
        p = evicting(collect)
        assert.equal(1, p:update("c", 1).feature)
        local d = evicting(function() end):slot("a")
        assert.has_no_error(function() d:update(1) end)
    end)

    it("may fail: the error comes out, and no eviction is told twice or lost", function()
        local told = {}
        local p = evicting(function(_, k)
            told[#told + 1] = k
            error("told " .. k, 0)
        end)
        assert.has_error(function() p:evict{keep_keys = 0} end, "told a")
        assert.has_error(function() p:update("c", 1) end, "told b")
        assert.equal(1, p:update("c", 1).feature)
        assert.same({"a", "b"}, told)
    end)

    it("cannot yield", function()
        local p = evicting(coroutine.yield)
        local co = coroutine.wrap(function() return pcall(p.update, p, "c", 1) end)
        assert.is_false((co()))
    end)
end)

describe("arguments", function()
    local methods = {update = {1}, score = {1}, stats = {}, snapshot = {}, close = {}, update_rows = {{1}}}

    it("of another type are refused by every method, with their name", function()
        local d, p = anomaly.zscore(), anomaly.pool("zscore")
        for name in pairs(methods) do
            for _, self in ipairs{p, io.stdout, 1, "x", {}, print, coroutine.create(function() end)} do
                assert.has_error(function() d[name](self, 1) end)
            end
            local _, why = pcall(d[name])
            assert.matches("self: anomaly.detector expected, got no value", why)
            if p[name] then
                assert.has_error(function() p[name](d, 1) end)
            end
        end
        assert.has_error(function() d:update() end, "bad argument #1 to 'update' (x: number expected, got nil)")
        assert.has_error(function() d:update("7") end, "bad argument #1 to 'update' (x: number expected, got string)")
        assert.has_error(function() d:update(7, nil, 7) end,
            "bad argument #3 to 'update' (verdict: table expected, got number)")
        assert.has_error(function() p:update(7, 7) end,
            "bad argument #1 to 'update' (key: string expected, got number)")
        assert.has_error(function() anomaly.zscore(7) end,
            "bad argument #1 to 'zscore' (options: table expected, got number)")
        assert.has_error(function() d:stats(2) end, "bad argument #1 to 'stats' (feature: 1 to 1 expected)")
        assert.has_error(function() d:quantile(1.5) end, "bad argument #1 to 'quantile' (q: a number from 0 to 1 expected)")
        assert.has_error(function() d:set_threshold(1 / 0) end)
        for _, one in ipairs {anomaly.iforest(), anomaly.pool("iforest")} do
            local fine, message = pcall(one.set_threshold, one, 0)
            assert.is_false(fine)
            assert.is_truthy(message:find("threshold: a forest's is not 0", 1, true), message)
        end
        assert.equal(0, d:counters().events)
    end)

    it("after close are refused", function()
        local d = anomaly.zscore()
        d:close()
        d:close()
        for name, arguments in pairs(methods) do
            if name ~= "close" then
                assert.has_error(function() d[name](d, arguments[1]) end)
            end
        end
    end)

    it("that are columns must be as long as each other", function()
        local d = anomaly.zscore{features = 2}
        assert.has_error(function() d:update_rows({("x"):rep(8000), ("x"):rep(8)}) end,
            "bad argument #1 to 'update_rows' (values[2]: a string as long as the first expected)")
        assert.has_error(function() d:update_rows({("x"):rep(8)}) end)
        assert.has_error(function() d:update_rows(("x"):rep(8)) end)
        assert.has_error(function() d:update_rows({("x"):rep(8), 3}) end)
    end)

    it("with metamethods run none of them", function()
        local function fail()
            error("a metamethod ran")
        end
        local trap = {__index = fail, __newindex = fail, __len = fail, __tostring = fail, __call = fail}
        local d, v = anomaly.zscore(setmetatable({window = 50}, trap)), setmetatable({}, trap)
        assert.equal(v, d:update(1, nil, v))
        assert.truthy(d:update_rows(setmetatable({1, 2}, trap), nil, setmetatable({"score"}, trap)))
        assert.has_error(function() d:update(setmetatable({}, trap)) end)
    end)

    it("that ask for the impossible answer", function()
        assert.has_error(function() anomaly.zscore{window = 2 ^ 60} end)
        assert.has_error(function() anomaly.zscore{features = 5000} end)
        assert.has_error(function() anomaly.zscore{[1] = 2} end, "options go by name: {name = value}, not by number")
        assert.has_error(function() anomaly.zscore{window = {}} end,
            "option 'window': a string, number or boolean expected, got table")
    end)

    it("are not cut short by a NUL byte", function()
        local d, bytes = anomaly.zscore(), pool():snapshot()
        assert.has_error(function() anomaly.zscore{["window\0x"] = 50} end, "option name: a NUL byte after 'window'")
        assert.has_error(function() anomaly.zscore{window = "50\0x"} end, "option 'window': a NUL byte after '50'")
        assert.has_error(function() anomaly.new("zscore\0x") end,
            "bad argument #1 to 'new' (kind: a NUL byte after 'zscore')")
        assert.has_error(function() anomaly.pool("zscore", {}, {["max_keys\0x"] = 5}) end,
            "option name: a NUL byte after 'max_keys'")
        assert.has_error(function() anomaly.pool("zscore", {}, {max_idle = "1h\0x"}) end,
            "option 'max_idle': a NUL byte after '1h'")
        assert.has_error(function() d:update_rows({1}, nil, {"score\0x"}) end,
            "bad argument #3 to 'update_rows' (columns: a NUL byte after 'score')")
        assert.has_error(function() d:advance("5\0x") end)
        assert.same({nil, "gone\0x", anomaly.E_STOPPED}, {anomaly.restore_pool(function() return nil, "gone\0x" end)})
        assert.truthy(anomaly.restore_pool(bytes):find("m1"))
        assert.same({nil, anomaly.E_NOTFOUND}, {(anomaly.restore_pool(bytes):find("m1\0x")),
            (select(3, anomaly.restore_pool(bytes):find("m1\0x")))})
    end)
end)

describe("snapshots", function()
    it("may be any bytes", function()
        for _, bytes in ipairs{zscore():snapshot(), pool():snapshot()} do
            for at = 1, #bytes, 7 do
                local damaged = bytes:sub(1, at - 1) .. string.char((bytes:byte(at) + 1) % 256) .. bytes:sub(at + 1)
                assert.is_nil((anomaly.restore(damaged)))
                assert.is_nil((anomaly.restore_pool(damaged)))
                assert.is_nil((anomaly.restore(bytes:sub(1, at - 1))))
                assert.is_nil((anomaly.restore_pool(bytes:sub(1, at - 1))))
            end
        end
    end)
end)
