-- One sliding window and, if asked, one question about a session, in one round trip.
-- KEYS: the window; then the session's mark of revocation, the mark that revocations are loaded.
-- ARGV: how many, in how many milliseconds.
-- Returns: admitted (0/1), left, milliseconds until the oldest hit leaves, revoked, loaded.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local span = tonumber(ARGV[2]) * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
local used = redis.call('ZCARD', KEYS[1])
local admitted = 0
if used < tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[1], now, now .. '-' .. used)
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    used = used + 1
    admitted = 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or now
local wait = math.ceil((oldest + span - now) / 1000)
local revoked, loaded = 0, 0
if KEYS[2] then
    revoked, loaded = redis.call('EXISTS', KEYS[2]), redis.call('EXISTS', KEYS[3])
end
return {admitted, ARGV[1] - used, wait, revoked, loaded}
