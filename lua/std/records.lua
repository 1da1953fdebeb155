-- Writes records to sig.store behind the back of messages: none waits for the database, and none is refused because it fails. A record
-- waits in the state of its room for a moment; a newer one of the same key replaces it. What cannot be written is dropped and counted.
-- In MongoDB chat_messages, room_sessions, analytics_events and recordings are collections of these names, which other tools can read.
local sig = require "lunasig"

sig.policy { name = "std.records", api = 1 }

local bytes_max = 24 * 1024 -- that wait in a room, of what all policies may remember of it
local delay = "100ms"
local batch = 50 -- records of one hook, which has its time (POLICY_CPU_MS) for all of them

sig.room_state {
  waiting = sig.map { max = 200 }, -- by collection and key
  bytes = sig.counter(),
  placed = sig.counter(), -- records that wait for a place, and have none to tell them from each other
}

local written = sig.metric.counter { name = "records_written", help = "Records written to the store.", labels = { "collection" } }
local dropped = sig.metric.counter { name = "records_dropped", help = "Records that were not written.", labels = { "collection" } }

local records = {}

-- Writes now and waits for it: for routes. false: it was dropped.
function records.now(collection, key, document, ttl)
  local store = sig.store[collection]
  local done, problem = pcall(store.put, store, key, document, { ttl = ttl })
  local metric = done and written or dropped
  metric:add(1, { collection = collection })
  if not done then sig.log("warning", "a record was not written", { collection = collection, problem = tostring(problem) }) end
  return done
end

-- Writes a moment later: for hooks of rooms. key may be a number: then the room has so many places, and the newest record takes that of
-- the oldest one. The places are counted in the store: a room that ends and begins again goes on.
function records.later(room, collection, key, document, ttl)
  local state = room:state_of "std.records"
  local places = type(key) == "number" and key or nil
  local id = collection .. "\n" .. (places and state.placed:incr() or key)
  local size, before = #sig.json.encode(document), state.waiting:get(id)
  local grows = size - (before and before.size or 0)
  if state.bytes:get() + grows > bytes_max then return dropped:add(1, { collection = collection }) end
  local entry = { collection = collection, places = places, document = document, ttl = ttl, size = size }
  entry.key = not places and key or nil
  state.waiting:set(id, entry)
  state.bytes:incr(grows)
  if not room:timer "records" then room:after(delay, "records") end
end

-- The key of the next place; nil: the store does not say.
local function next_place(room, collection, places)
  local fine, number = pcall(sig.store[collection].incr, sig.store[collection], room.id, 1, { ttl = "8760h" })
  return fine and ("%s/%04d"):format(room.id, number % places) or nil
end

local function write(room, entry)
  local key = entry.key or next_place(room, entry.collection, entry.places)
  if key then
    records.now(entry.collection, key, entry.document, entry.ttl)
  else
    dropped:add(1, { collection = entry.collection })
  end
end

sig.on("timer:records", function(room)
  local waiting, bytes = room.state.waiting, room.state.bytes
  room:after("5s", "records") -- should the database take all the time of this hook
  for i, id in ipairs(waiting:keys()) do
    local entry = waiting:get(id)
    if i > batch then break end
    if entry then -- else the timer has come again while this hook waited
      waiting:remove(id)
      bytes:incr(-entry.size)
      write(room, entry)
    end
  end
  room:cancel "records"
  if waiting:count() > 0 then room:after("1ms", "records") end
end)

return records
