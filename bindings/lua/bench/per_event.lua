-- SPDX-License-Identifier: MIT
-- What an event costs in Lua: per_event.lua KIND WINDOW EVENTS TURNS [ffi]; the same stream as per_event.c.
local anomaly = require "anomaly"
local kind, window, events, turns = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local floor, clock = math.floor, os.clock
local d, v = anomaly.new(kind, {window = window}), {}
local update = arg[5] == "ffi" and require "anomaly_ffi".update(d)
local best, anomalies = math.huge, 0

local function turn()
    local state, start = 1, clock()
    for _ = 1, events do
        state = state * 16807 - floor(state * 16807 / 2147483647) * 2147483647
        if update then
            update(state / 2147483647, nil, v)
        else
            d:update(state / 2147483647, nil, v)
        end
        if v.anomaly then
            anomalies = anomalies + 1
        end
    end
    return (clock() - start) / events * 1e9
end

for _ = 1, turns do
    best = math.min(best, turn())
end
print(("%.2f %d"):format(best, anomalies))
