// The room PhaseServing; its first file replaces this line.
