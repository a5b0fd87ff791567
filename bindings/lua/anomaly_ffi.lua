-- SPDX-License-Identifier: MIT
-- For LuaJIT: one detector's update() through the FFI, which compiles to about what C costs.
--
--     local update = require "anomaly_ffi".update(d)
--     update(x, t, v) -- as d:update(x, t, v)
--
-- The build puts the declarations of include/anomaly.h in. The address to call with is read from the detector each time: it
-- is NULL once the detector is closed, or while it is being saved. What is not plain (no table to refill, several features,
-- time as text, a wrong argument) goes to d:update(), which has the rules and the messages.
local anomaly = require "anomaly"
local ffi = require "ffi"
local band = require "bit".band

if not pcall(ffi.typeof, "anomaly_verdict") then -- else the script has declared the header itself
    ffi.cdef [[
@DECLARATIONS@
]]
end
local library = ffi.load(assert(package.searchpath("anomaly", package.cpath)))

local NO_TIME = -9223372036854775807LL - 1
local MOST_SECONDS = 9223372036
local floor, ceil = math.floor, math.ceil

-- As number_to_ns() in anomaly.c.
local function to_ns(seconds)
    local whole = seconds < 0 and ceil(seconds) or floor(seconds)
    local rest = (seconds - whole) * 1e9
    return ffi.cast("int64_t", whole) * 1000000000LL + ffi.cast("int64_t", rest < 0 and rest - .5 or rest + .5)
end

-- The metatable with which d:update() makes verdicts printable.
local shown = getmetatable(anomaly.zscore():score(0))

local function refill(v, verdict)
    if getmetatable(v) == nil then
        setmetatable(v, shown)
    end
    v.anomaly = band(verdict.flags, anomaly.IS_ANOMALY) ~= 0
    v.score = verdict.score
    v.threshold = verdict.threshold
    v.expected = verdict.expected
    v.lower = verdict.lower
    v.upper = verdict.upper
    v.flags = verdict.flags
    v.feature = verdict.feature + 1
    v.events = tonumber(verdict.events)
    v.tail = verdict.tail
    return v
end

local function update(d)
    local where, features, timed = d:address()
    if features ~= 1 then
        return function(x, t, v)
            return d:update(x, t, v)
        end
    end
    local address = ffi.cast("anomaly_detector **", where)
    local value, verdict = ffi.new("double[1]"), ffi.new("anomaly_verdict")
    return function(x, t, v)
        local detector, ns = address[0], NO_TIME
        local plain = detector ~= nil and type(x) == "number" and type(v) == "table"
        plain = plain and (getmetatable(v) == shown or getmetatable(v) == nil)
        if plain and type(t) == "number" then
            plain = t > -MOST_SECONDS and t < MOST_SECONDS
            ns = plain and to_ns(t) or ns
        elseif t ~= nil or timed then
            plain = false
        end
        if not plain then
            return d:update(x, t, v)
        end
        value[0] = x
        local status = library.anomaly_update(detector, value, ns, verdict)
        if status ~= 0 then
            return nil, anomaly.status_text(status), status
        end
        return refill(v, verdict)
    end
end

return {update = update}
