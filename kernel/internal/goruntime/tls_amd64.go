package goruntime

// tlsDistance is that of an executable without C code.
const tlsDistance = 8
