// The room Coordination; its first file replaces this line.
