//go:build !race

package child

// raceDetector reports whether the program is built with -race. The detector does not
// follow atomic operations in memory that processes share, so accesses that depend on such
// operations must be ordered by other means, too.
const raceDetector = false
