// The room PhaseHosting; its first file replaces this line.
