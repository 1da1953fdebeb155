---@meta lunasig.metric

--- What policies count, on /metrics as `lunasig_policy_NAME`. Declared at the top level of a file, used in hooks:
---
---     local raised = sig.metric.counter { name = "hands_raised", help = "Hands raised.", labels = { "room_kind" } }
---     raised:add(1, { room_kind = "class" })
---
--- The same name is the same metric, in all files and in the next version, which counts on; another kind or other labels under a name
--- that a kept version has is an error at load. It goes when no version that is kept declares it. At most 100 metrics; at most 1,000 sets
--- of label values of one and 10,000 of all: what is above is dropped and counted in lunasig_policy_metrics_dropped_total. What a hook has
--- counted stays when it fails.
---@class lunasig.Metrics
local Metrics = {}

---@class lunasig.MetricOptions
---@field name string 1 to 64 of a-z 0-9 _; a counter's gets _total behind it where it has none, a gauge's never ends so
---@field help? string one line, at most 200 bytes
---@field labels? string[] at most 4, each 1 to 32 of a-z 0-9 _

--- A number that only grows.
---@param options lunasig.MetricOptions
---@return lunasig.Metric
function Metrics.counter(options) end

--- A number that goes up and down.
---@param options lunasig.MetricOptions
---@return lunasig.Metric
function Metrics.gauge(options) end

---@class lunasig.Metric
local Metric = {}

---@param by? number 1 unless written; not negative for a counter
---@param labels? table<string, string|number|boolean> a value for each label that was declared; cut after 64 bytes
function Metric:add(by, labels) end

--- Only of a gauge.
---@param value number
---@param labels? table<string, string|number|boolean>
function Metric:set(value, labels) end

---@class lunasig
---@field metric lunasig.Metrics What policies count, on /metrics.
local sig = {}

return Metrics
