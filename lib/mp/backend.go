package mp

// A Backend says where a function runs.
type Backend int

const (
	// Goroutines runs functions in this process: memory is shared, nothing is
	// copied or encoded, and a goroutine cannot be killed.
	Goroutines Backend = iota
	// Processes runs functions in child processes: arguments and results are
	// copied, variables are not shared, and a child can be killed.
	Processes
)

// String returns "goroutines" or "processes".
func (b Backend) String() string {
	switch b {
	case Goroutines:
		return "goroutines"
	case Processes:
		return "processes"
	}
	return "unknown backend"
}
