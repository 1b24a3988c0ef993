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
/// `j:ID`      hash, a job: n serial, s state (of a running job: 1), k phase key, p priority, a f c attempts failures
///             crashes, i instructions, e u q enqueued, updated and queued at, d due at, x error, hn attempts in all,
///             hN the Nth attempt, of the last 100
/// `q:KEY`     zset, the queue of a phase: ID by place; places fall with priority
/// `delayed`   zset: SERIAL:ID by due time
/// `running`   hash: ID → TOKEN KEY WORKER a f c UNTIL CLAIMED p n hn. A claim writes here alone: the job's hash is left
///             as it is
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
  -- Each redis.call costs some 3 µs whatever it does, so additions to an index are gathered into one.
  local additions = {}
  local function zadd(name, score, member)
    local list = additions[name]
    if not list then list = {}; additions[name] = list end
    list[#list + 1] = score
    list[#list + 1] = member
  end
  local function many(command, key, list)
    -- Lua's stack is bounded.
    for from = 1, #list, 2000 do
      redis.call(command, key, unpack(list, from, math.min(from + 1999, #list)))
    end
  end
  local function write_additions()
    for name, list in pairs(additions) do many('ZADD', P .. name, list) end
    additions = {}
  end
  local function queue(id, key, priority, first)
    local place = first and following('front', -1) or following('back', 1)
    zadd('q:' .. key, whole(place - tonumber(priority) * STEP), id)
    tally('1', key, 1)
  end
  local function delayedName(serial, id) return string.format('%016.0f', tonumber(serial)) .. ':' .. id end
  local function delay(id, key, serial, due)
    zadd('delayed', due, delayedName(serial, id))
    tally('2', key, 1)
  end
  local function finish(id, key, serial, state)
    zadd('end', whole(following('finish', 1)), id)
    if state ~= '4' then zadd('s:' .. state, serial, id) end
    tally(state, key, 1)
    count('bytes', redis.call('HSTRLEN', P .. 'j:' .. id, 'i'))
  end
  local function lease(id)
    local text = redis.call('HGET', P .. 'running', id)
    if not text then return nil end
    local words = {}
    for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
    return words
  end
  local function withdraw(id, state, key, serial)
    if state == '1' then redis.call('ZREM', P .. 'q:' .. key, id)
    elseif state == '2' then redis.call('ZREM', P .. 'delayed', delayedName(serial, id))
    elseif state == '3' then redis.call('HDEL', P .. 'running', id)
    else
      redis.call('ZREM', P .. 'end', id)
      if state ~= '4' then redis.call('ZREM', P .. 's:' .. state, id) end
      count('bytes', -redis.call('HSTRLEN', P .. 'j:' .. id, 'i'))
    end
    tally(state, key, -1)
  end
  local function settle()
    write_additions()
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
    -- What the leases say before this turn, in one call.
    local WIDTH = { C = 7, F = 8, L = 4, E = 6, N = 4, P = 2, G = 5 }
    local holders, leases, left = {}, {}, {}
    local place = at
    while place <= last do
      local op = ARGV[place]
      if op == 'C' or op == 'F' or op == 'L' or op == 'N' then holders[#holders + 1] = ARGV[place + 1] end
      place = place + (WIDTH[op] or 3 + 2 * tonumber(ARGV[place + 2]))
    end
    if #holders > 0 then
      local texts = redis.call('HMGET', P .. 'running', unpack(holders))
      for n, id in ipairs(holders) do leases[id] = texts[n] end
    end
    local function holder(id, token)
      local text = leases[id]
      if not text or string.sub(text, 1, #token + 1) ~= token .. ' ' then return nil end
      local words = {}
      for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
      return words
    end
    local function leave(id, l)
      leases[id] = false
      left[#left + 1] = id
      tally('3', l[2], -1)
    end
    local function write_leaves()
      if #left > 0 then many('HDEL', P .. 'running', left) end
      left = {}
    end
    -- The fields that an attempt adds to a job's hash.
    local function remembered(id, l, attempt)
      local number = tonumber(l[11]) + 1
      if number > 100 then redis.call('HDEL', P .. 'j:' .. id, 'h' .. (number - 100)) end
      return 'h' .. number, attempt, 'hn', number
    end
    while at <= last do
      local op = ARGV[at]
      local id, token = ARGV[at + 1], ARGV[at + 2]
      local answer = 1
      if op == 'C' then
        local l = holder(id, token)
        if l then
          local name, key = P .. 'j:' .. id, ARGV[at + 5]
          leave(id, l)
          if ARGV[at + 3] == '1' then redis.call('HSET', name, 'i', ARGV[at + 4]) end
          if key == '' then
            redis.call('HSET', name, 's', '4', 'a', l[4], 'f', '0', 'c', '0', 'u', now, remembered(id, l, ARGV[at + 6]))
            finish(id, l[2], l[10], '4')
          else
            redis.call('HSET', name, 's', '1', 'k', key, 'a', '0', 'f', '0', 'c', '0', 'u', now, 'q', now,
              remembered(id, l, ARGV[at + 6]))
            queue(id, key, l[9], false)
          end
        else
          answer = 0
        end
        at = at + 7
      elseif op == 'G' then
        local key = ARGV[at + 1]
        write_leaves()
        write_additions()
        local popped = redis.call('ZPOPMIN', P .. 'q:' .. key, ARGV[at + 2])
        answer = {}
        local given = {}
        for n = 1, #popped, 2 do
          local id = popped[n]
          local j = redis.call('HMGET', P .. 'j:' .. id, 'a', 'f', 'c', 'i', 'q', 'p', 'n', 'hn')
          local token = following('token', 1)
          local attempt = tonumber(j[1]) + 1
          local m = #answer
          answer[m + 1], answer[m + 2], answer[m + 3], answer[m + 4] = id, token, attempt, tonumber(j[2])
          answer[m + 5], answer[m + 6], answer[m + 7] = tonumber(j[3]), j[4], tonumber(j[5])
          given[#given + 1] = id
          given[#given + 1] = table.concat(
            { whole(token), key, ARGV[at + 3], attempt, j[2], j[3], ARGV[at + 4], now, j[6], j[7], j[8] or '0' }, ' ')
        end
        many('HSET', P .. 'running', given)
        local taken = #popped / 2
        if taken > 0 then
          tally('1', key, -taken)
          tally('3', key, taken)
        end
        at = at + 5
      elseif op == 'E' then
        write_leaves()
        local name, key, priority, due = P .. 'j:' .. id, token, ARGV[at + 3], ARGV[at + 4]
        local there = redis.call('HGET', name, 's')
        if there then
          answer = there
          if there == '1' and redis.call('HEXISTS', P .. 'running', id) == 1 then answer = '3' end
        else
          local serial = whole(following('serial', 1))
          local later = due ~= '' and tonumber(due) > tonumber(now)
          redis.call('HSET', name, 'n', serial, 's', later and '2' or '1', 'k', key, 'p', priority, 'a', '0', 'f', '0',
            'c', '0', 'i', ARGV[at + 5], 'e', now, 'u', now, 'q', now, 'd', later and due or '')
          zadd('all', serial, id)
          if later then delay(id, key, serial, due) else queue(id, key, priority, false) end
          answer = ''
        end
        at = at + 6
      elseif op == 'F' then
        local l = holder(id, token)
        if l then
          local field, verdict, due = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
          leave(id, l)
          local later = verdict == '1' and tonumber(due) > tonumber(now)
          redis.call('HSET', P .. 'j:' .. id, 's', later and '2' or verdict, 'u', now, 'q', now, 'd', later and due or '',
            'a', l[4], 'f', l[5] + (field == 'f' and 1 or 0), 'c', l[6] + (field == 'c' and 1 or 0), 'x', ARGV[at + 6],
            remembered(id, l, ARGV[at + 7]))
          if later then delay(id, l[2], l[10], due)
          elseif verdict == '1' then queue(id, l[2], l[9], false)
          else finish(id, l[2], l[10], verdict) end
        else
          answer = 0
        end
        at = at + 8
      elseif op == 'L' then
        local l = holder(id, token)
        if l then
          leave(id, l)
          local name = P .. 'j:' .. id
          if ARGV[at + 3] == '' then
            redis.call('HSET', name, 's', '1', 'u', now, 'q', now, 'a', l[4] - 1)
          else
            redis.call('HSET', name, 's', '1', 'u', now, 'q', now, 'a', l[4], remembered(id, l, ARGV[at + 3]))
          end
          queue(id, l[2], l[9], true)
        else
          answer = 0
        end
        at = at + 4
      elseif op == 'N' then
        local l = holder(id, token)
        if l then
          l[7] = ARGV[at + 3]
          leases[id] = table.concat(l, ' ')
          redis.call('HSET', P .. 'running', id, leases[id])
        else
          answer = 0
        end
        at = at + 4
      elseif op == 'P' then
        write_additions()
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
    write_leaves()
    settle()
    return out
    """
