// The room HostProtocol; its first file replaces this line.
