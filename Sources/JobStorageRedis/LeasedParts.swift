/// The parts of a turn that carry a token: C F L (`turnScript`). A part is a function from the place of its first
/// argument to its answer and the place behind its last one.
let leasedParts = #"""
  local parts = {}

  function parts.C(at)
    local count, next_key, changed = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2] == '1'
    local ids = at + 2
    local tokens, attempts, instructions = ids + count, ids + 2 * count, ids + 3 * count
    local leases = call('HMGET', RUNNING, unpack(ARGV, ids + 1, ids + count))
    local begun = '1 ' .. next_key .. ' 0 0 0 0 0 ' .. now .. ' 0 '
    local done, jobs, contents, left, stale, seen, forgiven, longest = 0, {}, {}, {}, {}, {}, {}, 0
    for n = 1, count do
      local id, text = ARGV[ids + n], leases[n]
      local token, key, a, erred, size, rest_at, priority
      if text and not seen[id] then
        token, key, a, erred, size, rest_at, priority =
          match(text, '^(%d+) %S+ %S+ %d (%d+) (%d+) %d+ %d+ %d+ (%d) %d+ %S+ (%d+) ()(%-?%d+)')
      end
      if token == ARGV[tokens + n] then
        seen[id] = true
        done = done + 1
        left[done], jobs[2 * done - 1], contents[2 * done - 1] = id, id, id
        if changed then
          contents[2 * done] = ARGV[instructions + n]
          size = #contents[2 * done]
          if size > longest then longest = size end
        end
        if erred ~= '0' then forgiven[#forgiven + 1] = id end
        tally('3', key, -1)
        local head = begun
        if next_key == '' then
          head = '4 ' .. key .. ' ' .. (a + 1) .. ' 0 0 0 0 ' .. now .. ' 0 '
          finish(id, key, '4', size)
        else
          queue(id, next_key, priority, false)
        end
        jobs[2 * done] = bounded(head .. size .. ' ' .. sub(text, rest_at) .. ARGV[attempts + n])
      else
        stale[#stale + 1] = n
      end
    end
    many('HSET', JOB, jobs)
    if changed then many('HSET', IN, contents) end
    many('HDEL', RUNNING, left)
    many('HDEL', ERROR, forgiven)
    if longest > 0 then raise('largest', longest) end
    return stale, ids + (changed and 4 or 3) * count + 1
  end

  -- Takes the lease away, where it has this token.
  local function leave(id, token)
    local j = running(id)
    if not j or j.token ~= token then return nil end
    withdraw(id, j)
    return j
  end

  function parts.F(at)
    local id, counter, state, due = ARGV[at], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    local j = leave(id, ARGV[at + 1])
    if j then
      if counter ~= '' then j[counter] = j[counter] + 1 end
      j.x = '1'
      j.rest = bounded(j.rest .. ARGV[at + 6])
      write(id, j, state, due)
      call('HSET', ERROR, id, ARGV[at + 5])
      if state == '1' then queue(id, j.key, j.priority, false)
      elseif state == '2' then delay(id, j.key, j.serial, due)
      else finish(id, j.key, state, j.size, j.serial) end
    end
    return j and 1 or 0, at + 7
  end

  function parts.L(at)
    local id, losses, attempt = ARGV[at], ARGV[at + 2], ARGV[at + 3]
    local j = leave(id, ARGV[at + 1])
    if j then
      if losses ~= '' then j.l = losses end
      if attempt == '' then j.a = j.a - 1 end
      j.rest = bounded(j.rest .. attempt)
      write(id, j, '1', '0')
      queue(id, j.key, j.priority, true)
    end
    return j and 1 or 0, at + 4
  end

  """#
