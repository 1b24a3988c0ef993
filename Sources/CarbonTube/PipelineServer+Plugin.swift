public import Coordination
public import JobStorage

extension PipelineServer {
  /// The coordinator of a pipeline as a plugin defines it: with its phases, its author's hooks, which are called after those
  /// of `settings`, and, unless `settings` has another, the schema that its first phase declares.
  ///
  /// - Parameters:
  ///   - storage: where jobs are kept; nil: what the pipeline's author chose, else `sqlite:carbontube-NAME.db` here.
  ///   - stores: what that address may name.
  /// - Throws: `StoreError` where the address of the storage is wrong, `PipelineServerError` where another cannot be used.
  public convenience init(
    _ plugin: PluginPipeline, storage: String? = nil, stores: StorageSchemes = .standard,
    settings: PipelineServerSettings = PipelineServerSettings()
  ) throws {
    var settings = settings
    settings.hooks = settings.hooks.adding(plugin.hooks)
    if settings.instructionsSchema == nil { settings.instructionsSchema = plugin.instructionsSchema() }
    let store = try stores.store(at: plugin.storageAddress(storage))
    try self.init(pipeline: plugin.definition, storage: store, settings: settings)
  }
}
