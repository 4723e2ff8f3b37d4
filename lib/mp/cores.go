package mp

import "fmt"

// childEnv shares the cores out among a pool's workers, so that they and the
// pools that they may start do not crowd each other.
func childEnv(workers int) []string {
	n := max(1, Cores()/max(workers, 1))
	return []string{fmt.Sprintf("GOMAXPROCS=%d", n), fmt.Sprintf("OMP_NUM_THREADS=%d", n)}
}
