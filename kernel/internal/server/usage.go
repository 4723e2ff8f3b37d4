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

	"github.com/perijove/perijove/internal/procfs"
	"github.com/perijove/perijove/kernel/internal/wire"
)

// A meter measures the values of a usage_reply, as ipykernel does: memory and processor use of the kernel, the worker
// process and the processes that cells have started. Processor use is the average since the last request, and 0 at the
// first request.
type meter struct {
	root fs.FS // root of the file system, for /proc
	now  func() time.Time

	mu   sync.Mutex // guards the fields below
	at   time.Time
	tree map[int]int64 // ticks by process
	host procfs.Times
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
	tree := map[int]int64{}
	for _, p := range procfs.Tree(procfs.Processes(m.root), pid) {
		tree[p.PID] = p.Ticks
		u.KernelMemory += p.Pages * int64(os.Getpagesize())
	}
	host, _ := procfs.Machine(m.root)
	now := m.now()
	if elapsed := now.Sub(m.at).Seconds(); !m.at.IsZero() && elapsed > 0 {
		var ticks int64
		for pid, t := range tree {
			ticks += max(0, t-m.tree[pid])
		}
		u.KernelCPU = 100 * float64(ticks) / procfs.TicksPerSecond / elapsed
		if total := host.Total - m.host.Total; total > 0 {
			u.HostCPUPercent = 100 * float64(host.Busy-m.host.Busy) / float64(total)
		}
	}
	m.at, m.tree, m.host = now, tree, host
	return u
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
