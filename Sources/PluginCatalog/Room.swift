// The room PluginCatalog; its first file replaces this line.
