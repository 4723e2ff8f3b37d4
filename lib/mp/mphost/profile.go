package mphost

import "github.com/perijove/perijove/lib/mp/internal/profiling"

// StartProfile begins a profile of this process, and of the children that it starts or
// sends tasks to, in the given folder. kind is cpu, mem, block, mutex or goroutine.
// Package execprofile reads the folder.
func StartProfile(folder, kind string) error { return profiling.Start(folder, kind) }

// StopProfile ends the profile that StartProfile began, and waits for the files of the children.
func StopProfile() error { return profiling.Stop() }
