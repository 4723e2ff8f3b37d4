package mphost

import "github.com/perijove/perijove/lib/mp/internal/tracing"

// StartTrace begins a recording in the given folder as mp.Trace does. A Host calls it before
// code that it runs.
func StartTrace(folder string) error {
	if err := tracing.Clear(folder); err != nil {
		return err
	}
	return tracing.Start(folder)
}

// StopTrace ends the recording that StartTrace began, and waits for the files of the children.
func StopTrace() error { return tracing.Stop() }

// TracePackage is the prefix of the names of functions with which goroutines that record a
// trace begin. A Host that looks for deadlocks can recognize these goroutines by the prefix.
const TracePackage = "github.com/perijove/perijove/lib/mp/internal/tracing."

// TraceRoot marks the calling goroutine as the one that runs the recorded code.
func TraceRoot() { tracing.Root() }
