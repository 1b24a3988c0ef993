// Keeps a peer from aborting this program by way of libzmq. There is nothing to call: being linked is all.
#ifndef CARBONTUBE_STOPPED_INPUT_H
#define CARBONTUBE_STOPPED_INPUT_H
#endif
