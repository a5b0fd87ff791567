-- SPDX-License-Identifier: MIT
-- Scenario S26 in Lua: events "value time" from standard input, a z-score over 300 s, every double to its last bit.
local anomaly = require "anomaly"
local d, v = anomaly.zscore{window = "300s"}, {}
for line in io.lines() do
    local value, time = line:match "(%S+) (%S+)"
    d:update(tonumber(value), time, v)
    if v.score == v.score then
        print(("%.17g %.17g %.17g %.17g"):format(v.score, v.expected, v.lower, v.upper))
    end
end
-- Missing and infinite values leave the statistics alone; an empty key is refused.
local before = d:stats()
d:update(0 / 0, 1737461390)
d:update(1 / 0, 1737461390)
for name, value in pairs(before) do
    assert(d:stats()[name] == value, name)
end
assert(d:counters().missing == 1 and d:counters().nonfinite == 1)
assert(not pcall(anomaly.pool("zscore").update, anomaly.pool("zscore"), "", 1))
d:close()
