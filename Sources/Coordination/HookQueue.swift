internal import Dispatch

/// Calls hooks in order, in a thread of their own.
final class HookQueue: Sendable {
  let hooks: PipelineHooks
  private let queue = DispatchQueue(label: "carbontube.hooks")

  init(_ hooks: PipelineHooks) { self.hooks = hooks }

  func call(_ body: @escaping @Sendable (PipelineHooks) -> Void) {
    queue.async { [hooks] in body(hooks) }
  }

  /// Waits for the hooks called so far.
  func drain() { queue.sync {} }
}
