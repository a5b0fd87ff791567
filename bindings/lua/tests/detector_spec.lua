-- SPDX-License-Identifier: MIT
local anomaly = require "anomaly"

local function flagged(text)
    return function(v)
        return anomaly.flags(v.flags)[text] == true
    end
end

describe("a detector", function()
    it("finds the one odd event of S10 and says why", function()
        local d = anomaly.zscore{window = "300s"}
        local v, found = {}, {}
        for k = 0, 59 do
            d:update(k == 40 and 95 or 50 + k % 10, 10 * k, v)
            if v.anomaly then
                found[#found + 1] = k
                assert.near(13.863294, v.score, 1e-6)
                assert.near(54.5, v.expected, 1e-12)
                assert.equal(30, v.events)
                assert.equal(1, v.feature)
                assert.equal(3, v.threshold)
                assert.is_true(flagged "above"(v))
            end
        end
        assert.same({40}, found)
    end)

    it("refills the table it is given, and returns it", function()
        local d, v = anomaly.zscore(), {mine = 1}
        assert.equal(v, d:update(1, nil, v))
        assert.equal(v, d:score(1, nil, v))
        assert.equal(1, v.mine)
        assert.is_false(v.anomaly)
        assert.is_true(flagged "warming_up"(v))
        assert.are_not.equal(v, d:update(1))
    end)

    it("update is advance, score and learn", function()
        local one, three = anomaly.zscore{window = "10s"}, anomaly.zscore{window = "10s"}
        for t = 1, 50 do
            local x = t * t % 17
            local v = one:update(x, t)
            three:advance(t)
            local w = three:score(x, t)
            assert.is_true(three:learn(x, t))
            assert.equal(v.events, w.events)
            assert.is_true(v.score == w.score or v.score ~= v.score and w.score ~= w.score)
        end
        assert.same(one:stats(), three:stats())
    end)

    it("takes several features, counted from 1", function()
        local d = anomaly.zscore{features = 3, window = 20}
        for i = 1, 20 do
            d:update({i % 3, i % 4, i % 5})
        end
        local v = d:score({1, 100, 2})
        assert.is_true(v.anomaly)
        assert.equal(2, v.feature)
        assert.equal(20, d:stats(3).count)
        assert.equal(4, d:stats(3).max)
    end)

    it("missing and infinite values leave the window alone", function()
        local d = anomaly.zscore{window = 20}
        for i = 1, 10 do
            d:update(i)
        end
        local before = d:stats()
        assert.is_true(flagged "missing"(d:update(0 / 0)))
        local v = d:update(1 / 0)
        assert.is_true(flagged "nonfinite"(v))
        assert.is_true(v.anomaly)
        assert.same(before, d:stats())
        assert.equal(1, d:counters().missing)
        assert.equal(1, d:counters().nonfinite)
    end)

    it("stages: a transform, an episode with one alarm", function()
        local d = anomaly.zscore{window = 100, transform = "log", rest = 3}
        for i = 1, 100 do
            d:update(1 + i * i % 13)
        end
        local function flags_of(x)
            local v = d:update(x)
            assert.is_true(v.tail ~= v.tail) -- there is no budget
            local found = {}
            for _, name in ipairs(anomaly.flags(v.flags)) do
                found[#found + 1] = name ~= "above" and name ~= "below" and name or nil
            end
            return table.concat(found, " ")
        end
        assert.equal("untransformed", flags_of(0))
        assert.equal("is_anomaly alarm", flags_of(1e9))
        assert.equal("is_anomaly episode held", flags_of(1e9))
        for _ = 1, 3 do
            assert.equal("episode", flags_of(3))
        end
        assert.equal("episode_end", flags_of(3))
        local counted = d:counters()
        assert.equal(1, counted.untransformed)
        assert.equal(1, counted.alarms)
        assert.equal(1, counted.held)
        assert.equal(0, counted.unconfirmed)
    end)

    it("what was held back, and why", function()
        local d = anomaly.zscore{window = 100, learn = "normal", confirm = "2/3", min_change = "10%"}
        for i = 1, 100 do d:learn(100 + i % 3 / 10) end
        local function has(x, name) return anomaly.flags(d:update(x).flags)[name] end
        assert.is_true(has(105, "small_change"))
        assert.is_true(has(150, "unconfirmed"))
        assert.is_true(has(150, "alarm"))
        local counted = d:counters()
        assert.same({2, 1, 1}, {counted.held, counted.unconfirmed, counted.small_change})
    end)

    it("each anomaly of one value has a word", function()
        for _, kind in ipairs{"mahalanobis", "watch"} do
            local d = anomaly[kind]()
            for i = 1, 1000 do
                d:update(i * i % 31 + i % 7 / 8)
            end
            assert.is_true(anomaly.flags(d:update(900).flags).spike)
            local flags = anomaly.flags(d:update(901).flags)
            assert.is_true(flags.shift and flags.above)
            assert.is_nil(flags.spike)
        end
    end)

    it("a budget of alarms: tail is the rank of the score, one by one and in rows", function()
        local options, x, scores = {window = 50, alarm_rate = .1, calibrate = 1000}, {}, {}
        for i = 1, 200 do
            x[i] = i * i % 31 + i % 7 / 8
        end
        local d, judged = anomaly.zscore(options), 0
        local rows = anomaly.zscore(options):update_rows(x, nil, {"tail", "score"})
        for i = 1, 200 do
            local v = d:update(x[i])
            assert.is_true(v.tail == rows.tail[i] or v.tail ~= v.tail and rows.tail[i] ~= rows.tail[i])
            if v.tail == v.tail and not anomaly.flags(v.flags).tail_estimated then
                local higher = 1
                for _, score in ipairs(scores) do
                    higher = higher + (score >= v.score and 1 or 0)
                end
                assert.near(higher / (#scores + 1), v.tail, 1e-12)
                assert.equal(v.tail <= .1, v.anomaly)
                judged = judged + 1
            end
            scores[#scores + 1] = i > 5 and v.score or nil
        end
        assert.is_true(judged > 100)
        local v = d:score(80)
        assert.is_true(v.tail > 0 and v.tail < 1 / 200 and anomaly.flags(v.flags).tail_estimated)
        assert.truthy(tostring(v):find(", tail " .. ("%.6g"):format(v.tail), 1, true))
    end)

    it("says that an option needs times", function()
        assert.has_error(function() anomaly.zscore{window = 10, season = "1d"}:update(1) end,
            "bad argument #2 to 'update' (t: the window, or another option, needs times: give each event its seconds)")
    end)

    it("percentile: quantiles by NumPy's rule", function()
        local d = anomaly.percentile{lower = 10, upper = 90, warmup = 5}
        for i = 0, 100 do
            d:learn(i)
        end
        assert.near(50, d:quantile(.5), 1e-12)
        assert.near(12.5, d:quantile(.125, 1), 1e-12)
        assert.is_true(d:score(91).anomaly)
        assert.is_false(d:score(90).anomaly)
    end)

    it("iforest: a batch, explained", function()
        local d = anomaly.iforest{features = 2, window = 128, warmup = 20, contamination = 0}
        local rows = {}
        for i = 1, 128 do
            rows[i] = {i * 37 % 101 / 101, i * 53 % 103 / 103}
        end
        assert.is_true(d:learn_rows(rows))
        assert.is_true(d:rebuild())
        assert.is_true(d:score({.5, 9}).anomaly)
        local shares = d:explain({.5, 9})
        assert.equal(2, #shares)
        assert.near(d:score({.5, 9}).score - .5, shares[1] + shares[2], 1e-9)
        assert.is_true(shares[2] > shares[1])
    end)

    it("changes its threshold live, keeps its window", function()
        local d = anomaly.zscore{window = 20}
        for i = 1, 20 do
            d:update(i % 5)
        end
        assert.is_true(d:score(9).anomaly)
        assert.is_true(d:set_threshold(100))
        assert.is_false(d:score(9).anomaly)
        assert.equal(100, d:config().threshold)
    end)

    it("forgets on reset", function()
        local d = anomaly.zscore{window = 20, reserve = true}
        d:update(1)
        assert.is_true(d:reserve())
        assert.is_true(d:reset())
        assert.equal(0, d:stats().count)
        assert.equal(0, d:counters().events)
    end)

    it("goes on from a snapshot, bit for bit", function()
        local d = anomaly.percentile{window = 50, alarm_rate = .05} -- so that no field is NaN, which equals nothing
        for i = 1, 80 do
            d:update(i * i % 31)
        end
        local e = anomaly.restore(d:snapshot())
        for i = 81, 160 do
            assert.same(d:update(i * i % 31), e:update(i * i % 31))
        end
        assert.equal(d:snapshot(), e:snapshot())
    end)

    it("writes a snapshot in pieces, and stops when it is told", function()
        local d, pieces = anomaly.zscore(), {}
        for i = 1, 100 do
            d:update(i)
        end
        assert.is_true(d:snapshot(function(bytes) pieces[#pieces + 1] = bytes end))
        assert.equal(d:snapshot(), table.concat(pieces))
        assert.same({nil, "disk full", anomaly.E_STOPPED},
            {d:snapshot(function() return nil, "disk full" end)})
    end)

    it("names the option that was probably meant", function()
        assert.has_error(function() anomaly.zscore{windw = 3} end, "unknown option 'windw'; did you mean 'window'?")
        assert.has_error(function() anomaly.iforest{tree = 3} end, "unknown option 'tree'; did you mean 'trees'?")
        assert.has_error(function() anomaly.zscore{nothing = 3} end, "unknown option 'nothing'")
    end)

    it("answers what may happen to a correct script with nil, message, code", function()
        assert.same({nil, anomaly.status_text(anomaly.E_KIND), anomaly.E_KIND}, {anomaly.zscore():quantile(.5)})
        assert.same({nil, anomaly.status_text(anomaly.E_EMPTY), anomaly.E_EMPTY}, {anomaly.percentile():quantile(.5)})
        local d, message, code = anomaly.restore("not a snapshot")
        assert.is_nil(d)
        assert.is_string(message)
        assert.equal(anomaly.E_CORRUPT, code)
    end)

    it("warns with a second value", function()
        local d, warning = anomaly.zscore{window = 100, include_self = 1}
        assert.truthy(d)
        assert.equal("cannot flag before 11 samples", warning)
        assert.equal(1, select("#", anomaly.zscore()))
    end)

    it("tells its configuration as it can be given again", function()
        local options, kind = anomaly.zscore{window = "90s,5000", threshold = 2.5, robust = true}:config()
        assert.equal("zscore", kind)
        assert.equal(2.5, options.threshold)
        assert.equal(1, options.robust)
        assert.is_nil(options.trees)
        assert.same(options, (anomaly.new(kind, options):config()))
    end)

    it("sets a profile before what the profile sets", function()
        local options = anomaly.iforest{trees = 7, profile = "fast"}:config()
        assert.equal(7, options.trees)
        assert.equal(64, options.sample)
    end)

    it("shows a verdict, refilled or not", function()
        local d, v = anomaly.zscore{window = 100}, {}
        assert.equal("anomaly.verdict: warming_up, score nan", tostring(d:update(50)))
        for i = 1, 19 do
            d:update(50 + i % 5, nil, v)
        end
        assert.equal("anomaly.verdict: usual, score 0, usual is 47.6471 to 56.3529", tostring(d:score(52)))
        assert.equal("anomaly.verdict: is_anomaly|above, score 29.6357, usual is 47.6471 to 56.3529", tostring(d:score(95)))
        assert.equal(v, (d:update(95, nil, v)))
        assert.equal("anomaly.verdict: is_anomaly|above, score 29.6357, usual is 47.6471 to 56.3529", tostring(v))
        local pool = anomaly.pool("zscore", {window = 20})
        assert.is_truthy(tostring(pool:update("k", 1)):find("^anomaly.verdict: warming_up, score"))
        assert.is_truthy(tostring(pool:slot("k"):score(1)):find("^anomaly.verdict: warming_up"))
    end)

    it("leaves a metatable of the script's own, and any fields it has set", function()
        local d = anomaly.zscore{window = 100}
        local mine = {__tostring = function() return "mine" end}
        local v = d:update(1, nil, setmetatable({}, mine))
        assert.equal("mine", tostring(v))
        assert.equal(mine, getmetatable(v))
        v = d:update(1)
        for _, odd in ipairs{-1, 2 ^ 60, 0 / 0, "x", false, {}} do
            v.flags, v.score, v.lower = odd, odd, odd
            assert.is_truthy(tostring(v):find("^anomaly.verdict: "))
        end
    end)

    it("describes itself", function()
        local d = anomaly.zscore{window = "300s"}
        assert.equal("anomaly.detector: zscore, window=5m, threshold=3", tostring(d))
        d:close()
        assert.equal("anomaly.detector: closed", tostring(d))
    end)

    it("that watches keeps to about an alarm a day, unless it is told otherwise", function()
        local function asked(options)
            local c = anomaly.watch(options):config()
            return tostring(c.alarms) .. " " .. tostring(c.rest)
        end
        assert.equal("auto 150", asked())
        assert.equal("auto 150", asked{window = 500})
        assert.equal("off off", asked{threshold = 6})
        assert.equal("off off", asked{alarm_rate = 0.01})
        assert.equal("2/1d off", asked{alarms = "2/day"})
        assert.equal("auto 30m", asked{rest = "30m"})
        assert.equal("off", anomaly.new("watch"):config().alarms)
    end)
end)

describe("times", function()
    local function is_window_of(seconds, from, to)
        local d = anomaly.zscore{window = seconds}
        d:learn(1, from)
        d:learn(2, to)
        return d:stats().count == 2
    end

    it("are seconds, to the nanosecond as text", function()
        assert.is_true(is_window_of("1ns", "1700000000.123456788", "1700000000.123456789"))
        assert.is_false(is_window_of("1ns", "1700000000.123456787", "1700000000.123456789"))
        assert.is_false(is_window_of("1ns", "-0.000000001", "0.000000001"))
        assert.is_true(is_window_of("2ns", "-0.000000001", "0.000000001"))
        assert.is_true(is_window_of("1ns", "9223372036.854775806", "9223372036.854775807"))
        assert.is_true(is_window_of("1ns", "-9223372036.854775807", "-9223372036.854775806"))
    end)

    it("are the nearest nanosecond as a number", function()
        assert.is_true(is_window_of("1ns", 0.1, "0.100000001"))
        assert.is_false(is_window_of("1ns", 0.1, "0.100000002"))
        assert.is_true(is_window_of("1ns", 1700000000, "1700000000.000000001"))
        assert.is_true(is_window_of("1ns", -2.5, "-2.499999999"))
    end)

    it("refuse what is none", function()
        local d = anomaly.zscore{window = "5m"}
        for _, t in ipairs{"", "-", ".", "1e3", " 1", "1s", "0x10", "1.1234567891", "9223372036.854775808", "1.2.3",
            "-9223372036.854775808", 1.7e12, 0 / 0, 1 / 0, -1 / 0, true, {}} do
            assert.has_error(function() d:update(1, t) end)
        end
        assert.has_error(function() d:update(1) end,
            "bad argument #2 to 'update' (t: the window, or another option, needs times: give each event its seconds)")
        assert.equal(0, d:counters().events)
    end)
end)

describe("rows", function()
    local function each(d, values, times)
        local score, is_anomaly = {}, {}
        for i, x in ipairs(values) do
            local v = d:update(x, times and times[i])
            score[i], is_anomaly[i] = v.score, v.anomaly
        end
        return score, is_anomaly
    end

    local values, times = {}, {}
    for i = 1, 200 do
        values[i], times[i] = i == 150 and 400 or i * i % 37, i
    end

    it("are the loop", function()
        local options = {window = "60s", warmup = 1, min_stddev = 1}
        local score, is_anomaly = each(anomaly.zscore(options), values, times)
        local rows = anomaly.zscore(options):update_rows(values, times)
        assert.same(is_anomaly, rows.anomaly)
        assert.is_true(score[1] ~= score[1] and rows.score[1] ~= rows.score[1]) -- one value has no spread: NaN
        for i = 3, 200 do
            assert.equal(score[i], rows.score[i])
        end
        assert.is_nil(rows.flags)
    end)

    it("give the columns that are asked for", function()
        local d = anomaly.zscore{window = 50}
        d:learn_rows(values)
        local names = {"score", "threshold", "expected", "lower", "upper", "flags", "feature", "events", "anomaly"}
        local rows, v = d:score_rows({7, 1000}, nil, names), d:score(1000)
        for _, name in ipairs(names) do
            assert.equal(v[name], rows[name][2])
        end
    end)

    it("take tables of features", function()
        local d = anomaly.zscore{features = 2}
        assert.is_true(d:learn_rows({{1, 2}, {3, 4}, {5, 6}}))
        assert.equal(3, d:stats(1).mean)
        assert.equal(4, d:stats(2).mean)
        assert.has_error(function() d:learn_rows({{1, 2}, {3}}) end,
            "bad argument #1 to 'learn_rows' (values[2]: 2 numbers expected)")
        assert.equal(3, d:stats().count)
    end)

    it("may be none", function()
        assert.same({score = {}, anomaly = {}}, anomaly.zscore():update_rows({}))
        assert.same({score = "", anomaly = ""}, anomaly.zscore():update_rows(""))
    end)

    it("name the element that is wrong", function()
        local d = anomaly.zscore{window = "5m"}
        assert.has_error(function() d:update_rows({1, "2"}, {1, 2}) end,
            "bad argument #1 to 'update_rows' (values[2]: number expected)")
        assert.has_error(function() d:update_rows({1, 2}, {1}) end,
            "bad argument #2 to 'update_rows' (times: 1 of them for 2 rows)")
        assert.has_error(function() d:update_rows({1, 2}, {1, "x"}) end)
        assert.has_error(function() d:update_rows({1}, {1}, {"scores"}) end,
            "bad argument #3 to 'update_rows' (columns: a verdict has no 'scores')")
        assert.has_error(function() d:update_rows("1234567", "12345678") end)
        assert.equal(0, d:counters().events)
    end)

    if string.pack then
        it("are packed into strings, by row or by column", function()
            local packed, t, first, second = {}, {}, {}, {}
            for i = 1, 100 do
                first[i], second[i] = string.pack("d", i % 7), string.pack("d", i % 11)
                packed[i], t[i] = first[i] .. second[i], string.pack("i8", i * 1000000000)
            end
            packed, t, first, second = table.concat(packed), table.concat(t), table.concat(first), table.concat(second)
            local options = {features = 2, window = "20s"}
            local columns = {"score", "feature", "events", "anomaly"}
            local by_row = anomaly.zscore(options):update_rows(packed, t, columns)
            local by_column = anomaly.zscore(options):update_rows({first, second}, t, columns)
            assert.same(by_row, by_column)
            local d, v = anomaly.zscore(options)
            for i = 1, 100 do
                v = d:update({i % 7, i % 11}, i)
            end
            assert.equal(v.score, (string.unpack("d", by_row.score, 99 * 8 + 1)))
            assert.equal(v.feature - 1, (string.unpack("I4", by_row.feature, 99 * 4 + 1)))
            assert.equal(v.events, (string.unpack("I8", by_row.events, 99 * 8 + 1)))
            assert.equal(100, #by_row.anomaly)
        end)
    end
end)

describe("the module", function()
    it("lists the kinds, each with a function of its name", function()
        local names = {}
        for _, kind in ipairs(anomaly.kinds()) do
            names[#names + 1] = kind.name
            assert.is_true(#kind.help > 10)
            assert.equal(kind.name, select(2, anomaly[kind.name]():config()))
            assert.equal(kind.offers.explain, select(3, anomaly.new(kind.name):explain(1)) ~= anomaly.E_KIND)
            assert.equal(kind.offers.time, (pcall(anomaly.new, kind.name, {window = "5m"}) and
                anomaly.new(kind.name, {window = "5m"}) ~= nil))
        end
        assert.same({"zscore", "percentile", "iforest"}, {names[1], names[2], names[3]})
        assert.has_error(function() anomaly.new("forest") end,
            "bad argument #1 to 'new' (kind: " .. table.concat(names, ", ", 1, #names - 1) .. " or " .. names[#names] ..
            " expected, got 'forest')")
    end)

    it("lists the options of a kind with their defaults", function()
        local found = {}
        for _, option in ipairs(anomaly.options("percentile")) do
            assert.is_string(option.values)
            assert.is_string(option.help)
            found[option.name] = option.default
        end
        assert.equal(99, found.upper)
        assert.equal("always", found.learn)
        assert.is_nil(found.trees)
        assert.same(found, (anomaly.percentile():config()))
    end)

    it("says what a detector will take", function()
        assert.is_true(anomaly.memory_needed("zscore", {window = 100000}) > 800000)
    end)

    it("hashes keys for routing as C does", function() -- XXH64 of "a", seed 0, by the reference implementation
        assert.equal("d24ec4f1a98c6e5b", anomaly.key_hash("a"))
        assert.equal(tonumber("d24ec4f1a98c6e5b", 16) and 0xb % 4, anomaly.key_hash("a", 4))
        assert.equal(0, anomaly.key_hash("a", 1))
    end)

    it("tells flags by name", function()
        assert.same({"is_anomaly", "above", is_anomaly = true, above = true},
            anomaly.flags(anomaly.IS_ANOMALY + anomaly.ABOVE))
        assert.same({}, anomaly.flags(0))
    end)
end)

describe("suggest", function()
    local values, times, names = {}, {}, {}
    for i = 1, 3000 do
        values[i] = 10 + (i * 7919 % 101) / 10
        times[i] = 1700000000 + 60 * i
        names[i] = i % 2 == 0 and "a" or "b"
    end
    values[2500] = 500

    it("proposes what makes a detector, and tells the strongest alarm", function()
        local s = assert(anomaly.suggest(values, times))
        assert.equal("mahalanobis", s.kind)
        assert.equal("normal:5", s.options.learn)
        assert.equal("30m", s.options.rest)
        assert.is_truthy(s.reasons.season:find "correlation" or s.reasons.season:find "too short")
        assert.equal(1501, s.first)
        assert.equal(2500, s.strongest[1].row)
        assert.is_false(s.whole)
        assert(anomaly.new(s.kind, s.options)):close()
    end)

    it("takes several values, packed doubles, keys and few rows", function()
        local rows = {}
        for i, x in ipairs(values) do
            rows[i] = {x, x * x}
        end
        assert.equal(2, anomaly.suggest(rows).options.features)
        assert.equal(2, anomaly.suggest(values, times, names).keys)
        assert.is_true(anomaly.suggest{1, 2, 3}.whole)
    end)

    it("says what it cannot do", function()
        local s, message, code = anomaly.suggest{}
        assert.is_nil(s)
        assert.equal("there are no rows to look at", message)
        assert.equal(anomaly.E_EMPTY, code)
        assert.has_error(function() anomaly.suggest(values, {1}) end)
        assert.has_error(function() anomaly.suggest({1, "x"}) end)
    end)
end)
