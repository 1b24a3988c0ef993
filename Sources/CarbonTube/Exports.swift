// What an embedding program needs is here with one import: `import CarbonTube`.
@_exported public import ControlProtocol
@_exported public import Coordination
@_exported public import struct HostSupervision.PluginHostConfiguration
@_exported public import struct HostSupervision.SecretValues
@_exported public import JobStorage
@_exported public import PhaseServing
@_exported public import PhaseSettings
@_exported public import PipelineAccess
@_exported public import PipelineModel
@_exported public import PluginCatalog
@_exported public import WireProtocol
