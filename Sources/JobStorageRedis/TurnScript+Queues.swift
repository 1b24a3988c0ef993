/// The parts of a turn that bring jobs into queues and out of them: E P G (`turnScript`).
let turnQueues = #"""
  -- The state of a job that is there.
  local function present(id, text)
    local state = sub(text, 1, 1)
    if state == '1' and call('HEXISTS', RUNNING, id) == 1 then return '3' end
    return state
  end

  function parts.E(at)
    local count, key, priority, due = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local ids = at + 3
    local there = call('HMGET', JOB, unpack(ARGV, ids + 1, ids + count))
    local state = due == '0' and '1' or '2'
    local head, tail = state .. ' ' .. key .. ' 0 0 0 0 0 ' .. now .. ' ' .. due .. ' ', ' ' .. now
    local stored, jobs, contents, duplicates, seen, longest = 0, {}, {}, {}, {}, 0
    for n = 1, count do
      local id, instructions = ARGV[ids + n], ARGV[ids + count + n]
      local before = seen[id] or there[n] and present(id, there[n])
      if before then
        duplicates[#duplicates + 1] = n
        duplicates[#duplicates + 1] = before
      else
        local serial = whole(following('serial', 1))
        seen[id] = state
        stored = stored + 1
        jobs[2 * stored - 1], contents[2 * stored - 1] = id, id
        jobs[2 * stored] = head .. #instructions .. ' ' .. priority .. ' ' .. serial .. tail
        contents[2 * stored] = instructions
        if #instructions > longest then longest = #instructions end
        zadd('all', serial, id)
        if state == '1' then queue(id, key, priority, false) else delay(id, key, serial, due) end
      end
    end
    many('HSET', JOB, jobs)
    many('HSET', IN, contents)
    if longest > 0 then raise('largest', longest) end
    return duplicates, ids + 2 * count + 1
  end

  function parts.P(at)
    write_additions()
    local moved, lost = {}, 0
    local due = call('ZRANGEBYSCORE', P .. 'delayed', '-inf', ARGV[at + 1], 'LIMIT', 0, ARGV[at])
    for _, member in ipairs(due) do
      local id = sub(member, 18)
      local text = call('HGET', JOB, id)
      local j = text and job(text) or {}
      if j.state == '2' then
        withdraw(id, j)
        write(id, j, '1', '0')
        queue(id, j.key, j.priority, false)
        moved[j.key] = (moved[j.key] or 0) + 1
      else
        lost = lost + 1
        if not text then purge(id) end
      end
      call('ZREM', P .. 'delayed', member)
    end
    local answer = { lost, call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')[2] or '' }
    for key, n in pairs(moved) do answer[#answer + 1] = key; answer[#answer + 1] = n end
    return answer, at + 2
  end

  local CLAIMED_BYTES = 4194304
  -- The first jobs, as many as have no more bytes of instructions than there is room for, one at least.
  local function fitting(jobs, bytes)
    local count = #jobs
    if counter('largest') * count <= bytes then return count end
    for n = 1, count do
      bytes = bytes - tonumber(jobs[n] and match(jobs[n], '^%d %d+ %d+ %d+ %d+ %d+ %d %d+ %-?%d+ (%d+)') or '0')
      if bytes < 0 then return math.max(1, n - 1) end
    end
    return count
  end
  -- Leaves out the jobs of which something is gone.
  local function whole_jobs(key, ids, jobs, contents, count)
    local kept_ids, kept_jobs, kept_contents, kept = {}, {}, {}, 0
    for n = 1, count do
      local j = jobs[n] and job(jobs[n]) or {}
      if j.state and contents[n] then
        kept = kept + 1
        kept_ids[kept], kept_jobs[kept], kept_contents[kept] = ids[n], jobs[n], contents[n]
      else
        tally('1', key, -1)
        if j.state then bury(ids[n], j) else purge(ids[n]) end
      end
    end
    return kept_ids, kept_jobs, kept_contents, kept
  end

  function parts.G(at)
    local key, room = ARGV[at], tonumber(ARGV[at + 1])
    local holder = ' ' .. ARGV[at + 2] .. ' ' .. now .. ' '
    local name = P .. 'q:' .. key
    write_additions()
    local ids = call('ZRANGE', name, 0, room - 1)
    if #ids == 0 then return { 0, 0 }, at + 3 end
    local jobs = call('HMGET', JOB, unpack(ids))
    local count = fitting(jobs, CLAIMED_BYTES)
    local more = (count < #ids or count == room) and 1 or 0
    call('ZREMRANGEBYRANK', name, 0, count - 1)
    local contents, missing = call('HMGET', IN, unpack(ids, 1, count)), 0
    for n = 1, count do
      if not (jobs[n] and contents[n]) then missing = missing + 1 end
    end
    if missing > 0 or count < #ids then
      ids, jobs, contents, count = whole_jobs(key, ids, jobs, contents, count)
    end
    if count == 0 then return { missing, more }, at + 3 end
    local last, leases = following('token', count), {}
    for n = 1, count do
      leases[2 * n - 1], leases[2 * n] = ids[n], whole(last - count + n) .. holder .. jobs[n]
    end
    many('HSET', RUNNING, leases)
    tally('1', key, -count)
    tally('3', key, count)
    return { missing, more, whole(last - count + 1), ids, jobs, contents }, at + 3
  end

  """#
