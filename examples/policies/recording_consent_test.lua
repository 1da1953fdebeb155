local sig = require "lunasig"

sig.use "recording_consent"

local function call(t)
  local ann, bob = t:client "ann", t:client "bob"
  ann:joins "r1"
  bob:joins "r1"
  ann:sends("recording-consent", { agrees = true })
  return ann, bob
end

local function order(action)
  return { action = action, recording_id = "rec1" }
end

sig.test("a recording starts when everybody has agreed", function(t)
  local ann, bob = call(t)
  ann:sends("recording-control", order "start")
  local refusal = ann:is_refused "CONSENT_MISSING"
  assert(refusal.payload.details.missing[1] == "bob")
  bob:sends("recording-consent", { agrees = true })
  ann:sends("recording-control", order "start")
  bob:receives("recording-control", order "start")
end)

sig.test("who takes his word back pauses it, and it does not go on without him", function(t)
  local ann, bob = call(t)
  bob:sends("recording-consent", { agrees = true })
  ann:sends("recording-control", order "start")
  bob:sends("recording-consent", { agrees = false })
  ann:receives { type = "recording-control", payload = order "pause" }
  ann:sends("recording-control", order "resume")
  ann:is_refused "CONSENT_MISSING"
  bob:leaves()
  ann:sends("recording-control", order "resume")
  ann:receives_nothing "error"
end)

sig.test("somebody who comes pauses it until he agrees", function(t)
  local ann, bob = call(t)
  bob:sends("recording-consent", { agrees = true })
  ann:sends("recording-control", order "start")
  local eve = t:client "eve"
  eve:joins "r1"
  bob:receives("recording-control", order "pause")
  ann:sends("recording-control", order "resume")
  ann:is_refused "CONSENT_MISSING"
  eve:sends("recording-consent", { agrees = true })
  ann:sends("recording-control", order "resume")
  eve:receives("recording-control", order "resume")
end)

sig.test("consent ends with leaving", function(t)
  local ann, bob = call(t)
  bob:sends("recording-consent", { agrees = true })
  bob:leaves()
  bob:joins "r1"
  ann:sends("recording-control", order "start")
  ann:is_refused "CONSENT_MISSING"
end)

sig.test("a recording that was stopped is paused no more", function(t)
  local ann, bob = call(t)
  bob:sends("recording-consent", { agrees = true })
  ann:sends("recording-control", order "start")
  ann:sends("recording-control", order "stop")
  bob:sends("recording-consent", { agrees = false })
  ann:receives_nothing "recording-control"
end)

sig.test("only the host records, and everybody sees it", function(t)
  local ann, bob = call(t)
  bob:sends("recording-consent", { agrees = true })
  bob:sends("recording-control", order "start")
  bob:is_refused "PERMISSION_DENIED"
  local eve = t:client "eve"
  eve:joins "r1"
  eve:sends("recording-consent", { agrees = true })
  local start = order "start"
  ann:sends("recording-control", start, "bob")
  eve:receives("recording-control", start)
end)
