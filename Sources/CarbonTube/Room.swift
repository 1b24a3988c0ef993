// The room CarbonTube; its first file replaces this line.
