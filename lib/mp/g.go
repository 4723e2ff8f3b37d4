//go:build amd64 || arm64

package mp

// currentG identifies the calling goroutine while it lives: afterwards another
// one may have the same number.
func currentG() uintptr
