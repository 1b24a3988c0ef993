// The room PipelineAccess; its first file replaces this line.
