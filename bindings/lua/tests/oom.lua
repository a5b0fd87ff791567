-- SPDX-License-Identifier: MIT
-- Everything the module can do, once; for oom.c, which gives it the global.
local anomaly = anomaly -- luacheck: ignore
local d = assert(anomaly.zscore{window = "50s", features = 2, threshold = 2.5})
for i = 1, 20 do
    assert(d:update({i, i}, i))
end
local v = {}
assert(d:update({1, 2}, "21.5", v) == v and v.anomaly ~= nil)
assert(d:score({1, 2}, 22, v) and d:learn({1, 2}, 22) and d:advance(23))
assert(d:stats(2) and d:counters() and d:config() and tostring(d) and tostring(v) and anomaly.flags(v.flags))
assert(d:update_rows({{1, 2}, {3, 4}}, {24, 25}, {"score", "feature", "anomaly"}))
assert(d:learn_rows({("\0"):rep(16), ("\0"):rep(16)}, ("\0"):rep(16)))
local e = assert(anomaly.restore(d:snapshot()))
assert(e:snapshot(function() end) and e:set_threshold(4) and e:reset())
e:close()
local f = assert(anomaly.iforest{features = 2, window = 100, warmup = 5, trees = 3})
for i = 1, 60 do
    f:learn({i % 7, i % 5})
end
assert(f:explain({1, 2}) and f:rebuild() and f:reserve())
local gone = {}
local pool = assert(anomaly.pool("percentile", {window = 20}, {max_keys = 3, evicted = function(key, snapshot)
    gone[#gone + 1] = {key, snapshot}
end}))
for i = 1, 5 do
    assert(pool:update("k" .. i, i, nil, v))
end
assert(#gone == 2 and pool:update_rows({"k4", "k5"}, {1, 2}))
for key, one in pool:each() do
    assert(one:stats() and pool:export(key))
end
assert(pool:import("back", gone[1][2]) and pool:usage() and pool:counters() and pool:config() and tostring(pool))
local bytes, at = pool:snapshot(), 0
assert(pool:snapshot(function() end) and anomaly.restore_pool(bytes, "percentile", {window = 20}, {max_keys = 100}))
assert(anomaly.restore_pool(function(n)
    at = at + n
    return bytes:sub(at - n + 1, at)
end))
assert(pool:slot("k9"):quantile(.5) == nil and pool:evict{keep_keys = 0})
assert(anomaly.options("iforest") and anomaly.memory_needed("zscore", {window = 9}) and anomaly.key_hash("a"))
assert(not pcall(anomaly.zscore, {windw = 1}) and not pcall(d.update, d, 1))
