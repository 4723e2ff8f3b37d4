//go:build !race

package shm

const alwaysInHeap = false

// WindowSize is how much of a queue's memory is mapped at a time, in bytes.
const WindowSize = 16 << 20
