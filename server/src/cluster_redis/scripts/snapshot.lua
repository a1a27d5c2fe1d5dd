#!lua
-- snapshot.lua: stores a room's state as of an entry, and trims the entries that are no longer needed.
-- KEYS: head, journal, snapshot.  ARGV: n, r, t, state, how many older entries stay
local h = redis.call('HMGET', KEYS[1], 'n', 'r')
local s = redis.call('HGET', KEYS[3], 'n')
local n, id = tonumber(ARGV[1]), ARGV[1] .. '-' .. ARGV[2]
if not h[1] or not s or n <= tonumber(s) or n > tonumber(h[1]) then return 0 end
if #redis.call('XRANGE', KEYS[2], id, id) == 0 then return 0 end
redis.call('HSET', KEYS[3], 'n', ARGV[1], 'r', ARGV[2], 't', ARGV[3], 's', ARGV[4])
if n > tonumber(ARGV[5]) then redis.call('XTRIM', KEYS[2], 'MINID', (n - ARGV[5]) .. '-0') end
return 1
