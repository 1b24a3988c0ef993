/// A turn, or a part of one, in order. Lua runs to its end, so each item is done wholly or not at all.
///
/// ARGV from the fourth on: parts, each a letter and its arguments. Settlements and enqueues, the many, come as one part
/// for a run of them that are alike, so that each hash is read and written once for all; the others one by one.
///
/// `S` N FROM HEAD ERRED DUE FIRST CHANGED ID×N TOKEN×N ATTEMPT×N (INSTRUCTIONS×N) (ERROR×N)
///                                                settle those that run under TOKEN in the phase of key FROM. HEAD is `STATE
///                                                KEY a f c l` from now on; ERRED 1: with ERROR, 0: without, '': as it is;
///                                                DUE 0 but for STATE 2; FIRST 1: to the front; INSTRUCTIONS where CHANGED
///                                                is 1; ATTEMPT '': none
/// `E` N KEY PRIORITY DUE ID×N INSTRUCTIONS×N     enqueue; DUE 0 at once
/// `P` LIMIT TIME                                 promote what is due by TIME
/// `G` KEY LIMIT WORKER                           claim, 500 jobs or 4 MiB of instructions at most
/// `M` MINUTE N (FIELD VALUE)×N                   metrics
///
/// An ATTEMPT is the end of a line and then its own (`AttemptText`).
///
/// Returns an array with an element for each part. S: {the place of each that is stale, from 1}. E: {place, state, …} of
/// those that are there already. P: {lost, next due or '', KEY, count, …}. M: 1.
/// G: {lost, 1 where there may be more, TOKEN of the first, {ID, …}, {text in `job`, …}, {instructions, …}}, the last four
/// only where there is a job; the others' tokens follow on the first. Lost are jobs of which something is gone.
let turnScript =
  scriptPrelude + turnSettlements + turnQueues + #"""
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
