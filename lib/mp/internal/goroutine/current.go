//go:build amd64 || arm64

// Package goroutine returns ids of goroutines and threads.
package goroutine

// Current returns a number that identifies the calling goroutine while it lives.
// Afterwards another goroutine may get the same number.
func Current() uintptr
