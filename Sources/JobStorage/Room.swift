// The room JobStorage; its first file replaces this line.
