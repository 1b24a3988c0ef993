// Throws through a C function, which has no way to say what then happens.
#include <stdexcept>

extern "C" void misdeed() { throw std::runtime_error("thrown in C++"); }
