package speedup

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/perijove/perijove/lib/internal/cgroup"
)

// A load is the CPU time that the machine and this program have used, in
// clock ticks, at a moment.
type load struct {
	at        time.Time
	busy, own float64
}

// ticksPerSecond is the kernel's USER_HZ, which is 100 on every architecture
// that Go supports on Linux.
const ticksPerSecond = 100

// readLoad reads /proc; it reports false where there is none.
func readLoad() (load, bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return load{}, false
	}
	busy, ok := busyTicks(stat)
	if !ok {
		return load{}, false
	}
	return load{at: time.Now(), busy: busy, own: ownTicks("/proc", os.Getpid())}, true
}

// busyTicks sums the first line's user, nice, system, irq, softirq and steal.
// Guests are part of user already.
func busyTicks(stat []byte) (float64, bool) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, false
	}
	busy := 0.0
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, false
		}
		busy += v
	}
	return busy, true
}

// ownTicks is the CPU time of a process, of its live descendants, and of those
// that were waited for.
func ownTicks(proc string, root int) float64 {
	type process struct {
		parent int
		ticks  float64
	}
	all := map[int]process{}
	names, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	if err != nil {
		return 0
	}
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		if parent, ticks, ok := parseStat(data); ok {
			all[pid] = process{parent, ticks}
		}
	}
	sum := 0.0
	for pid, p := range all {
		up := pid
		for hops := 0; up != root && up > 1 && hops < len(all); hops++ {
			up = all[up].parent
		}
		if up == root {
			sum += p.ticks
		}
	}
	return sum
}

// parseStat reads ppid, utime, stime, cutime and cstime of /proc/PID/stat. The
// name in parentheses may hold anything, so fields are counted behind it.
func parseStat(data []byte) (parent int, ticks float64, ok bool) {
	i := bytes.LastIndexByte(data, ')')
	if i < 0 {
		return 0, 0, false
	}
	fields := strings.Fields(string(data[i+1:]))
	if len(fields) < 15 {
		return 0, 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, 0, false
	}
	for _, f := range fields[11:15] {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, 0, false
		}
		ticks += v
	}
	return parent, ticks, true
}

// foreign is the number of cores that others kept busy between two moments.
func foreign(start, end load, ok bool) float64 {
	seconds := end.at.Sub(start.at).Seconds()
	if !ok || seconds <= 0 {
		return math.NaN()
	}
	return max(0, (end.busy-start.busy)-(end.own-start.own)) / ticksPerSecond / seconds
}

// usableCores is what the affinity mask and the CPU quotas of all enclosing
// control groups leave.
func usableCores() float64 { return min(float64(runtime.NumCPU()), cgroup.CPU(os.DirFS("/"))) }
