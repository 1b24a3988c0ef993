// The room JobStorageSQLite; its first file replaces this line.
