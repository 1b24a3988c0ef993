// The room JobStorageRedis; its first file replaces this line.
