#include "carbontube.h"
#include "plugin_note.h"

#ifndef CT_SWIFT_VERSION
#error "the package manifest defines CT_SWIFT_VERSION from its compiler"
#endif

CT_PLUGIN_NOTE(CT_NOTE_SWIFT_DYNAMIC, CT_SWIFT_VERSION);

uint32_t ct_plugin_note_swift_version(void) { return ct_plugin_note.swift_version; }
