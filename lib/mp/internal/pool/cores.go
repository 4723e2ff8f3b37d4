package pool

import (
	"fmt"
	"math"
	"os"
	"runtime"

	"github.com/perijove/perijove/lib/internal/cgroup"
)

// Cores implements mp.Cores.
func Cores() int {
	cpus, quota := Machine()
	return wholeCores(min(cpus, runtime.GOMAXPROCS(0)), quota)
}

// Machine returns the number of processors that this process may use, and its quota
// of processor time, in processors. Tests replace it.
var Machine = func() (cpus int, quota float64) {
	return runtime.NumCPU(), cgroup.CPU(os.DirFS("/")) // NumCPU considers the affinity mask
}

// wholeCores returns the number of cores that a quota leaves of n, at least 1. The Go
// runtime itself considers only the quota of the innermost cgroup.
func wholeCores(n int, quota float64) int { return max(1, int(min(float64(n), math.Ceil(quota)))) }

// childEnv returns environment variables that divide the cores among a pool's workers.
func childEnv(workers int) []string {
	n := max(1, Cores()/max(workers, 1))
	return []string{fmt.Sprintf("GOMAXPROCS=%d", n), fmt.Sprintf("OMP_NUM_THREADS=%d", n)}
}
