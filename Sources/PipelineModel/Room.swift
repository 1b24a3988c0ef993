// The room PipelineModel; its first file replaces this line.
