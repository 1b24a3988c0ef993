/// The part of a turn that carries tokens: S (`turnScript`). A part is a function from the place of its first argument to
/// its answer and the place behind its last one.
///
/// It decides nothing: it is told what the jobs of a run become (`JobLifecycle`), and makes it so for those that run under
/// their token in their phase.
let turnSettlements = #"""
  local parts = {}

  function parts.S(at)
    local count, from, head = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
    local erred, due, first, changed = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5] == '1', ARGV[at + 6] == '1'
    local ids = at + 6
    local tokens, attempts, instructions = ids + count, ids + 2 * count, ids + 3 * count
    local errors = instructions + (changed and count or 0)
    local leases = call('HMGET', RUNNING, unpack(ARGV, ids + 1, ids + count))
    local state, key = match(head, '^(%d) (%d+)')
    local tail = ' ' .. now .. ' ' .. due .. ' '
    local line = erred ~= '' and head .. ' ' .. erred .. tail
    local done, jobs, contents, left, stale, seen, longest = 0, {}, {}, {}, {}, {}, 0
    local failed, forgiven = {}, {}
    for n = 1, count do
      local id, text = ARGV[ids + n], leases[n]
      local token, held, x, size, rest_at, priority
      if text and not seen[id] then
        token, held, x, size, rest_at, priority =
          match(text, '^(%d+) %S+ %S+ %d (%d+) %d+ %d+ %d+ %d+ (%d) %d+ %S+ (%d+) ()(%-?%d+)')
      end
      if token == ARGV[tokens + n] and held == from then
        seen[id] = true
        done = done + 1
        left[done], jobs[2 * done - 1], contents[2 * done - 1] = id, id, id
        if changed then
          contents[2 * done] = ARGV[instructions + n]
          size = #contents[2 * done]
          if size > longest then longest = size end
        end
        if erred == '1' then
          failed[2 * done - 1], failed[2 * done] = id, ARGV[errors + n]
        elseif erred == '0' and x ~= '0' then
          forgiven[#forgiven + 1] = id
        end
        if state == '1' then
          queue(id, key, priority, first)
        elseif state == '4' then
          finish(id, key, '4', size)
        else
          local serial = match(text, '^%-?%d+ (%d+)', rest_at)
          if state == '2' then delay(id, key, serial, due) else finish(id, key, state, size, serial) end
        end
        local begin = line or head .. ' ' .. x .. tail
        jobs[2 * done] = bounded(begin .. size .. ' ' .. sub(text, rest_at) .. ARGV[attempts + n])
      else
        stale[#stale + 1] = n
      end
    end
    tally('3', from, -done)
    many('HSET', JOB, jobs)
    if changed then many('HSET', IN, contents) end
    many('HDEL', RUNNING, left)
    many('HSET', ERROR, failed)
    many('HDEL', ERROR, forgiven)
    if longest > 0 then raise('largest', longest) end
    return stale, errors + (erred == '1' and count or 0) + 1
  end

  """#
