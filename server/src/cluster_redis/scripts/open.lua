#!lua
-- open.lua: what a server needs to subscribe to a room: the entries since its own position, or a snapshot and those since.
-- KEYS: head, journal, snapshot
-- ARGV: last known entry "N-R" or "", state to found the room with or "", nonce, ttl (ms, which makes none shorter), moment of that state (ms, or 0)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'n', 'r', 'o')
local s = redis.call('HMGET', KEYS[3], 'n', 'r', 't', 's')
local known = ARGV[1]
-- The entries after a position; none if the journal has a hole there.
local function since(id)
  local entries = redis.call('XRANGE', KEYS[2], '(' .. id, '+')
  if #entries == h[1] - string.match(id, '^%d+') then return entries end
end
if h[1] and s[1] then
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[4], 'GT') end
  local kept = s[1] .. '-' .. s[2]
  if known ~= '' and (known == h[1] .. '-' .. h[2] or known == kept
      or #redis.call('XRANGE', KEYS[2], known, known) == 1) then
    local entries = since(known)
    if entries then return {'more', now + h[3], entries} end
  end
  local entries = since(kept)
  if entries then return {'whole', now + h[3], s, entries} end
end
if ARGV[2] == '' then return {'none', now} end
-- The first founder wins. The room's time does not go back behind its state.
local t = math.max(now, tonumber(ARGV[5]))
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[1], 'n', 0, 'r', ARGV[3], 't', t, 'o', t - now)
redis.call('HSET', KEYS[3], 'n', 0, 'r', ARGV[3], 't', t, 's', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
return {'whole', t, {'0', ARGV[3], tostring(t), ARGV[2]}, {}}
