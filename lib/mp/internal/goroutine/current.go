//go:build amd64 || arm64

// Package goroutine tells goroutines apart.
package goroutine

// Current identifies the calling goroutine while it lives: afterwards another
// one may have the same number.
func Current() uintptr
