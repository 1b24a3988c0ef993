// The room PhaseKit; its first file replaces this line.
