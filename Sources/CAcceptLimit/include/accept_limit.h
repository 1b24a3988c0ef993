// Connections that may be accepted, by the descriptors they would take.
#ifndef CARBONTUBE_ACCEPT_LIMIT_H
#define CARBONTUBE_ACCEPT_LIMIT_H

/// From now on whoever connects where only a descriptor of `lowest` or above is free is shut out at once, by whichever
/// library accepts in this program: what others must be able to open stays free, however fast connections come.
///
/// `refused` is called for each of them, on any thread; it must not block.
void accept_below(int lowest, void (*refused)(void));

#endif
