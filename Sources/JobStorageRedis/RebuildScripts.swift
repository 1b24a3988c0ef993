/// Scripts that make indexes and counts anew from the jobs themselves, after an eviction or another program took a part of
/// them away. Each does one bite; all can be cut off and begun again.

/// ARGV from the fourth on: IDs of jobs or leases. Brings them into `all`; a lease also gives its job the text back.
/// Returns 1.
let indexScript =
  scriptPrelude + """
    make_way()
    for n = 4, #ARGV do
      local id = ARGV[n]
      local text = call('HGET', JOB, id)
      if not text then
        local lease = call('HGET', RUNNING, id)
        text = lease and match(lease, '^%d+ %S+ %-?%d+ (.*)$')
        if text and job(text).state then call('HSET', JOB, id, text) end
      end
      local j = text and job(text) or {}
      if j.state then
        call('ZADD', P .. 'all', 'NX', j.serial, id)
        raise('serial', tonumber(j.serial))
      else
        purge(id)
      end
    end
    settle()
    return 1
    """

/// ARGV[4] a place in `all`, ARGV[5] how many from there: counts these jobs in `recount`, and puts each where it belongs.
/// Returns how many of them are still there.
let recountScript =
  scriptPrelude + """
    make_way()
    COUNTS = P .. 'recount'
    local function there(name, member) return call('ZSCORE', P .. name, member) end
    local places = {}
    places['1'] = function(id, j)
      local score = there('q:' .. j.key, id)
      if not score then return queue(id, j.key, j.priority, false) end
      local place = tonumber(score) + j.priority * STEP
      raise('back', place)
      if place < counter('front') then following('front', place - counter('front')) end
      tally('1', j.key, 1)
    end
    places['2'] = function(id, j, text)
      local due = match(text, '^%d %d+ %d+ %d+ %d+ %d+ %d %d+ (%-?%d+)')
      call('ZADD', P .. 'delayed', 'NX', due, delayed_name(j.serial, id))
      tally('2', j.key, 1)
    end
    places['3'] = function(id, j) tally('3', j.key, 1) end
    local function ended(id, j)
      local index = j.state == '5' and 'dead' or 'end'
      local score = there(index, id)
      if score and (j.state == '4' or there('s:' .. j.state, id)) then
        raise('finish', tonumber(score))
        tally(j.state, j.key, 1)
        count(j.state == '5' and 'deadbytes' or 'bytes', tonumber(j.size))
      else
        finish(id, j.key, j.state, j.size, j.serial)
      end
    end
    places['4'], places['5'], places['6'] = ended, ended, ended

    local first = tonumber(ARGV[4])
    local ids, kept = call('ZRANGE', P .. 'all', first, first + tonumber(ARGV[5]) - 1), 0
    for _, id in ipairs(ids) do
      local text = call('HGET', JOB, id)
      local lease = text and running(id)
      -- A lease that cannot be read is none.
      if lease then raise('token', tonumber(lease.token)) else call('HDEL', RUNNING, id) end
      local j = lease or text and job(text) or {}
      if places[j.state] then
        kept = kept + 1
        raise('serial', tonumber(j.serial))
        if call('HEXISTS', IN, id) == 1 then
          places[j.state](id, j, text)
        elseif j.state == '1' or j.state == '2' then
          bury(id, j)
        else
          call('HSET', IN, id, '')
          places[j.state](id, j, text)
        end
      else
        purge(id)
      end
    end
    settle()
    return kept
    """

/// ARGV[4] the name of an index, ARGV[5] its letter (the states whose jobs stand there), ARGV[6] a place in it, ARGV[7] how
/// many from there: removes what does not belong there. Returns how many of them are still there.
let sweepScript =
  scriptPrelude + """
    make_way()
    local name, states, first = ARGV[4], ARGV[5], tonumber(ARGV[6])
    local kept = 0
    for _, member in ipairs(call('ZRANGE', P .. name, first, first + tonumber(ARGV[7]) - 1)) do
      local id = name == 'delayed' and sub(member, 18) or member
      local text = call('HGET', JOB, id)
      local j = text and (running(id) or job(text)) or {}
      if j.state and find(states, j.state, 1, true) and (states ~= '1' or name == 'q:' .. j.key) then
        kept = kept + 1
      else
        call('ZREM', P .. name, member)
      end
    end
    settle()
    return kept
    """

/// Puts the new counts in the place of the old ones. Returns 1.
let adoptScript =
  scriptPrelude + """
    call('DEL', COUNTS)
    if call('EXISTS', P .. 'recount') == 1 then call('RENAME', P .. 'recount', COUNTS) end
    settle()
    return 1
    """

/// ARGV from the fourth on: IDs of jobs that cannot be read. Takes them out; the counts must be made anew. Returns 1.
let setAsideScript =
  scriptPrelude + """
    make_way()
    for n = 4, #ARGV do purge(ARGV[n]) end
    settle()
    return 1
    """
