package mphost

import "github.com/perijove/perijove/lib/mp/internal/profiling"

// StartProfile begins to write a profile of this process, and of the children that it
// starts or sends tasks meanwhile, into a folder. Kind is cpu, mem, block, mutex or
// goroutine. StopProfile ends it, and waits for the files of the children. Package
// execprofile reads the folder.
func StartProfile(folder, kind string) error { return profiling.Start(folder, kind) }

func StopProfile() error { return profiling.Stop() }
