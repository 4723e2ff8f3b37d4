//go:build !race

package child

// raceDetector is whether the program is built with -race. The detector does
// not follow memory that processes share: accesses that atomic operations order
// there must be ordered for it by other means, too.
const raceDetector = false
