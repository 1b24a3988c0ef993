/// What every script that writes begins with.
///
/// KEYS[1]  `carbontube:{PIPELINE}:owner`. All other keys begin with what stands before `owner`, so one pipeline is one
///          slot of a cluster.
/// ARGV[1]  the owner, which the key must hold: a coordinator that lost its store to another can write nothing.
/// ARGV[2]  now, in milliseconds; ARGV[3] the owner key's time to live, in milliseconds.
///
/// Errors: `CTOWNER who` where another owns the pipeline, `CTLAPSED` where nobody does.
///
/// The keys, all under the prefix:
/// `meta`      hash: schema, phases, token, serial, front, back, finish, paused, paused:KEY
/// `counts`    hash: w:KEY d:KEY r:KEY x:KEY (waiting, delayed, running, dead by phase key), succeeded, cancelled, bytes
/// `j:ID`      hash, a job: n serial, s state, k phase key, p priority, a f c attempts failures crashes, i instructions,
///             e u q enqueued, updated and queued at, d due at, t token ('' unless running), w worker, l lease until,
///             m claimed at, x error, h timeline, hn its length
/// `q:KEY`     zset, the queue of a phase: ID by place; places fall with priority
/// `delayed`   zset: SERIAL:ID by due time
/// `running`   hash: token → ID
/// `all`       zset: ID by serial
/// `end`       zset: ID of finished jobs by the order in which they finished
/// `s:5` `s:6` zsets: ID of dead and cancelled jobs by serial
/// `minutes`   zset of minutes; `m:MINUTE` hash: KEY:counter
let scriptPrelude = """
  local P = string.sub(KEYS[1], 1, -6)
  local owner = redis.call('GET', KEYS[1])
  if owner ~= ARGV[1] then
    if owner then return redis.error_reply('CTOWNER ' .. owner) end
    return redis.error_reply('CTLAPSED nobody owns this pipeline')
  end
  local now = ARGV[2]
  local META, COUNTS = P .. 'meta', P .. 'counts'
  local STEP = 281474976710656
  local function whole(x) return string.format('%.0f', x) end
  local counters = {}
  local function counter(name)
    if not counters[name] then
      counters[name] = { value = tonumber(redis.call('HGET', META, name) or '0') or 0, changed = false }
    end
    return counters[name]
  end
  local function following(name, step)
    local c = counter(name)
    c.value = c.value + step
    c.changed = true
    return c.value
  end
  local deltas = {}
  local function count(name, change) deltas[name] = (deltas[name] or 0) + change end
  local LETTER = { ['1'] = 'w:', ['2'] = 'd:', ['3'] = 'r:', ['5'] = 'x:' }
  local WORD = { ['4'] = 'succeeded', ['6'] = 'cancelled' }
  local function tally(state, key, change)
    if LETTER[state] then count(LETTER[state] .. key, change) else count(WORD[state], change) end
  end
  local function queue(id, key, priority, first)
    local place = first and following('front', -1) or following('back', 1)
    redis.call('ZADD', P .. 'q:' .. key, whole(place - tonumber(priority) * STEP), id)
    tally('1', key, 1)
  end
  local function delayedName(serial, id) return string.format('%016.0f', tonumber(serial)) .. ':' .. id end
  local function delay(id, key, serial, due)
    redis.call('ZADD', P .. 'delayed', due, delayedName(serial, id))
    tally('2', key, 1)
  end
  local function finish(id, key, serial, state)
    redis.call('ZADD', P .. 'end', whole(following('finish', 1)), id)
    if state ~= '4' then redis.call('ZADD', P .. 's:' .. state, serial, id) end
    tally(state, key, 1)
    count('bytes', redis.call('HSTRLEN', P .. 'j:' .. id, 'i'))
  end
  local function withdraw(id, state, key, serial, token)
    if state == '1' then redis.call('ZREM', P .. 'q:' .. key, id)
    elseif state == '2' then redis.call('ZREM', P .. 'delayed', delayedName(serial, id))
    elseif state == '3' then redis.call('HDEL', P .. 'running', token)
    else
      redis.call('ZREM', P .. 'end', id)
      if state ~= '4' then redis.call('ZREM', P .. 's:' .. state, id) end
      count('bytes', -redis.call('HSTRLEN', P .. 'j:' .. id, 'i'))
    end
    tally(state, key, -1)
  end
  local function settle()
    local changed = {}
    for name, c in pairs(counters) do
      if c.changed then changed[#changed + 1] = name; changed[#changed + 1] = whole(c.value) end
    end
    if #changed > 0 then redis.call('HSET', META, unpack(changed)) end
    for name, change in pairs(deltas) do
      if change ~= 0 then redis.call('HINCRBY', COUNTS, name, change) end
    end
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end

  """

/// A turn, or a part of one: each item all or nothing, in order.
///
/// ARGV from the fourth on: items, each a letter and its arguments.
/// `C` ID TOKEN CHANGED INSTRUCTIONS KEY ATTEMPT   complete; CHANGED 1 or 0, KEY the next phase or ''
/// `F` ID TOKEN COUNTER VERDICT DUE ERROR ATTEMPT  fail; COUNTER f, c or '', VERDICT a state: 1, 5 or 6
/// `L` ID TOKEN ATTEMPT                            release to the front; ATTEMPT '' where it is not counted
/// `E` ID KEY PRIORITY DUE INSTRUCTIONS            enqueue; DUE '' at once
/// `N` ID TOKEN UNTIL                              renew
/// `P` LIMIT                                       promote
/// `G` KEY LIMIT WORKER UNTIL                      claim
/// `M` MINUTE N (FIELD VALUE)×N                    metrics
///
/// Returns an array with an element for each item: C F L N: 1 recorded, 0 stale. E: '' stored, else the state of the job
/// that is there. P: {next due or '', KEY, count, …}. G: {ID, token, a, f, c, i, q, …}. M: 1.
let turnScript =
  scriptPrelude + """
    local out = {}
    local at = 4
    local last = #ARGV
    local function history(j, attempt)
      if attempt == '' then return j[5], j[6] end
      local text, length = j[5] or '', tonumber(j[6] or '0')
      if length >= 100 then
        text = string.sub(text, (string.find(text, '\\n', 1, true)) + 1)
        length = length - 1
      end
      return text .. attempt .. '\\n', length + 1
    end
    local function holder(id, token)
      local j = redis.call('HMGET', P .. 'j:' .. id, 't', 'k', 'p', 'n', 'h', 'hn', 'a', 'f', 'c')
      if j[1] == token and token ~= '' then return j end
      return nil
    end
    local function leave(j)
      redis.call('HDEL', P .. 'running', j[1])
      tally('3', j[2], -1)
    end
    while at <= last do
      local op = ARGV[at]
      local id, token = ARGV[at + 1], ARGV[at + 2]
      local answer = 1
      if op == 'C' then
        local j = holder(id, token)
        if j then
          local name, key = P .. 'j:' .. id, ARGV[at + 5]
          leave(j)
          local text, length = history(j, ARGV[at + 6])
          if ARGV[at + 3] == '1' then redis.call('HSET', name, 'i', ARGV[at + 4]) end
          if key == '' then
            redis.call('HSET', name, 's', '4', 'f', '0', 'c', '0', 'u', now, 't', '', 'w', '', 'h', text, 'hn', length)
            finish(id, j[2], j[4], '4')
          else
            redis.call('HSET', name, 's', '1', 'k', key, 'a', '0', 'f', '0', 'c', '0', 'u', now, 'q', now, 't', '',
              'w', '', 'h', text, 'hn', length)
            queue(id, key, j[3], false)
          end
        else
          answer = 0
        end
        at = at + 7
      elseif op == 'G' then
        local key = ARGV[at + 1]
        local popped = redis.call('ZPOPMIN', P .. 'q:' .. key, ARGV[at + 2])
        answer = {}
        for n = 1, #popped, 2 do
          local id = popped[n]
          local name = P .. 'j:' .. id
          local j = redis.call('HMGET', name, 'a', 'f', 'c', 'i', 'q')
          local token = whole(following('token', 1))
          local attempt = tonumber(j[1]) + 1
          redis.call('HSET', name, 's', '3', 'a', attempt, 't', token, 'w', ARGV[at + 3], 'l', ARGV[at + 4], 'm', now,
            'u', now)
          redis.call('HSET', P .. 'running', token, id)
          local m = #answer
          answer[m + 1], answer[m + 2], answer[m + 3], answer[m + 4] = id, tonumber(token), attempt, tonumber(j[2])
          answer[m + 5], answer[m + 6], answer[m + 7] = tonumber(j[3]), j[4], tonumber(j[5])
        end
        local taken = #popped / 2
        if taken > 0 then
          tally('1', key, -taken)
          tally('3', key, taken)
        end
        at = at + 5
      elseif op == 'E' then
        local name, key, priority, due = P .. 'j:' .. id, token, ARGV[at + 3], ARGV[at + 4]
        local there = redis.call('HGET', name, 's')
        if there then
          answer = there
        else
          local serial = whole(following('serial', 1))
          local later = due ~= '' and tonumber(due) > tonumber(now)
          redis.call('HSET', name, 'n', serial, 's', later and '2' or '1', 'k', key, 'p', priority, 'a', '0', 'f', '0',
            'c', '0', 'i', ARGV[at + 5], 'e', now, 'u', now, 'q', now, 'd', later and due or '', 't', '')
          redis.call('ZADD', P .. 'all', serial, id)
          if later then delay(id, key, serial, due) else queue(id, key, priority, false) end
          answer = ''
        end
        at = at + 6
      elseif op == 'F' then
        local j = holder(id, token)
        if j then
          local name, field, verdict, due = P .. 'j:' .. id, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
          leave(j)
          local text, length = history(j, ARGV[at + 7])
          if field ~= '' then redis.call('HINCRBY', name, field, 1) end
          local later = verdict == '1' and tonumber(due) > tonumber(now)
          redis.call('HSET', name, 's', later and '2' or verdict, 'u', now, 'q', now, 'd', later and due or '', 't', '',
            'w', '', 'x', ARGV[at + 6], 'h', text, 'hn', length)
          if later then delay(id, j[2], j[4], due)
          elseif verdict == '1' then queue(id, j[2], j[3], false)
          else finish(id, j[2], j[4], verdict) end
        else
          answer = 0
        end
        at = at + 8
      elseif op == 'L' then
        local j = holder(id, token)
        if j then
          leave(j)
          local text, length = history(j, ARGV[at + 3])
          local attempt = tonumber(j[7])
          if ARGV[at + 3] == '' then attempt = attempt - 1 end
          redis.call('HSET', P .. 'j:' .. id, 's', '1', 'u', now, 'q', now, 't', '', 'w', '', 'a', attempt, 'h',
            text or '', 'hn', length or '0')
          queue(id, j[2], j[3], true)
        else
          answer = 0
        end
        at = at + 4
      elseif op == 'N' then
        if holder(id, token) then redis.call('HSET', P .. 'j:' .. id, 'l', ARGV[at + 3]) else answer = 0 end
        at = at + 4
      elseif op == 'P' then
        local due = redis.call('ZRANGEBYSCORE', P .. 'delayed', '-inf', now, 'LIMIT', 0, id)
        local moved = {}
        for _, member in ipairs(due) do
          local id = string.sub(member, 18)
          redis.call('ZREM', P .. 'delayed', member)
          local j = redis.call('HMGET', P .. 'j:' .. id, 'k', 'p')
          tally('2', j[1], -1)
          redis.call('HSET', P .. 'j:' .. id, 's', '1', 'u', now, 'q', now, 'd', '')
          queue(id, j[1], j[2], false)
          moved[j[1]] = (moved[j[1]] or 0) + 1
        end
        answer = { redis.call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')[2] or '' }
        for key, n in pairs(moved) do answer[#answer + 1] = key; answer[#answer + 1] = n end
        at = at + 2
      elseif op == 'M' then
        local fields = tonumber(token)
        redis.call('ZADD', P .. 'minutes', id, id)
        for n = 0, fields - 1 do
          -- A sum beyond 64 bits stays as it is: metrics must not stop jobs.
          redis.pcall('HINCRBY', P .. 'm:' .. id, ARGV[at + 3 + 2 * n], ARGV[at + 4 + 2 * n])
        end
        at = at + 3 + 2 * fields
      else
        return redis.error_reply('ERR unknown item ' .. tostring(op))
      end
      out[#out + 1] = answer
    end
    settle()
    return out
    """
