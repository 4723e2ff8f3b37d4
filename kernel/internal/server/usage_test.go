package server

import (
	"fmt"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/perijove/perijove/kernel/internal/wire"
)

func statLine(pid int, name string, parent, ticks, pages int) *fstest.MapFile {
	return &fstest.MapFile{Data: fmt.Appendf(nil, "%d (%s) S %d 0 0 0 0 0 0 0 0 0 %d 1 0 0 0 0 0 0 0 0 %d 0\n", pid, name, parent, ticks, pages)}
}

func TestMeter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	root := fstest.MapFS{
		"proc/stat":      {Data: []byte("cpu 100 0 100 700 100 0 0 0 50 0\ncpu0 1\n")},
		"proc/meminfo":   {Data: []byte("MemTotal: 1000 kB\nMemAvailable: 250 kB\nMemFree: 100 kB\n")},
		"proc/10/stat":   statLine(10, "kernel", 1, 20, 3),
		"proc/11/stat":   statLine(11, "a (worker) x", 10, 40, 5),
		"proc/12/stat":   statLine(12, "child", 11, 0, 7),
		"proc/99/stat":   statLine(99, "stranger", 1, 1000, 1000),
		"proc/self/stat": statLine(10, "kernel", 1, 20, 3),
		"proc/13/stat":   {Data: []byte("13 (cut) S")},
	}
	m := &meter{root: root, now: func() time.Time { return now }}
	page := int64(os.Getpagesize())
	first := m.read(10)
	if first.KernelMemory != 15*page || first.KernelCPU != 0 || first.HostCPUPercent != 0 {
		t.Errorf("at first: %+v", first)
	}
	if v := first.HostVirtualMemory; v.Total != 1000<<10 || v.Available != 250<<10 || v.Used != 750<<10 || v.Percent != 75 {
		t.Errorf("memory: %+v", v)
	}
	now = now.Add(2 * time.Second)
	root["proc/stat"] = &fstest.MapFile{Data: []byte("cpu 150 0 150 900 100 0 0 0 50 0\n")}
	root["proc/11/stat"] = statLine(11, "worker", 10, 140, 6)
	delete(root, "proc/12/stat")
	second := m.read(10)
	if second.KernelMemory != 9*page || second.KernelCPU != 50 || second.HostCPUPercent != 100./3 {
		t.Errorf("then: %+v", second)
	}
}

// TestMeterOfThisProcess reads the files of the real /proc.
func TestMeterOfThisProcess(t *testing.T) {
	m := newMeter()
	u := m.read(os.Getpid())
	if u.KernelMemory < 1<<20 || u.HostVirtualMemory.Total < u.KernelMemory || u.HostVirtualMemory == (wire.VirtualMemory{}) {
		t.Errorf("%+v", u)
	}
}
