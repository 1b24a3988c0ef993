internal import CarbonTubeCommand

CarbonTubeCommand.main()
