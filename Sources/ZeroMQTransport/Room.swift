// The room ZeroMQTransport; its first file replaces this line.
