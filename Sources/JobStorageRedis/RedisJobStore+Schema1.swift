internal import JobStorage
internal import PipelineModel

/// ARGV from the fourth on: IDs. Moves jobs of schema 1, where each had a hash `j:ID` with a field for each value, into the
/// hashes of schema 2 (`scriptPrelude`), leases with them. A job that is there already is left as it is. Returns 1.
///
/// In `j:ID`: s k a f c u d p n e as the words of schema 2 in their order, d '' unless delayed; i instructions, x error, hn
/// attempts in all, hN the Nth, of the last 100. In `running`: TOKEN KEY WORKER a f c UNTIL CLAIMED and more.
let moveSchema1Script =
  scriptPrelude + #"""
    for n = 4, #ARGV do
      local id = ARGV[n]
      local fields, f = call('HGETALL', P .. 'j:' .. id), {}
      for m = 1, #fields, 2 do f[fields[m]] = fields[m + 1] end
      if f.s then
        local due = f.s == '2' and f.d or '0'
        local lines = { table.concat({ f.s, f.k, f.a, f.f, f.c, f.u, due, #f.i, f.p, f.n, f.e }, ' ') }
        local attempts = tonumber(f.hn or '0')
        for m = math.max(1, attempts - 99), attempts do lines[#lines + 1] = f['h' .. m] end
        local text = table.concat(lines, '\n')
        local lease = call('HGET', RUNNING, id)
        if lease then
          local token, worker, times = match(lease, '^(%d+) %d+( %S+) %d+ %d+ %d+( %S+ %S+ )')
          call('HSET', RUNNING, id, token .. worker .. times .. text)
        end
        call('HSET', JOB, id, text)
        call('HSET', IN, id, f.i)
        if f.x then call('HSET', ERROR, id, f.x) end
        call('DEL', P .. 'j:' .. id)
      end
    end
    settle()
    return 1
    """#

extension RedisJobStore {
  private static let jobsPerMove = 500

  /// May be cut off at any call and begun again: `meta` says schema 1 until all jobs are moved.
  func moveSchema1(_ session: Session, now: Timestamp) throws(StoreError) {
    var start = 0
    while true {
      let range = [Array("ZRANGE".utf8), session.key("all"), bytes(start), bytes(start + Self.jobsPerMove - 1)]
      let ids = (try exchange([range], session, operation: "open")[0].array ?? []).compactMap(\.bytes)
      if ids.isEmpty { return }
      _ = try run(.moveSchema1, ids, session, now: now, operation: "open")
      start += ids.count
    }
  }
}
