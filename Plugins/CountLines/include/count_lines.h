// A plugin has no interface but its entry, which carbontube.h declares; the package manager wants a header.
