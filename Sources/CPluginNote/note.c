#include "carbontube.h"
#include "plugin_note.h"

#ifndef CT_SWIFT_VERSION
#error "the package manifest defines CT_SWIFT_VERSION from its compiler"
#endif

// A plugin that brings its own runtime along does not need the host's.
#ifdef CT_SELF_CONTAINED
CT_PLUGIN_NOTE(0, CT_SWIFT_VERSION);
#else
CT_PLUGIN_NOTE(CT_NOTE_SWIFT_DYNAMIC, CT_SWIFT_VERSION);
#endif

uint32_t ct_plugin_note_swift_version(void) { return ct_plugin_note.swift_version; }
