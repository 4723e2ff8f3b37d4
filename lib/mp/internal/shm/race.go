//go:build race

package shm

// alwaysInHeap makes all shared memory part of Go's heap. The race detector follows
// atomic operations only there.
const alwaysInHeap = true

// WindowSize is how much of a queue's memory is mapped at a time, in bytes.
const WindowSize = 1 << 20
