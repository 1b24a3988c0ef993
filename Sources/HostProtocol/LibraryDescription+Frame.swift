extension LibraryDescription {
  /// The most phases, and the most pipelines, that one plugin may have.
  public static let maximumEntries = 1_000
}

extension FrameWriter {
  mutating func library(_ library: LibraryDescription) {
    number(library.abiMajor)
    number(library.abiMinor)
    text(library.id)
    text(library.version)
    text(library.summary)
    text(library.build)
    list(library.phases) { $0.phase($1) }
    list(library.pipelines) { $0.pipeline($1) }
  }

  private mutating func phase(_ phase: PhaseDescription) {
    text(phase.jobType)
    text(phase.version)
    text(phase.summary)
    optional(phase.inputSchema) { $0.text($1) }
    optional(phase.outputSchema) { $0.text($1) }
    optional(phase.settingsSchema) { $0.text($1) }
    number(UInt8(phase.isDeterministic ? 1 : 0))
    number(UInt8(phase.isIdempotent ? 1 : 0))
  }

  private mutating func pipeline(_ pipeline: PipelineDescription) {
    text(pipeline.name)
    text(pipeline.version)
    text(pipeline.summary)
    text(pipeline.definition)
    number(UInt8(pipeline.hasHooks ? 1 : 0))
  }
}

extension FrameReader {
  mutating func library() throws(FrameError) -> LibraryDescription {
    LibraryDescription(
      abiMajor: try number(), abiMinor: try number(), id: try text(), version: try text(), summary: try text(),
      build: try text(),
      phases: try list(limit: LibraryDescription.maximumEntries) { reader throws(FrameError) in try reader.phase() },
      pipelines: try list(limit: LibraryDescription.maximumEntries) { reader throws(FrameError) in
        try reader.pipeline()
      })
  }

  private mutating func phase() throws(FrameError) -> PhaseDescription {
    PhaseDescription(
      jobType: try text(), version: try text(), summary: try text(),
      inputSchema: try optional { reader throws(FrameError) in try reader.text() },
      outputSchema: try optional { reader throws(FrameError) in try reader.text() },
      settingsSchema: try optional { reader throws(FrameError) in try reader.text() },
      isDeterministic: try flag(), isIdempotent: try flag())
  }

  private mutating func pipeline() throws(FrameError) -> PipelineDescription {
    PipelineDescription(
      name: try text(), version: try text(), summary: try text(), definition: try text(), hasHooks: try flag())
  }
}
