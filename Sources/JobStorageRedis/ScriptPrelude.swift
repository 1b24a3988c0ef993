/// What every script that writes begins with.
///
/// KEYS[1]  `carbontube:{PIPELINE}:owner`. All other keys begin with what stands before `owner`, so one pipeline is one
///          slot of a cluster.
/// ARGV[1]  the owner, which the key must hold: a coordinator that lost its store to another can write nothing. Where the
///          key is merely gone (a pause, a step of the server's clock) and nobody opened the pipeline since, it is set again.
/// ARGV[2]  now, in milliseconds; ARGV[3] the owner key's time to live, in milliseconds.
///
/// Errors: `CTOWNER who` where another owns the pipeline, `CTLAPSED` where nobody does and this owner was not the last one.
///
/// The keys, all under the prefix:
/// `meta`      hash: schema, phases, owner (the last one), token, serial, front, back, finish, largest (instructions ever,
///             in bytes), paused, paused:KEY, timeline_offset
/// `counts`    hash: w:KEY d:KEY r:KEY x:KEY (waiting, delayed, running, dead by phase key), succeeded, cancelled, bytes
///             (of the instructions of those two), deadbytes
/// `job`       hash: ID → STATE KEY a f c l x UPDATED DUE SIZE REST. STATE of a running job: that before it ran; KEY of the
///             phase; a f c l attempts failures crashes losses; x 1 where `error` may hold its error; UPDATED of a waiting
///             job is also when it was queued; DUE 0 unless delayed; SIZE of the instructions, in bytes; REST: PRIORITY
///             SERIAL ENQUEUED and a line for each of the last 100 attempts (`AttemptText`)
/// `running`   hash: ID → TOKEN WORKER CLAIMED and the job's text as it was claimed. A claim writes here alone
/// `in`        hash: ID → instructions; `error` hash: ID → the last error of a job that had one
/// `q:KEY`     zset, the queue of a phase: ID by place; places fall with priority
/// `delayed`   zset: SERIAL:ID by due time
/// `all`       zset: ID by serial
/// `end`       zset: ID of succeeded and cancelled jobs by the order in which they ended; `dead` zset: the same of dead ones
/// `s:5` `s:6` zsets: ID of dead and cancelled jobs by serial
/// `unreadable` hash: ID → text of a job that could not be read
/// `minutes`   zset of minutes; `m:MINUTE` hash: KEY:counter
///
/// Why hashes of all jobs and not a hash for each: one `redis.call` then serves all items of a turn. Why text and not a
/// field for each value: each string that Lua makes is hashed, looked up and collected as garbage, which costs more than
/// the command that brings it. So a step reads what it needs of a job by one match and carries the rest on as one piece,
/// and a claim reads nothing at all.
let scriptPrelude = #"""
  local P = string.sub(KEYS[1], 1, -6)
  local call, match, sub, find = redis.call, string.match, string.sub, string.find
  local owner = call('GET', KEYS[1])
  local META, COUNTS, RUNNING = P .. 'meta', P .. 'counts', P .. 'running'
  if owner ~= ARGV[1] then
    if owner then return redis.error_reply('CTOWNER ' .. owner) end
    if call('HGET', META, 'owner') ~= ARGV[1] then
      return redis.error_reply('CTLAPSED nobody owns this pipeline')
    end
    call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
  end
  local now = ARGV[2]
  local JOB, IN, ERROR = P .. 'job', P .. 'in', P .. 'error'
  local STEP = 281474976710656
  -- Not %.0f, which takes three times as long.
  local format = string.format
  local function whole(x) return format('%d', x) end

  local NAMES = { 'token', 'serial', 'back', 'front', 'finish', 'largest' }
  local counters, changed = nil, {}
  local function counter(name)
    if not counters then
      counters = {}
      local values = call('HMGET', META, unpack(NAMES))
      -- Without it tokens would begin anew.
      if not values[1] then error(redis.error_reply('CTLAPSED the counters are gone')) end
      for n = 1, #NAMES do counters[NAMES[n]] = tonumber(values[n] or '0') end
    end
    return counters[name]
  end
  local function following(name, step)
    local value = counter(name) + step
    counters[name], changed[name] = value, true
    return value
  end
  local function raise(name, value)
    if value > counter(name) then counters[name], changed[name] = value, true end
  end

  local LETTER = { ['1'] = 'w:', ['2'] = 'd:', ['3'] = 'r:', ['5'] = 'x:' }
  local tallies = { ['1'] = {}, ['2'] = {}, ['3'] = {}, ['4'] = {}, ['5'] = {}, ['6'] = {} }
  local deltas = {}
  local function count(name, change) deltas[name] = (deltas[name] or 0) + change end
  local function tally(state, key, change)
    local tallied = tallies[state]
    tallied[key] = (tallied[key] or 0) + change
  end

  -- Lua's stack is bounded.
  local function many(command, key, list)
    for from = 1, #list, 2000 do call(command, key, unpack(list, from, math.min(from + 1999, #list))) end
  end
  -- Additions to indexes are gathered; who reads an index writes them first.
  local additions = {}
  local function zadd(name, score, member)
    local list = additions[name]
    if not list then list = {}; additions[name] = list end
    local n = #list
    list[n + 1], list[n + 2] = score, member
  end
  local function write_additions()
    for name, list in pairs(additions) do many('ZADD', P .. name, list) end
    additions = {}
  end

  local queues = {}
  local function queue(id, key, priority, first)
    local place = first and following('front', -1) or following('back', 1)
    local name = queues[key]
    if not name then name = 'q:' .. key; queues[key] = name end
    zadd(name, whole(place - priority * STEP), id)
    tally('1', key, 1)
  end
  local function delayed_name(serial, id) return string.format('%016.0f', tonumber(serial)) .. ':' .. id end
  local function delay(id, key, serial, due)
    zadd('delayed', due, delayed_name(serial, id))
    tally('2', key, 1)
  end
  local function finish(id, key, state, size, serial)
    zadd(state == '5' and 'dead' or 'end', whole(following('finish', 1)), id)
    if state ~= '4' then zadd('s:' .. state, serial, id) end
    tally(state, key, 1)
    count(state == '5' and 'deadbytes' or 'bytes', tonumber(size))
  end

  -- A job in parts, for steps that are not many. Of a text that another program wrote no part is there.
  local function job(text, from)
    local j = {}
    j.state, j.key, j.a, j.f, j.c, j.l, j.x, j.size, j.rest, j.priority, j.serial =
      match(text, '^(%d) (%d+) (%d+) (%d+) (%d+) (%d+) (%d) %d+ %-?%d+ (%d+) ((%-?%d+) (%d+) .*)$', from)
    return j
  end
  local function running(id)
    local text = call('HGET', RUNNING, id)
    if not text then return nil end
    local token, worker, claimed, from = match(text, '^(%d+) (%S+) (%-?%d+) ()')
    local j = token and job(text, from)
    if not j or not j.state then return nil end
    j.lease, j.token, j.worker, j.claimed, j.state, j.a = text, token, worker, claimed, '3', j.a + 1
    return j
  end
  local function write(id, j, state, due)
    call('HSET', JOB, id, table.concat({ state, j.key, j.a, j.f, j.c, j.l, j.x, now, due, j.size, j.rest }, ' '))
  end
  -- A timeline keeps the last 100 attempts. A shorter text cannot hold more, since one takes 14 bytes at least.
  local function bounded(text)
    if #text < 1400 then return text end
    local lines, at = {}, find(text, '\n', 1, true)
    while at do
      lines[#lines + 1] = at
      at = find(text, '\n', at + 1, true)
    end
    if #lines <= 100 then return text end
    return sub(text, 1, lines[1] - 1) .. sub(text, lines[#lines - 99])
  end
  local function withdraw(id, j)
    if j.state == '1' then call('ZREM', P .. 'q:' .. j.key, id)
    elseif j.state == '2' then call('ZREM', P .. 'delayed', delayed_name(j.serial, id))
    elseif j.state == '3' then call('HDEL', RUNNING, id)
    else
      call('ZREM', P .. (j.state == '5' and 'dead' or 'end'), id)
      if j.state ~= '4' then call('ZREM', P .. 's:' .. j.state, id) end
      count(j.state == '5' and 'deadbytes' or 'bytes', -j.size)
    end
    tally(j.state, j.key, -1)
  end

  -- Takes away what is left of a job whose text is gone. One that cannot be read is set aside.
  local function purge(id)
    local text = call('HGET', JOB, id)
    if text then call('HSET', P .. 'unreadable', id, text) end
    for _, name in ipairs({ 'all', 'end', 'dead', 's:5', 's:6' }) do call('ZREM', P .. name, id) end
    for _, key in ipairs({ JOB, IN, ERROR, RUNNING }) do call('HDEL', key, id) end
  end
  -- Buries a job, in parts and withdrawn, whose instructions are gone: it cannot run, but somebody should see it.
  local LOST = '4:Lost36:its instructions are gone from Redis0:0:'
  local function bury(id, j)
    call('HSET', IN, id, '')
    call('HSET', ERROR, id, LOST)
    j.x = '1'
    write(id, j, '5', '0')
    finish(id, j.key, '5', j.size, j.serial)
  end
  -- Under `maxmemory` Redis lets a script write that has removed something before.
  local function make_way() call('DEL', P .. 'nothing') end

  local function settle()
    write_additions()
    local list = {}
    for name in pairs(changed) do list[#list + 1] = name; list[#list + 1] = whole(counters[name]) end
    if #list > 0 then call('HSET', META, unpack(list)) end
    for state, tallied in pairs(tallies) do
      for key, change in pairs(tallied) do
        count(LETTER[state] and LETTER[state] .. key or state == '4' and 'succeeded' or 'cancelled', change)
      end
    end
    for name, change in pairs(deltas) do
      if change ~= 0 then call('HINCRBY', COUNTS, name, change) end
    end
    call('PEXPIRE', KEYS[1], ARGV[3])
  end

  """#
