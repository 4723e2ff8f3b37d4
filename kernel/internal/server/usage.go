package server

import (
	"context"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// ticksPerSecond is the unit of processor times in /proc, which Linux fixes for
// programs at 100, whatever its own clock.
const ticksPerSecond = 100

// A meter answers usage_request, as ipykernel does: what the kernel takes, with
// the worker and all that cells have started. Processor use is that since the
// last request; the first one tells none.
type meter struct {
	root fs.FS // of the file system, for /proc
	now  func() time.Time

	mu   sync.Mutex // guards what follows
	at   time.Time
	tree map[int]int // ticks by process
	busy int         // ticks of the whole machine
	all  int
}

func newMeter() *meter { return &meter{root: os.DirFS("/"), now: time.Now} }

func (s *Server) usage(context.Context, *request, *wire.UsageRequest) (reply, error) {
	host, err := os.Hostname()
	if err != nil {
		return reply{}, err
	}
	u := s.meter.read(os.Getpid())
	u.Status, u.Hostname, u.PID, u.CPUCount = wire.Status{Status: wire.StatusOK}, host, os.Getpid(), runtime.NumCPU()
	return answer(u)
}

// read measures the process pid and its descendants, and the machine.
func (m *meter) read(pid int) *wire.UsageReply {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := &wire.UsageReply{HostVirtualMemory: m.memory()}
	tree, resident := m.descendants(pid)
	u.KernelMemory = resident
	busy, all := m.machine()
	now := m.now()
	if elapsed := now.Sub(m.at).Seconds(); !m.at.IsZero() && elapsed > 0 {
		ticks := 0
		for pid, t := range tree {
			ticks += max(0, t-m.tree[pid])
		}
		u.KernelCPU = 100 * float64(ticks) / ticksPerSecond / elapsed
		if all > m.all {
			u.HostCPUPercent = 100 * float64(busy-m.busy) / float64(all-m.all)
		}
	}
	m.at, m.tree, m.busy, m.all = now, tree, busy, all
	return u
}

// descendants returns the processor times of a process and all below it, and
// their resident memory in bytes. Processes that end meanwhile are left out.
func (m *meter) descendants(root int) (ticks map[int]int, resident int64) {
	children := map[int][]int{}
	times, pages := map[int]int{}, map[int]int64{}
	files, _ := fs.Glob(m.root, "proc/[0-9]*/stat")
	for _, f := range files {
		text, err := fs.ReadFile(m.root, f)
		if err != nil {
			continue
		}
		// The name may hold spaces and brackets; after it: state, parent, ...
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 22 {
			continue
		}
		pid, parent := number(strings.Split(f, "/")[1]), number(fields[1])
		children[parent] = append(children[parent], pid)
		times[pid] = number(fields[11]) + number(fields[12])
		pages[pid] = int64(number(fields[21]))
	}
	ticks = map[int]int{}
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		if _, again := ticks[pid]; again {
			continue
		}
		ticks[pid] = times[pid]
		resident += pages[pid] * int64(os.Getpagesize())
		queue = append(queue, children[pid]...)
	}
	return ticks, resident
}

// machine returns the ticks in which processors worked, and all ticks.
func (m *meter) machine() (busy, all int) {
	text, err := fs.ReadFile(m.root, "proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, f := range strings.Fields(line) {
		const idle, waiting, guests = 4, 5, 9
		if i == 0 || i >= guests {
			continue
		}
		all += number(f)
		if i != idle && i != waiting {
			busy += number(f)
		}
	}
	return busy, all
}

func (m *meter) memory() wire.VirtualMemory {
	found := map[string]int64{}
	if text, err := fs.ReadFile(m.root, "proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) >= 2 {
				found[strings.TrimSuffix(fields[0], ":")] = int64(number(fields[1])) << 10
			}
		}
	}
	v := wire.VirtualMemory{
		Total: found["MemTotal"], Available: found["MemAvailable"], Free: found["MemFree"],
		Active: found["Active"], Inactive: found["Inactive"], Buffers: found["Buffers"],
		Cached: found["Cached"] + found["SReclaimable"], Shared: found["Shmem"], Slab: found["Slab"],
	}
	v.Used = v.Total - v.Available
	if v.Total > 0 {
		v.Percent = 100 * float64(v.Used) / float64(v.Total)
	}
	return v
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
