/// Takes ownership where nobody has it or this owner has. A time to live that is too long, since the server's clock was
/// set back or another program wrote the key, is cut: a dead owner must lapse, and one that lives renews it.
/// ARGV[1] the owner, ARGV[3] the time to live. Returns 1, or `CTOWNER who`.
let ownScript = """
  local owner = redis.call('GET', KEYS[1])
  if owner and owner ~= ARGV[1] then
    local left = redis.call('PTTL', KEYS[1])
    if left < 0 or left > tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
    return redis.error_reply('CTOWNER ' .. owner)
  end
  -- Under `maxmemory` Redis lets a script write that has removed something before.
  redis.call('DEL', KEYS[1])
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
    make_way()
    for n = 4, #ARGV, 2 do
      if ARGV[n + 1] == '' then redis.call('HDEL', META, ARGV[n]) else redis.call('HSET', META, ARGV[n], ARGV[n + 1]) end
    end
    settle()
    return 1
    """

/// ARGV from the fourth on: IDs. `JobLifecycle.cancel`, to the letter: the timeline of a running job keeps an attempt
/// `cancelled` (outcome 7).
/// Returns for each {state before or '', its lease or ''}; a final state means nothing was changed.
let cancelScript =
  scriptPrelude + #"""
    local out = {}
    for n = 4, #ARGV do
      local id = ARGV[n]
      local text = call('HGET', JOB, id)
      local j = text and (running(id) or job(text)) or {}
      local was = j.state
      if was == '1' or was == '2' or was == '3' then
        withdraw(id, j)
        if was == '3' then
          local took = whole(tonumber(now) - tonumber(j.claimed))
          local attempt = table.concat({ j.key, j.a, j.worker, '-', j.claimed, took, '7' }, ' ')
          j.rest = bounded(j.rest .. '\n' .. attempt)
        end
        write(id, j, '6', '0')
        finish(id, j.key, '6', j.size, j.serial)
      end
      out[#out + 1] = was or ''
      out[#out + 1] = j.lease or ''
    end
    settle()
    return out
    """#

/// ARGV[4] 1 where instructions come along; from the fifth on ID STATE COUNTERS (INSTRUCTIONS) of each job: one that is in
/// this state, and does not run, goes to the end of its phase's queue with these counters, `a f c l` (`JobLifecycle`).
/// Returns {KEY, …}: the phase of each that was moved.
let requeueScript =
  scriptPrelude + """
    local moved, edited = {}, ARGV[4] == '1'
    for n = 5, #ARGV, edited and 4 or 3 do
      local id = ARGV[n]
      local text = call('HGET', JOB, id)
      local j = text and job(text) or {}
      if j.state == ARGV[n + 1] and call('HEXISTS', RUNNING, id) == 0 then
        withdraw(id, j)
        j.a, j.f, j.c, j.l = match(ARGV[n + 2], '^(%d+) (%d+) (%d+) (%d+)$')
        if edited then
          j.size = #ARGV[n + 3]
          call('HSET', IN, id, ARGV[n + 3])
          raise('largest', j.size)
        end
        write(id, j, '1', '0')
        queue(id, j.key, j.priority, false)
        moved[#moved + 1] = j.key
      end
    end
    settle()
    return moved
    """

/// ARGV from the fourth on: IDs; those that run stay. Returns how many were removed; what is left of a job whose text is
/// gone is removed and not counted.
let deleteScript =
  scriptPrelude + """
    make_way()
    local removed = 0
    for n = 4, #ARGV do
      local id = ARGV[n]
      local text = call('HGET', JOB, id)
      local j = text and job(text) or {}
      if not j.state then
        purge(id)
      elseif call('HEXISTS', RUNNING, id) == 0 then
        withdraw(id, j)
        for _, key in ipairs({ JOB, IN, ERROR }) do call('HDEL', key, id) end
        call('ZREM', P .. 'all', id)
        removed = removed + 1
      end
    end
    settle()
    return removed
    """

/// ARGV[4] a minute, ARGV[5] a limit: removes the metrics of minutes before it. Returns how many minutes.
let forgetMetricsScript =
  scriptPrelude + """
    local old = call('ZRANGEBYSCORE', P .. 'minutes', '-inf', '(' .. ARGV[4], 'LIMIT', 0, ARGV[5])
    for _, minute in ipairs(old) do
      call('UNLINK', P .. 'm:' .. minute)
      call('ZREM', P .. 'minutes', minute)
    end
    settle()
    return #old
    """
