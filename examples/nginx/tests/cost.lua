-- SPDX-License-Identifier: MIT
-- What judging takes where 10,000 clients send in each second, with the options of guard.lua: in `make bench-nginx`.
local anomaly = require("anomaly")
local CLIENTS, SECONDS = 10000, 70

local pools = {
    own = anomaly.pool("zscore", {window = "300s,60", warmup = 20, side = "upper", threshold = 8, min_stddev = 4,
        learn = "normal"}, {max_keys = CLIENTS, max_bytes = 32e6, max_idle = "1h"}),
    crowd = anomaly.pool("zscore", {window = "300s", warmup = 200, side = "upper", threshold = 6, min_stddev = 4,
        learn = "normal"}, {}),
}

local function milliseconds(work)
    local begin = os.clock()
    work()
    return (os.clock() - begin) * 1000
end

local function median(times)
    table.sort(times)
    return times[math.ceil(#times / 2)]
end

local judging, saving, verdict = {}, {}, {}
for second = 1, SECONDS do
    judging[second] = milliseconds(function()
        for client = 1, CLIENTS do
            local rate = 1 + math.random(5)
            assert(pools.crowd:update("all", rate, second, verdict))
            assert(pools.own:update("203.0.113." .. client, rate, second, verdict))
        end
    end)
end
for i = 1, 5 do
    saving[i] = milliseconds(function() for _, pool in pairs(pools) do pool:snapshot() end end)
end
local usage = pools.own:usage()
print(("%d clients: judging %.1f ms a second, a snapshot %.1f ms, %.1f MB (medians, processor time)"):format(usage.keys,
    median(judging), median(saving), usage.bytes / 1e6))
