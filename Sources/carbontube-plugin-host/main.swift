import PhaseHosting

// Nothing else belongs here: closures written at the top level of main.swift belong to the main actor and trap when a
// plugin calls them.
PluginHostProcess.run(Array(CommandLine.arguments.dropFirst()))
