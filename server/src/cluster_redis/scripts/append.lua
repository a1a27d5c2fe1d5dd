#!lua
-- append.lua: appends one batch of commands to a room's journal.
-- KEYS: head, journal.  ARGV: last known entry "N-R", due (ms, or 0), nonce, channel, batch
local h = redis.call('HMGET', KEYS[1], 'n', 'r', 't', 'o')
if not h[1] then return {'missing'} end
local n, t, o = tonumber(h[1]), tonumber(h[3]), tonumber(h[4])
local kn, kr = string.match(ARGV[1], '^(%d+)-(%d+)$')
if tonumber(kn) > n or (kn == h[1] and kr ~= h[2]) then return {'diverged'} end
-- The room's time never goes back: where the engine's clock does, an offset makes up for it.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + o
if now < t then o = o + t - now; now = t end
local due = tonumber(ARGV[2])
if due > 0 then
  if t >= due then return {'past'} end
  if now < due then return {'early', due - now} end
end
n = n + 1
redis.call('XADD', KEYS[2], n .. '-' .. ARGV[3], 'p', h[2], 't', now, 'b', ARGV[5])
-- The first entry makes the stream, which lives as long as the head.
if n == 1 then redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1])) end
redis.call('HSET', KEYS[1], 'n', n, 'r', ARGV[3], 't', now, 'o', o)
redis.call('SPUBLISH', ARGV[4], n .. ' ' .. ARGV[3] .. ' ' .. h[2] .. ' ' .. now .. ' ' .. ARGV[5])
return {'ok', n, now}
