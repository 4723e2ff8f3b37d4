package goruntime

// tlsDistance is the TLSDistance of an executable without C code, in bytes.
const tlsDistance = 8
