-- What many scenarios begin with, and what they say again and again. It has no tests of its own.
local scene = {}

-- As short as RFC 8866 lets a session description be, and a candidate as RFC 8839 writes it.
scene.sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
scene.candidate = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host"

-- Clients of these names, all in room r1; the first of them is its host. Each has read who came after him.
function scene.call(t, ...)
  local clients = {}
  for i, name in ipairs { ... } do
    clients[i] = t:client(name)
    clients[i]:joins "r1"
    for before = 1, i - 1 do
      clients[before]:receives("user-joined", { user_id = name })
    end
  end
  return unpack(clients)
end

-- The peer_id of a client, from what joins returned.
function scene.peer(welcome)
  return welcome.payload.self.peer_id
end

local function with(payload, field, value)
  local copy = {}
  for name, member in pairs(payload) do
    copy[name] = member
  end
  copy[field] = value
  return copy
end

-- A payload with all fields passes as it is, one with the required fields alone does, and each wrong field { name, value, named as }
-- is refused with its name and reaches nobody. Without a value the field is missing.
function scene.checks_payload(t, type, full, required, wrong)
  local bob = t:client "bob"
  bob:joins "r1"
  local sender
  for i = 1, #wrong do
    if i % 9 == 1 then -- the tenth bad frame of a minute would close
      sender = t:client("sender" .. i)
      sender:joins "r1"
      sender:sends(type, full)
      bob:receives(type, t.exactly(full))
      sender:sends(type, required)
      bob:receives(type, t.exactly(required))
    end
    local field, value = wrong[i][1], wrong[i][2]
    sender:sends(type, with(full, field, value))
    local refusal = sender:is_refused("INVALID_MESSAGE").payload
    local named = wrong[i][3] or "payload." .. field
    if refusal.details.field ~= named then error(("%s, not %s: %s"):format(refusal.details.field, named, refusal.message)) end
  end
  bob:receives_nothing(type)
end

-- Lets clients send types that are the server's, as a policy may; then their payloads are checked. At the top level of a file.
function scene.opens(sig, ...)
  for _, type in ipairs { ... } do
    sig.type.extend(type) { from = { "host", "moderator", "participant", "observer" } }
  end
end

-- Whoever sends what only the server says is refused, by the type's own name and by the one of compat clients, and nobody hears it.
function scene.only_the_server_says(t, ...)
  local bob = t:client "bob"
  bob:joins "r1"
  for i, type in ipairs { ... } do
    local host = t:client("host" .. i)
    host:joins "r1"
    host:sends(type, {})
    assert(host:is_refused("FORBIDDEN_TYPE").payload.details.type == type)
    host:sends((type:gsub("-", "_")), {})
    assert(host:is_refused("FORBIDDEN_TYPE").payload.details.type == type)
    host:leaves()
    bob:receives_nothing { sender_id = t.any } -- what the server says has none
  end
end

return scene
