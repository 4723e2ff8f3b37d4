//go:build race

package shm

// The race detector sees what synchronizes goroutines only in Go's own memory, so
// all shared memory is mapped there when it is on.
const alwaysInHeap = true

// WindowSize is how much of a queue's memory is mapped at a time, in bytes.
const WindowSize = 1 << 20
