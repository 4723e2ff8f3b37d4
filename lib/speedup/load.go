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
func usableCores() float64 {
	cores := float64(runtime.NumCPU())
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return cores
	}
	return min(cores, quota("/sys/fs/cgroup", string(groups)))
}

// quota is the smallest CPU limit on the way up from a process's groups.
func quota(root, groups string) float64 {
	limit := math.Inf(1)
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base := ""
		switch {
		case parts[1] == "": // version 2
			base = root
		case strings.Contains(","+parts[1]+",", ",cpu,"):
			base = filepath.Join(root, parts[1])
		default:
			continue
		}
		for dir := filepath.Join("/", parts[2]); ; dir = filepath.Dir(dir) {
			limit = min(limit, groupQuota(filepath.Join(base, dir)))
			if dir == "/" {
				break
			}
		}
	}
	return limit
}

func groupQuota(dir string) float64 {
	var quota, period string
	if data, err := os.ReadFile(filepath.Join(dir, "cpu.max")); err == nil {
		quota, period, _ = strings.Cut(strings.TrimSpace(string(data)), " ")
	} else {
		q, err1 := os.ReadFile(filepath.Join(dir, "cpu.cfs_quota_us"))
		p, err2 := os.ReadFile(filepath.Join(dir, "cpu.cfs_period_us"))
		if err1 != nil || err2 != nil {
			return math.Inf(1)
		}
		quota, period = strings.TrimSpace(string(q)), strings.TrimSpace(string(p))
	}
	q, err1 := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err1 != nil || err2 != nil || q <= 0 || p <= 0 {
		return math.Inf(1) // "max", or -1
	}
	return q / p
}
