// The room WireProtocol; its first file replaces this line.
