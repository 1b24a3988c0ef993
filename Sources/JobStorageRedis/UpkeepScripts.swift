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
    local text = call('HGET', JOB, id)
    if not text then return {} end
    local j = running(id) or job(text)
    if j.state == '1' or j.state == '2' or j.state == '3' then
      withdraw(id, j)
      write(id, j, '6', '0')
      finish(id, j.key, '6', j.size, j.serial)
      settle()
    end
    return { j.state, j.lease }
    """

/// ARGV from the fourth on: IDs of dead, cancelled or delayed jobs, to be put into the queue of their phase.
/// Returns {KEY, …}: the phase of each that was moved.
let requeueScript =
  scriptPrelude + """
    local moved = {}
    for n = 4, #ARGV do
      local id = ARGV[n]
      local text = call('HGET', JOB, id)
      local j = text and job(text) or {}
      if j.state == '2' or j.state == '5' or j.state == '6' then
        withdraw(id, j)
        if j.state ~= '2' then j.a, j.f, j.c = '0', '0', '0' end
        write(id, j, '1', '0')
        queue(id, j.key, j.priority, false)
        moved[#moved + 1] = j.key
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
      local text = call('HGET', JOB, id)
      if text and call('HEXISTS', RUNNING, id) == 0 then
        withdraw(id, job(text))
        for _, key in ipairs({ JOB, IN, ERROR }) do call('HDEL', key, id) end
        call('ZREM', P .. 'all', id)
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
