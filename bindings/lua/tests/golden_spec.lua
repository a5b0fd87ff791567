-- SPDX-License-Identifier: MIT
-- The verdicts of tests/golden/verdicts/, to the last bit. Two doubles are the same bits if they are equal and zeros have
-- the same sign; a NaN is any NaN.
local anomaly = require "anomaly"

local directory = "tests/golden/verdicts/"
local names = {"zscore", "zscore-time", "zscore-features", "robust", "percentile", "percentile-features", "iforest",
    "iforest-fixed"}

local function from_bits(hex)
    local high, low = tonumber(hex:sub(1, 8), 16), tonumber(hex:sub(9), 16)
    local sign = high >= 2 ^ 31 and -1 or 1
    local exponent, mantissa = math.floor(high / 2 ^ 20) % 2 ^ 11, high % 2 ^ 20 * 2 ^ 32 + low
    if exponent == 2047 then
        return mantissa == 0 and sign / 0 or 0 / 0
    end
    if exponent == 0 then
        return sign * mantissa * 2 ^ -1074
    end
    return sign * (mantissa + 2 ^ 52) * 2.0 ^ (exponent - 1075)
end

local function to_seconds(ns)
    local sign, digits = ns:match "^(%-?)(%d+)$"
    digits = ("0"):rep(10 - #digits) .. digits
    return sign .. digits:sub(1, -10) .. "." .. digits:sub(-9)
end

local function bytes_of(hex, reversed)
    local s = hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
    return reversed and s:reverse() or s
end

-- Is this machine little-endian? The packed 1.0 tells.
local probe = anomaly.zscore()
probe:learn_rows(bytes_of("3ff0000000000000", true))
local little = probe:stats().mean == 1

local function pack_double(hex)
    return bytes_of(hex, little)
end

local function pack_int64(text)
    local n = tonumber(text)
    local high, low = math.floor(n / 2 ^ 32) % 2 ^ 32, n % 2 ^ 32
    return bytes_of(("%08x%08x"):format(high, low), little)
end

local function read_case(name)
    local case = {options = {}, x = {}, t = {}, want = {}, packed = {}, packed_t = {}}
    for line in io.lines(directory .. name .. ".txt") do
        local words = {}
        for word in line:gmatch "%S+" do
            words[#words + 1] = word
        end
        if words[1] == "kind" then
            case.kind = words[2]
        elseif words[1] == "set" then
            case.options[words[2]] = words[3]
        elseif words[1] == "columns" then
            case.features = #words - 10
        else
            local n, features = #case.want + 1, case.features
            local x = {}
            for f = 1, features do
                x[f] = from_bits(words[1 + f])
                case.packed[#case.packed + 1] = pack_double(words[1 + f])
            end
            local want = {flags = tonumber(words[features + 7]), feature = words[features + 8] + 1,
                events = tonumber(words[features + 9])}
            for i, key in ipairs{"score", "threshold", "expected", "lower", "upper"} do
                want[key] = from_bits(words[features + 1 + i])
            end
            want.anomaly = want.flags % 2 == 1
            case.want[n] = want
            case.x[n] = features == 1 and x[1] or x
            if words[1] ~= "-" then
                case.t[n], case.packed_t[n] = to_seconds(words[1]), pack_int64(words[1])
            end
        end
    end
    return case
end

local function same(a, b)
    return a ~= a and b ~= b or a == b and (a ~= 0 or type(a) ~= "number" or 1 / a == 1 / b)
end

local columns = {"score", "threshold", "expected", "lower", "upper", "flags", "feature", "events", "anomaly"}

local function check(case, i, verdict)
    for _, key in ipairs(columns) do
        if not same(case.want[i][key], verdict[key]) then
            error(("event %d: %s is %.17g, not %.17g"):format(i, key, verdict[key], case.want[i][key]), 0)
        end
    end
end

-- Uneven pieces: 1, 2, 4, 7, ... rows.
local function pieces(case, judge)
    local from, size = 1, 1
    while from <= #case.want do
        local to = math.min(from + size - 1, #case.want)
        judge(from, to)
        from, size = to + 1, size * 2 % 61
    end
end

local function slice(list, from, to)
    local part = {}
    for i = from, to do
        part[#part + 1] = list[i]
    end
    return part
end

local function check_rows(case, rows, from)
    for i = 1, #rows.score do
        local verdict = {}
        for _, key in ipairs(columns) do
            verdict[key] = rows[key][i]
        end
        check(case, from + i - 1, verdict)
    end
end

for _, name in ipairs(names) do
    describe("golden " .. name, function()
        local case = read_case(name)
        local timed = #case.t > 0

        it("one by one, scored before, with a snapshot half way", function()
            local d, v, w = anomaly.new(case.kind, case.options), {}, {}
            assert.is_true(#case.want >= 200)
            for i, x in ipairs(case.x) do
                if i == 150 then
                    local bytes, _, code = d:snapshot()
                    if code ~= anomaly.E_KIND then -- the kind has snapshots
                        d = assert(anomaly.restore(bytes))
                    end
                end
                check(case, i, d:update(x, case.t[i], v))
                d:score(x, case.t[i], w)
            end
        end)

        it("as rows of tables", function()
            local d = anomaly.new(case.kind, case.options)
            pieces(case, function(from, to)
                local times = timed and slice(case.t, from, to) or nil
                check_rows(case, d:update_rows(slice(case.x, from, to), times, columns), from)
            end)
        end)

        it("as rows of packed doubles", function()
            local d, n = anomaly.new(case.kind, case.options), case.features
            pieces(case, function(from, to)
                local values = table.concat(case.packed, "", (from - 1) * n + 1, to * n)
                local times = timed and table.concat(case.packed_t, "", from, to) or nil
                local rows = d:update_rows(values, times, columns)
                for i = from, to do -- doubles come back as their bytes
                    local at = (i - from) * 8
                    local again = anomaly.zscore()
                    again:learn_rows(rows.score:sub(at + 1, at + 8))
                    if math.abs(case.want[i].score) < 1 / 0 then
                        assert.equal(case.want[i].score, again:stats().mean)
                    end
                    assert.equal(case.want[i].anomaly and 1 or 0, rows.anomaly:byte(i - from + 1))
                end
            end)
        end)

        it("in a pool, by key and by slot", function()
            local pool, v = anomaly.pool(case.kind, case.options), {}
            local slot = pool:slot "by slot"
            for i, x in ipairs(case.x) do
                check(case, i, pool:update("by key", x, case.t[i], v))
                check(case, i, slot:update(x, case.t[i], v))
            end
        end)
    end)
end
