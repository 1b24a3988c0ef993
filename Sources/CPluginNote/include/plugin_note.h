// Puts the ELF note into every plugin that links this module.
#ifndef CARBONTUBE_PLUGIN_NOTE_H
#define CARBONTUBE_PLUGIN_NOTE_H

#include <stdint.h>

/// The Swift version in the note, 603 for Swift 6.3.
uint32_t ct_plugin_note_swift_version(void);

#endif
