// The room HostSupervision; its first file replaces this line.
