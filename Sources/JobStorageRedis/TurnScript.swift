/// A turn, or a part of one, in order. Lua runs to its end, so each item is done wholly or not at all.
///
/// ARGV from the fourth on: parts, each a letter and its arguments. Completions and enqueues, the many, come as one part
/// for a run of them, so that each hash is read and written once for all; the others one by one.
///
/// `C` N NEXT CHANGED ID×N TOKEN×N ATTEMPT×N (INSTRUCTIONS×N)
///                                                complete; NEXT the next phase's key or '', INSTRUCTIONS where CHANGED is 1
/// `F` ID TOKEN COUNTER STATE DUE ERROR ATTEMPT   fail; COUNTER f, c, l or ''; STATE from now on: 1, 2, 5 or 6; DUE 0 but for 2
/// `L` ID TOKEN LOSSES ATTEMPT                    release to the front; LOSSES '' as they are, ATTEMPT '' not counted
/// `E` N KEY PRIORITY DUE ID×N INSTRUCTIONS×N     enqueue; DUE 0 at once
/// `P` LIMIT TIME                                 promote what is due by TIME
/// `G` KEY LIMIT WORKER                           claim, 500 jobs or 4 MiB of instructions at most
/// `M` MINUTE N (FIELD VALUE)×N                   metrics
///
/// An ATTEMPT is the end of a line and then its own (`AttemptText`).
///
/// Returns an array with an element for each part. C: {the place of each that is stale, from 1}. E: {place, state, …} of
/// those that are there already. F L: 1 recorded, 0 stale. P: {lost, next due or '', KEY, count, …}. M: 1.
/// G: {lost, 1 where there may be more, TOKEN of the first, {ID, …}, {text in `job`, …}, {instructions, …}}, the last four
/// only where there is a job; the others' tokens follow on the first. Lost are jobs of which something is gone.
let turnScript =
  scriptPrelude + leasedParts + queueParts + #"""
    function parts.M(at)
      local minute, fields = ARGV[at], tonumber(ARGV[at + 1])
      call('ZADD', P .. 'minutes', minute, minute)
      for n = at + 2, at + 2 * fields, 2 do
        -- A sum beyond 64 bits stays as it is: metrics must not stop jobs.
        redis.pcall('HINCRBY', P .. 'm:' .. minute, ARGV[n], ARGV[n + 1])
      end
      return 1, at + 2 + 2 * fields
    end

    local out, at = {}, 4
    while at <= #ARGV do
      local part = parts[ARGV[at]]
      if not part then return redis.error_reply('ERR unknown part ' .. ARGV[at]) end
      out[#out + 1], at = part(at + 1)
    end
    settle()
    return out
    """#
