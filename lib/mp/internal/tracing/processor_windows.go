package tracing

import "time"

// processorTime returns false: timelines recorded on Windows have no curve of processor time.
func processorTime() (time.Duration, bool) { return 0, false }
