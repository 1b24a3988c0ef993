/// Takes ownership where nobody has it or this owner has.
/// ARGV[1] the owner, ARGV[3] the time to live. Returns 1, or `CTOWNER who`.
let ownScript = """
  local owner = redis.call('GET', KEYS[1])
  if owner and owner ~= ARGV[1] then return redis.error_reply('CTOWNER ' .. owner) end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  return 1
  """

/// ARGV[1] the owner. Gives ownership up where it still is this owner's.
let disownScript = """
  if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
  return 0
  """

/// Proves that the owner is alive.
let keepScript =
  scriptPrelude + """
    settle()
    return 1
    """

/// ARGV from the fourth on: field and value for `meta`; an empty value removes the field.
let setMetaScript =
  scriptPrelude + """
    for n = 4, #ARGV, 2 do
      if ARGV[n + 1] == '' then redis.call('HDEL', META, ARGV[n]) else redis.call('HSET', META, ARGV[n], ARGV[n + 1]) end
    end
    settle()
    return 1
    """

/// ARGV[4] an ID. Returns {}, {state before}, or {3, the lease}; a final state means nothing was changed.
let cancelScript =
  scriptPrelude + """
    local id = ARGV[4]
    local name = P .. 'j:' .. id
    local j = redis.call('HMGET', name, 's', 'k', 'n')
    if not j[1] then return {} end
    local l = lease(id)
    local state = l and '3' or j[1]
    if state == '1' or state == '2' or state == '3' then
      withdraw(id, state, j[2], j[3])
      redis.call('HSET', name, 's', '6', 'u', now, 'd', '')
      if l then redis.call('HSET', name, 'a', l[4]) end
      finish(id, j[2], j[3], '6')
      settle()
    end
    if l then return { state, table.concat(l, ' ') } end
    return { state }
    """

/// ARGV from the fourth on: IDs of dead, cancelled or delayed jobs, to be put into the queue of their phase.
/// Returns {KEY, …}: the phase of each that was moved.
let requeueScript =
  scriptPrelude + """
    local moved = {}
    for n = 4, #ARGV do
      local id = ARGV[n]
      local name = P .. 'j:' .. id
      local j = redis.call('HMGET', name, 's', 'k', 'p', 'n')
      if j[1] == '2' or j[1] == '5' or j[1] == '6' then
        withdraw(id, j[1], j[2], j[4])
        if j[1] ~= '2' then redis.call('HSET', name, 'a', '0', 'f', '0', 'c', '0') end
        redis.call('HSET', name, 's', '1', 'u', now, 'q', now, 'd', '')
        queue(id, j[2], j[3], false)
        moved[#moved + 1] = j[2]
      end
    end
    settle()
    return moved
    """

/// ARGV from the fourth on: IDs; those that run stay. Returns how many were removed.
let deleteScript =
  scriptPrelude + """
    local removed = 0
    for n = 4, #ARGV do
      local id = ARGV[n]
      local name = P .. 'j:' .. id
      local j = redis.call('HMGET', name, 's', 'k', 'n')
      if j[1] and redis.call('HEXISTS', P .. 'running', id) == 0 then
        withdraw(id, j[1], j[2], j[3])
        redis.call('DEL', name)
        redis.call('ZREM', P .. 'all', id)
        removed = removed + 1
      end
    end
    settle()
    return removed
    """

/// ARGV[4] a minute: removes the metrics of those before it.
let forgetMetricsScript =
  scriptPrelude + """
    for _, minute in ipairs(redis.call('ZRANGEBYSCORE', P .. 'minutes', '-inf', '(' .. ARGV[4], 'LIMIT', 0, 1000)) do
      redis.call('DEL', P .. 'm:' .. minute)
      redis.call('ZREM', P .. 'minutes', minute)
    end
    settle()
    return 1
    """
