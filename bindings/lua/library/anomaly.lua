---@meta anomaly
-- SPDX-License-Identifier: MIT
-- Types of the module for LuaLS and EmmyLua; never loaded. docs/lua.md is the manual.

---Seconds, as a number or, to the nanosecond, as decimal text
---@alias anomaly.time number|string
---One number, or as many as the detector has features
---@alias anomaly.values number|number[]
---@alias anomaly.kind "zscore"|"percentile"|"iforest"|"mahalanobis"|"watch"|string
---@alias anomaly.column "anomaly"|"score"|"threshold"|"expected"|"lower"|"upper"|"flags"|"feature"|"events"|"tail"
---@alias anomaly.evicted fun(key: string, snapshot: string?)

---@class anomaly
---@field IS_ANOMALY integer
---@field WARMING_UP integer
---@field MISSING integer
---@field NONFINITE integer
---@field LATE integer
---@field TRUNCATED integer
---@field FLAT integer
---@field ABOVE integer
---@field BELOW integer
---@field JUMPED integer
---@field NOT_LEARNED integer
---@field ALARM integer
---@field EPISODE integer
---@field EPISODE_END integer
---@field HELD integer
---@field UNTRANSFORMED integer
---@field TAIL_ESTIMATED integer
---@field BY_POPULATION integer
---@field SPIKE integer
---@field SHIFT integer
---@field NOISIER integer
---@field QUIETER integer
---@field STUCK integer
---@field UNCONFIRMED integer
---@field SMALL_CHANGE integer
---@field OK integer
---@field E_ARG integer
---@field E_NOMEM integer
---@field E_CONFIG integer
---@field E_KIND integer
---@field E_SPACE integer
---@field E_CORRUPT integer
---@field E_VERSION integer
---@field E_FULL integer
---@field E_NOTFOUND integer
---@field E_EMPTY integer
---@field E_STOPPED integer
local anomaly = {}

---@class anomaly.options
---@field window? string|number
---@field warmup? string|number
---@field threshold? string|number
---@field compare? "ge"|"gt"
---@field side? "both"|"upper"|"lower"
---@field include_self? boolean|number
---@field ddof? number
---@field robust? boolean|number
---@field flat? "flag"|"ignore"
---@field min_stddev? string|number
---@field learn? string
---@field max_late? string
---@field max_jump? string
---@field lower? string|number
---@field upper? string|number
---@field quantile? "linear"|"nearest"
---@field profile? "fast"|"balanced"|"accurate"
---@field trees? string|number
---@field sample? string|number
---@field depth? string|number
---@field candidates? string|number
---@field lags? "auto"|"pyramid"|string|number
---@field guided? string|number
---@field contamination? string|number
---@field seed? string|number
---@field transform? "none"|"log"|"log1p"|"sqrt"|"diff"|"rate"
---@field season? string
---@field season_offset? string
---@field alarm_rate? string|number
---@field alarms? string
---@field calibrate? string|number
---@field rest? string|number
---@field confirm? string
---@field margin? string|number
---@field min_change? string|number
---@field silence? string
---@field population? 0|1|string|boolean
---@field features? string|number
---@field reserve? boolean|number
---@field simd? "auto"|"scalar"|"portable"|"avx2"|"avx512"

---@class anomaly.silence
---@field last number
---@field usual number
---@field due number
---@field overdue number

---@class anomaly.limits
---@field max_keys? string|number
---@field max_bytes? string|number
---@field max_idle? string
---@field refuse? boolean|number
---@field shards? number
---@field hash_seed? string|number
---@field evicted? anomaly.evicted

---@class anomaly.bounds
---@field before? anomaly.time
---@field keep_keys? string|number
---@field keep_bytes? string|number

---@class anomaly.verdict
---@field anomaly boolean
---@field score number
---@field threshold number
---@field expected number
---@field lower number
---@field upper number
---@field flags integer
---@field feature integer
---@field events integer
---@field tail number

---@class anomaly.stats
---@field count integer
---@field mean number
---@field variance number
---@field stddev number
---@field min number
---@field max number

---@class anomaly.counters
---@field events integer
---@field anomalies integer
---@field learned integer
---@field warming_up integer
---@field missing integer
---@field nonfinite integer
---@field late integer
---@field jumped integer
---@field flat integer
---@field skipped integer
---@field truncated integer
---@field untransformed integer
---@field alarms integer
---@field held integer
---@field unconfirmed integer
---@field small_change integer

---@class anomaly.usage
---@field keys integer
---@field bytes integer
---@field created integer
---@field removed integer
---@field evicted integer

---@class anomaly.kind_info
---@field name anomaly.kind
---@field help string
---@field offers table<"whole"|"time"|"quantile"|"explain"|"rebuild", boolean>

---@class anomaly.option
---@field name string
---@field values string
---@field help string
---@field default string|number

---@param kind anomaly.kind
---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.new(kind, options) end

---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.zscore(options) end

---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.percentile(options) end

---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.iforest(options) end

---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.mahalanobis(options) end

---About one alarm a day (alarms = "auto", rest = 150), unless threshold, alarm_rate or alarms says otherwise.
---@param options? anomaly.options
---@return anomaly.detector? detector
---@return string? warning or message
---@return integer? code
function anomaly.watch(options) end

---One of the strongest alarms that a suggestion would have given.
---@class anomaly.strongest
---@field row integer from 1
---@field score number

---What anomaly.suggest() proposes: new(kind, options), or pool(kind, options).
---@class anomaly.suggestion
---@field kind string
---@field options table<string, string|number>
---@field reasons table<string, string> in words, by option, and of "kind"
---@field whole boolean too few rows to learn in order: each was judged beside all others
---@field keys integer
---@field first integer alarms are counted from this row on
---@field alarms integer
---@field alarms_a_day number NaN without times
---@field strongest anomaly.strongest[] the strongest first, at most ten

---Proposes a kind with its options for data that is there, the oldest row first.
---@param values number[]|number[][]|string|string[]
---@param times? number[]|string
---@param keys? string[] the series of each row: one proposal for all
---@return anomaly.suggestion? suggestion
---@return string? message
---@return integer? code
function anomaly.suggest(values, times, keys) end

---@param snapshot string
---@return anomaly.detector? detector
---@return string? message
---@return integer? code
function anomaly.restore(snapshot) end

---@param kind anomaly.kind
---@param options? anomaly.options
---@param limits? anomaly.limits
---@return anomaly.pool? pool
---@return string? warning or message
---@return integer? code
function anomaly.pool(kind, options, limits) end

---@param snapshot string|fun(size: integer): string?, string?
---@param kind? anomaly.kind
---@param options? anomaly.options
---@param limits? anomaly.limits
---@return anomaly.pool? pool
---@return string? message
---@return integer? code
function anomaly.restore_pool(snapshot, kind, options, limits) end

---@return anomaly.kind_info[]
function anomaly.kinds() end

---@param kind anomaly.kind
---@return anomaly.option[]
function anomaly.options(kind) end

---@param kind anomaly.kind
---@param options? anomaly.options
---@return integer bytes
function anomaly.memory_needed(kind, options) end

---@param key string
---@param n? integer
---@return string|integer
function anomaly.key_hash(key, n) end

---@param flags integer
---@return table<integer|string, string|boolean>
function anomaly.flags(flags) end

---@param code integer
---@return string
function anomaly.status_text(code) end

---@return string
function anomaly.version() end

---@class anomaly.detector
local detector = {}

---@param x anomaly.values
---@param t? anomaly.time
---@param verdict? table
---@return anomaly.verdict? verdict
---@return string? message
---@return integer? code
function detector:update(x, t, verdict) end

---@param x anomaly.values
---@param t? anomaly.time
---@param verdict? table
---@return anomaly.verdict? verdict
---@return string? message
---@return integer? code
function detector:score(x, t, verdict) end

---@param x anomaly.values
---@param t? anomaly.time
---@return true?, string? message, integer? code
function detector:learn(x, t) end

---@param t anomaly.time
---@return true?, string? message, integer? code
function detector:advance(t) end

---@param values number[]|number[][]|string|string[]
---@param times? anomaly.time[]|string
---@param columns? anomaly.column[]
---@return table<anomaly.column, table|string>? columns
---@return string? message
---@return integer? code
---@return integer? done
function detector:update_rows(values, times, columns) end

---@param values number[]|number[][]|string|string[]
---@param times? anomaly.time[]|string
---@param columns? anomaly.column[]
---@return table<anomaly.column, table|string>? columns
---@return string? message
---@return integer? code
---@return integer? done
function detector:score_rows(values, times, columns) end

---@param values number[]|number[][]|string|string[]
---@param times? anomaly.time[]|string
---@return true?, string? message, integer? code, integer? done
function detector:learn_rows(values, times) end

---@return true?, string? message, integer? code
function detector:rebuild() end

---@return true?, string? message, integer? code
function detector:reserve() end

---@return true?, string? message, integer? code
function detector:reset() end

---@param threshold number
---@return true?, string? message, integer? code
function detector:set_threshold(threshold) end

---Of the window; with transform or season, of what the detector sees of the values. So is quantile()
---@param feature? integer
---@return anomaly.stats?, string? message, integer? code
function detector:stats(feature) end

---@param q number
---@param feature? integer
---@return number?, string? message, integer? code
function detector:quantile(q, feature) end

---Each feature's share of the score, of forest and distance; E_KIND with season or transform="rate", which need a time
---@param x anomaly.values
---@return number[]?, string? message, integer? code
function detector:explain(x) end

---A table where an event is overdue at that time of the events' own clock, else false
---@param now anomaly.time
---@return anomaly.silence|false|nil
---@return string? message
---@return integer? code
function detector:overdue(now) end

---@return anomaly.counters?, string? message, integer? code
function detector:counters() end

---@return anomaly.options?
---@return anomaly.kind|string
---@return integer? code
function detector:config() end

---@param write? fun(bytes: string): any, string?
---@return string|true|nil
---@return string? message
---@return integer? code
function detector:snapshot(write) end

function detector:close() end

---For anomaly_ffi.lua
---@return lightuserdata where
---@return integer features
---@return boolean timed
function detector:address() end

---@class anomaly.pool
local pool = {}

---@param key string
---@param x anomaly.values
---@param t? anomaly.time
---@param verdict? table
---@return anomaly.verdict? verdict
---@return string? message
---@return integer? code
function pool:update(key, x, t, verdict) end

---@param keys string[]|anomaly.detector[]
---@param values number[]|number[][]|string|string[]
---@param times? anomaly.time[]|string
---@param columns? anomaly.column[]
---@return table<anomaly.column, table|string>? columns
---@return string? message
---@return integer? code
---@return integer? done
function pool:update_rows(keys, values, times, columns) end

---@param key string
---@return anomaly.detector?, string? message, integer? code
function pool:slot(key) end

---@param key string
---@return anomaly.detector?, string? message, integer? code
function pool:find(key) end

---@return fun(pool: anomaly.pool): string, anomaly.detector
---@return anomaly.pool
function pool:each() end

---The keys of which an event is overdue
---@param now anomaly.time
---@return fun(pool: anomaly.pool): string, anomaly.detector
---@return anomaly.pool
function pool:overdue(now) end

---@param key string
---@return true?, string? message, integer? code
function pool:remove(key) end

---@param bounds anomaly.bounds
---@return integer? evicted
---@return string? message
---@return integer? code
function pool:evict(bounds) end

---@param t anomaly.time
---@return true?, string? message, integer? code
function pool:advance(t) end

---@param threshold number
---@return true?, string? message, integer? code
function pool:set_threshold(threshold) end

---@return anomaly.options
---@return anomaly.kind
function pool:config() end

---@return integer
function pool:count() end

---@return anomaly.usage
function pool:usage() end

---@return anomaly.counters
function pool:counters() end

---@param write? fun(bytes: string): any, string?
---@return string|true|nil
---@return string? message
---@return integer? code
function pool:snapshot(write) end

---@param key string
---@return string?, string? message, integer? code
function pool:export(key) end

---@param key string
---@param snapshot string
---@return true?, string? message, integer? code
function pool:import(key, snapshot) end

function pool:close() end

return anomaly
