-- SPDX-License-Identifier: MIT
local anomaly = require "anomaly"

local function filled(limits)
    local pool = anomaly.pool("zscore", {window = 30}, limits)
    for i = 0, 29 do
        for key = 1, 5 do
            pool:update("m" .. key, 50 + (i + key) % 10)
        end
    end
    return pool
end

describe("a pool", function()
    it("judges each key by itself (S15)", function()
        local pool, v, found = anomaly.pool("zscore", {window = 30}), {}, {}
        for i = 0, 39 do
            for key = 1, 20 do
                local name = ("m%02d"):format(key)
                local odd = i == 30 and (name == "m07" or name == "m13")
                pool:update(name, odd and 95 or 50 + i % 10, nil, v)
                if v.anomaly then
                    found[#found + 1] = ("%s %d %.6f"):format(name, i, v.score)
                end
            end
        end
        assert.same({"m07 30 13.863294", "m13 30 13.863294"}, found)
        assert.equal(20, #pool)
        assert.equal(800, pool:counters().events)
    end)

    it("hands out a key's detector, for every call but those of a pool", function()
        local pool = filled()
        local d = assert(pool:find("m3"))
        assert.equal(30, d:stats().count)
        assert.is_true(d:score(95).anomaly)
        assert.is_true(d:update(95).anomaly)
        assert.is_true(d:learn(50))
        assert.is_true(d:advance(1))
        assert.is_true(d:reserve())
        assert.is_true(d:rebuild())
        assert.is_true(d:set_threshold(99))
        assert.equal(99, d:config().threshold)
        assert.equal(31, d:counters().events)
        assert.equal(pool:export("m3"), d:snapshot())
        assert.is_true(d:reset())
        assert.equal(0, d:stats().count)
        assert.equal(2, #d:update_rows({1, 2}).score)
        assert.equal("anomaly.detector: zscore, window=30, threshold=99", tostring(d))
    end)

    it("never takes another key for one that is gone", function()
        local pool = filled()
        local d = pool:slot("m1")
        assert.is_true(pool:remove("m1"))
        pool:update("m9", 1)
        assert.same({nil, "not found", anomaly.E_NOTFOUND}, {d:update(1)})
        assert.same({nil, "not found", anomaly.E_NOTFOUND}, {d:stats()})
        assert.same({nil, "not found", anomaly.E_NOTFOUND}, {pool:find("m1")})
        assert.same({nil, "not found", anomaly.E_NOTFOUND}, {pool:remove("m1")})
    end)

    it("keys and their detectors outlive a closed pool without harm", function()
        local pool = filled()
        local d = pool:slot("m1")
        pool:close()
        pool:close()
        assert.has_error(function() d:update(1) end)
        assert.has_error(function() return #pool end)
        assert.equal("anomaly.pool: closed", tostring(pool))
        d:close()
        d:close()
        assert.has_error(function() d:update(1) end)
    end)

    it("a key's detector keeps its pool", function()
        local d = filled():slot("m1")
        collectgarbage()
        collectgarbage()
        assert.equal(30, d:stats().count)
    end)

    it("visits every key, and may be changed meanwhile", function()
        local pool, seen = filled(), {}
        for key, d in pool:each() do
            seen[#seen + 1] = key
            assert.equal(30, d:stats().count)
            pool:remove(key)
            pool:update("new " .. key, 1)
        end
        table.sort(seen)
        assert.same({"m1", "m2", "m3", "m4", "m5"}, seen)
        assert.equal(5, pool:count())
    end)

    it("tells of evictions, with what brings the key back", function()
        local pool, gone
        gone = {}
        pool = anomaly.pool("zscore", {window = 30}, {
            max_keys = 4,
            evicted = function(key, snapshot) gone[#gone + 1] = {key, snapshot} end,
        })
        for i = 1, 6 do
            pool:update("k" .. i, i)
        end
        assert.equal(2, #gone)
        assert.equal("k1", gone[1][1])
        assert.equal(1, anomaly.restore(gone[1][2]):stats().mean)
        assert.is_true(pool:import("k1", gone[1][2]))
        assert.equal("k3", gone[3][1])
        assert.equal(1, pool:find("k1"):stats().count)
        assert.equal(2, pool:evict{keep_keys = 2})
        assert.equal(5, #gone)
    end)

    it("refuses instead, if it is told to", function()
        local pool = anomaly.pool("zscore", nil, {max_keys = 2, refuse = true})
        pool:update("a", 1)
        pool:update("b", 1)
        local v, message, code = pool:update("c", 1)
        assert.is_nil(v)
        assert.is_string(message)
        assert.equal(anomaly.E_FULL, code)
    end)

    it("evicts by age", function()
        local pool = anomaly.pool("zscore", {window = "1h"})
        for i = 1, 10 do
            pool:update("k" .. i, 1, i)
        end
        assert.equal(4, pool:evict{before = 5})
        assert.equal(6, #pool)
        assert.is_true(pool:advance("100000"))
        assert.equal(0, pool:find("k7"):stats().count)
        local usage = pool:usage()
        assert.equal(4, usage.evicted)
        assert.equal(6, usage.keys)
    end)

    it("goes on from a snapshot, whole or in pieces", function()
        local pool, pieces = filled(), {}
        assert.is_true(pool:snapshot(function(bytes) pieces[#pieces + 1] = bytes end))
        local whole = pool:snapshot()
        assert.equal(whole, table.concat(pieces))
        local at = 0
        local streamed = assert(anomaly.restore_pool(function(size)
            at = at + size
            return whole:sub(at - size + 1, at)
        end))
        for _, again in ipairs{assert(anomaly.restore_pool(whole)), streamed} do
            assert.equal(5, #again)
            assert.equal(pool:export("m2"), again:export("m2"))
        end
    end)

    it("goes on with another threshold, and refuses another window by name", function()
        local bytes = filled():snapshot()
        local pool = assert(anomaly.restore_pool(bytes, "zscore", {window = 30, threshold = 50}, {max_keys = 100}))
        assert.is_false(pool:find("m1"):score(95).anomaly)
        local none, message, code = anomaly.restore_pool(bytes, "zscore", {window = 31})
        assert.is_nil(none)
        assert.matches("window", message)
        assert.equal(anomaly.E_CONFIG, code)
    end)

    it("takes rows of mixed keys, or of their detectors", function()
        local one, two = filled(), filled()
        local keys = {"m1", "m2", "m1", "new"}
        local rows = one:update_rows(keys, {95, 50, 95, 1})
        assert.same({true, false, true, false}, rows.anomaly)
        local slots = {}
        for i, key in ipairs(keys) do
            slots[i] = two:slot(key)
        end
        assert.same(rows.anomaly, two:update_rows(slots, {95, 50, 95, 1}).anomaly)
        assert.equal(one:export("m1"), two:export("m1"))
        slots[2] = one:slot("m2")
        assert.has_error(function() two:update_rows(slots, {1, 2, 3, 4}) end,
            "bad argument #1 to 'update_rows' (keys[2]: a key's detector of this pool expected)")
        assert.has_error(function() one:update_rows({"a", ""}, {1, 2}) end,
            "bad argument #1 to 'update_rows' (keys[2]: a string of 1 to 65535 bytes expected)")
    end)

    it("refuses an empty key", function()
        assert.has_error(function() filled():update("", 1) end,
            "bad argument #1 to 'update' (key: 1 to 65535 bytes expected)")
        assert.has_error(function() filled():update(("x"):rep(65536), 1) end)
        assert.truthy(filled():update(("x"):rep(65535), 1))
        assert.truthy(filled():update("a\0b", 1))
    end)

    it("changes the threshold of every key", function()
        local pool = filled()
        assert.is_true(pool:set_threshold(1000))
        assert.is_false(pool:update("m1", 95).anomaly)
        assert.equal(1000, (pool:config()).threshold)
        assert.equal("zscore", select(2, pool:config()))
    end)

    it("visits the keys of which an event is overdue", function()
        local pool = anomaly.pool("zscore", {silence = "3x"})
        for i = 0, 49 do
            pool:update("web", 5, 60 * i)
            if i < 20 then
                pool:update("db", 5, 60 * i)
            end
        end
        local found = {}
        for key, detector in pool:overdue(60 * 49) do
            found[#found + 1] = key
            assert.same({last = 60 * 19, usual = 60, due = 60 * 22, overdue = 60 * 27}, detector:overdue(60 * 49))
        end
        assert.same({"db"}, found)
        assert.is_false(pool:find("web"):overdue(60 * 49))
        assert.is_false(pool:slot("new"):overdue(60 * 49))
        assert.has_error(function() pool:overdue() end)
        assert.has_error(function() anomaly.pool("zscore"):overdue(5) end, "overdue: it needs the option silence")
        assert.equal(anomaly.E_CONFIG, select(3, anomaly.zscore():overdue(5)))
    end)

    it("names the limit that is wrong", function()
        assert.has_error(function() anomaly.pool("zscore", {}, {max_idle = "600"}) end,
            "max_idle takes a time with its unit, or off, not '600'")
        assert.has_error(function() anomaly.pool("zscore", {}, {max_key = 1}) end, "unknown option 'max_key'")
        assert.has_error(function() anomaly.pool("zscore", {}, {max_keys = -1}) end)
        assert.has_error(function() anomaly.pool("zscore", {}, {shards = 3}) end)
        assert.has_error(function() anomaly.pool("zscore", {}, {evicted = 3}) end)
        assert.truthy(anomaly.pool("zscore", {}, {max_idle = "10m", hash_seed = "18446744073709551600", shards = 4,
            max_bytes = 1e6}))
    end)
end)
