//go:build !linux

package scratch

// NewInMemory returns nil: folders in memory are supported only on Linux.
func NewInMemory() *Folder { return nil }
