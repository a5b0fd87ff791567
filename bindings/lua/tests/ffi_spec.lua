-- SPDX-License-Identifier: MIT
-- anomaly_ffi.lua against the module, in LuaJIT.
if not jit then
    return
end
local anomaly = require "anomaly"
local fast = require "anomaly_ffi"

describe("update by FFI", function()
    local function same(a, b)
        for key, value in pairs(a) do
            assert(value == b[key] or value ~= value and b[key] ~= b[key], key)
        end
    end

    it("is the module's, value for value", function()
        for _, options in ipairs{{window = 50}, {window = "60s", max_late = "10s"}, {window = 40, robust = 1},
            {window = 40, alarm_rate = .05, rest = 5}} do
            local one, two = anomaly.zscore(options), anomaly.zscore(options)
            local update, v = fast.update(two), {}
            for i = 1, 3000 do
                local x, t = i * i % 97, i + i * 7 % 13 / 8
                x = i % 100 == 0 and 1e6 or i % 211 == 0 and 0 / 0 or i % 307 == 0 and 1 / 0 or x
                same(one:update(x, t), update(x, t, v))
            end
            assert.equal(one:snapshot(), two:snapshot())
        end
    end)

    it("makes the verdict printable and stays fast then", function()
        local one, two, v = anomaly.zscore(), anomaly.zscore(), {}
        local update = fast.update(two)
        for i = 1, 50 do
            assert.equal(tostring(one:update(i % 7)), tostring(update(i % 7, nil, v)))
        end
        local mine = setmetatable({}, {__tostring = function() return "mine" end})
        assert.equal("mine", tostring(update(1, nil, mine)))
    end)

    it("takes a time as the module does", function()
        for _, t in ipairs{0, -.1, .1, 1.7e9 + .123456789, -2.5, 9e9, 1e-9, -1e-9, 1.5e-9} do
            local one, two = anomaly.zscore{window = "5m"}, anomaly.zscore{window = "5m"}
            one:update(1, t)
            fast.update(two)(1, t, {})
            assert.equal(one:snapshot(), two:snapshot())
        end
    end)

    it("leaves what is not plain to the module, errors among it", function()
        local d = anomaly.zscore{window = "5m"}
        local update = fast.update(d)
        assert.equal(0, update(1, "1.5").events)
        assert.equal(1, update(1, 2).events)
        for _, wrong in ipairs{{"1", 3, {}}, {1, nil, {}}, {1, 1e10, {}}, {1, 0 / 0, {}}, {1, 3, 4}} do
            assert.has_error(function() update(wrong[1], wrong[2], wrong[3]) end)
        end
        assert.equal(2, d:counters().events)
        local several = anomaly.zscore{features = 2}
        assert.equal(0, fast.update(several)({1, 2}, nil, {}).events)
        assert.has_error(function() fast.update(anomaly.pool("zscore"):slot "a") end)
    end)

    it("refuses a detector that is closed or being saved", function()
        local d = anomaly.zscore()
        local update = fast.update(d)
        for i = 1, 500 do
            update(i, nil, {})
        end
        local refused
        assert.is_true(d:snapshot(function() refused = not pcall(update, 1, nil, {}) end))
        assert.is_true(refused)
        assert.equal(500, update(1, nil, {}).events)
        d:close()
        assert.has_error(function() update(1, nil, {}) end, "the detector is closed")
    end)

    it("keeps the detector", function()
        local update = fast.update(anomaly.zscore())
        collectgarbage()
        collectgarbage()
        assert.equal(0, update(1, nil, {}).events)
    end)
end)
