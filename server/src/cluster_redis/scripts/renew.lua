#!lua
-- renew.lua: renews a server's lease, or begins one. A lease that has run out becomes an expired one.
-- KEYS: leases, expired, clock, pause, config
-- ARGV: server, lease (ms), 1 to begin, how long expired leases are remembered (ms),
--       last lease time that this server saw (ms, or 0), the settings that all servers must share
local clock = redis.call('TIME')
local c = redis.call('HMGET', KEYS[3], 't', 'o')
local o = tonumber(c[2] or 0)
local now = clock[1] * 1000 + math.floor(clock[2] / 1000) + o
local seen = tonumber(c[1] or ARGV[5])
if seen == 0 then seen = now end
if now < seen then o = o + seen - now; now = seen end
local late = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now, 'WITHSCORES')
for i = 1, #late, 2 do
  redis.call('ZADD', KEYS[2], late[i + 1], late[i])
  redis.call('ZREM', KEYS[1], late[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[3] == '1' then
  if mine or redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {'taken', now} end
  local others = redis.call('ZCARD', KEYS[1])
  local config = redis.call('GET', KEYS[5])
  if others > 0 and config and config ~= ARGV[6] then return {'mismatch', now, config} end
  redis.call('SET', KEYS[5], ARGV[6])
  -- While there was no server at all, no time passed in the rooms.
  if others == 0 and seen < now then
    redis.call('SET', KEYS[4], now .. ' ' .. now - seen, 'PX', ARGV[4])
  end
elseif not mine then
  return {'lost', now}
end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[3], 't', now, 'o', o)
return {'ok', now, redis.call('GET', KEYS[4]) or '', redis.call('ZRANGE', KEYS[1], 0, -1),
  redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')}
