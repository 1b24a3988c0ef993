/// The parts of a turn that bring jobs into queues and out of them: E P G (`turnScript`).
let queueParts = #"""
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
    local head, tail = state .. ' ' .. key .. ' 0 0 0 ' .. now .. ' ' .. due .. ' ', ' ' .. now
    local stored, jobs, contents, duplicates, seen = 0, {}, {}, {}, {}
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
        zadd('all', serial, id)
        if state == '1' then queue(id, key, priority, false) else delay(id, key, serial, due) end
      end
    end
    many('HSET', JOB, jobs)
    many('HSET', IN, contents)
    return duplicates, ids + 2 * count + 1
  end

  function parts.P(at)
    write_additions()
    local moved = {}
    for _, member in ipairs(call('ZRANGEBYSCORE', P .. 'delayed', '-inf', now, 'LIMIT', 0, ARGV[at])) do
      local id = sub(member, 18)
      local j = job(call('HGET', JOB, id))
      withdraw(id, j)
      write(id, j, '1', '0')
      queue(id, j.key, j.priority, false)
      moved[j.key] = (moved[j.key] or 0) + 1
    end
    local answer = { call('ZRANGE', P .. 'delayed', 0, 0, 'WITHSCORES')[2] or '' }
    for key, n in pairs(moved) do answer[#answer + 1] = key; answer[#answer + 1] = n end
    return answer, at + 1
  end

  function parts.G(at)
    local key, room = ARGV[at], tonumber(ARGV[at + 1])
    local holder = ' ' .. ARGV[at + 2] .. ' ' .. ARGV[at + 3] .. ' ' .. now .. ' '
    local answer = {}
    write_additions()
    while room > 0 do
      local wanted = math.min(room, 500)
      local ids = call('ZRANGE', P .. 'q:' .. key, 0, wanted - 1)
      local count = #ids
      if count == 0 then break end
      call('ZREMRANGEBYRANK', P .. 'q:' .. key, 0, count - 1)
      local jobs, contents = call('HMGET', JOB, unpack(ids)), call('HMGET', IN, unpack(ids))
      local last = following('token', count)
      local leases = {}
      for n = 1, count do
        leases[2 * n - 1], leases[2 * n] = ids[n], whole(last - count + n) .. holder .. jobs[n]
      end
      many('HSET', RUNNING, leases)
      tally('1', key, -count)
      tally('3', key, count)
      local m = #answer
      answer[m + 1], answer[m + 2], answer[m + 3], answer[m + 4] = whole(last - count + 1), ids, jobs, contents
      room = room - count
      if count < wanted then break end
    end
    return answer, at + 4
  end

  """#
