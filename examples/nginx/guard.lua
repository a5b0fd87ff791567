-- SPDX-License-Identifier: MIT
-- luacheck: std ngx_lua
-- Clients whose rate of requests is out of the ordinary, compared with that of all clients (`crowd`) or with their own
-- past (`own`). README.md explains it, nginx.conf shows which function goes where.
local anomaly, cjson, bit = require("anomaly"), require("cjson").new(), require("bit")
local flagged, state = ngx.shared.anomaly_flagged, ngx.shared.anomaly_state
cjson.encode_invalid_numbers("null") -- what is not known yet is NaN

local settings = {
    interval = 1, -- seconds over which requests are counted
    hold = 60, -- seconds that a client stays flagged after it was last odd
    save = 60, -- seconds between snapshots, for a worker that crashes; a reload takes one of its own
    most_clients = 10000, -- in an interval; the requests of more are only counted together
    crowd = {kind = "zscore", limits = {}, options =
        {window = "300s", warmup = 200, side = "upper", threshold = 6, min_stddev = 4, learn = "normal"}},
    own = {kind = "zscore", limits = {max_keys = 10000, max_bytes = 32e6, max_idle = "1h"}, options =
        {window = "300s,60", warmup = 20, side = "upper", threshold = 8, min_stddev = 4, learn = "normal"}},
}
local counts, clients, uncounted, since, saved -- of the interval that runs, and in all
local pools, verdict, complained = {}, {}, false
local HELD_BACK = bit.bor(anomaly.UNCONFIRMED, anomaly.SMALL_CHANGE) -- odd, but not enough for confirm or min_change

local function open(name)
    local s, snapshot = settings[name], state:get(name .. ngx.worker.id())
    if snapshot then
        local pool, why = anomaly.restore_pool(snapshot, s.kind, s.options, s.limits)
        if pool then return pool end
        ngx.log(ngx.WARN, "anomaly: ", name, " begins anew: ", why)
    end
    return assert(anomaly.pool(s.kind, s.options, s.limits))
end

local function put(dict, ...)
    local _, why, others_went = dict:set(...)
    if not (why or others_went) or complained then return end
    complained = true -- once an interval is enough
    ngx.log(ngx.ERR, "anomaly: a lua_shared_dict is too small: ", why or "older entries went")
end

local function save(now)
    saved = now
    for name, pool in pairs(pools) do put(state, name .. ngx.worker.id(), pool:snapshot()) end
end

local function round(x) return math.floor(x * 10 + .5) / 10 end

local function report(client, rate, against, now)
    local before = flagged:get(client)
    local line = cjson.encode{client = client, rate = round(rate), against = against, usual = round(verdict.expected),
        limit = round(verdict.upper), since = before and cjson.decode(before).since or now, last = now}
    if not before then ngx.log(ngx.WARN, "anomaly: ", line) end
    put(flagged, client, line, settings.hold)
end

local function is_odd(name, key, rate, now)
    local ok, why = pools[name]:update(key, rate, now, verdict)
    if not ok then ngx.log(ngx.ERR, "anomaly: ", why) end
    return ok and verdict.anomaly and bit.band(verdict.flags, HELD_BACK) == 0
end

local function judge(client, rate, now) -- what the crowd finds odd does not become the client's own past
    local against = is_odd("crowd", "all", rate, now) and "crowd" or is_odd("own", client, rate, now) and "own"
    if against then report(client, rate, against, now) end
end

local function tick(ends)
    local now = ngx.now()
    if ends then return save(now) end
    if not saved then -- a second after the start: in a reload the old worker is told to end 0.1 s after it
        if now - since < 1 then return end
        pools.crowd, pools.own, saved = open("crowd"), open("own"), now
    end
    local seen, seconds = counts, math.max(now - since, settings.interval) -- a clock may be set back
    local status = {at = now, clients = clients, uncounted = uncounted, own = pools.own:usage()}
    counts, clients, since, complained = {}, 0, now, false
    for client, n in pairs(seen) do judge(client, n / seconds, now) end
    pools.crowd:slot("all"):score(0, now, verdict)
    status.crowd = {usual = round(verdict.expected), limit = round(verdict.upper), events = verdict.events}
    put(state, "status" .. ngx.worker.id(), cjson.encode(status))
    if now - saved >= settings.save then save(now) end
end

local guard = {}

function guard.setup(given) -- init_by_lua: with a wrong option nginx does not start, or goes on as before a reload
    for name, value in pairs(given or {}) do settings[name] = value end
    for _, name in ipairs{"crowd", "own"} do
        assert(anomaly.pool(settings[name].kind, settings[name].options, settings[name].limits)):close()
    end
end

function guard.start() -- init_worker_by_lua
    counts, clients, uncounted, since = {}, 0, 0, ngx.now()
    assert(ngx.timer.every(settings.interval, tick))
end

function guard.count() -- log_by_lua: the answer is already on its way
    local client = ngx.var.anomaly_client
    local n = counts[client]
    if n then
        counts[client] = n + 1
    elseif client ~= "" and clients < settings.most_clients then
        counts[client], clients = 1, clients + 1
    elseif client ~= "" then
        uncounted = uncounted + 1
    end
end

function guard.block() -- access_by_lua
    if flagged:get(ngx.var.anomaly_client) then
        ngx.header.retry_after = settings.hold
        return ngx.exit(429)
    end
end

function guard.page() -- content_by_lua
    local page = {flagged = {}, workers = {}}
    local function entry(dict, key) return cjson.decode(dict:get(key) or "null") end
    for _, client in ipairs(flagged:get_keys(1000)) do page.flagged[client] = entry(flagged, client) end
    for id = 0, ngx.worker.count() - 1 do page.workers["worker " .. id] = entry(state, "status" .. id) end
    ngx.header.content_type = "application/json"
    ngx.say(cjson.encode(page))
end

return guard
