package mphost

import "github.com/perijove/perijove/lib/mp/internal/tracing"

// StartTrace begins a recording as mp.Trace does, and StopTrace ends it. A Host calls
// them for code that it runs. TraceRoot marks the calling goroutine as the one that runs
// that code.
func StartTrace(folder string) error {
	if err := tracing.Clear(folder); err != nil {
		return err
	}
	return tracing.Start(folder)
}

func StopTrace() error { return tracing.Stop() }

// TracePackage is the prefix of the functions with which the goroutines of a recording
// begin. These goroutines sleep, but set no other timers.
const TracePackage = "github.com/perijove/perijove/lib/mp/internal/tracing."

func TraceRoot() { tracing.Root() }
