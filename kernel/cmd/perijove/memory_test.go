package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// statusMemory returns a field of /proc/PID/status in bytes, such as VmHWM, the peak resident memory, or RssFile, the resident
// pages of files.
func statusMemory(t *testing.T, pid int, field string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == field+":" {
			kb, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatalf("no %s of %d", field, pid)
	return 0
}

// TestWorkerMemory checks that the worker process does not keep the pages of its executable that only its start
// needed. After a cell, 11 MB of its files are resident; with these pages, 25 MB would be.
func TestWorkerMemory(t *testing.T) {
	k := startReal(t)
	if _, err := k.execute(cellRun{code: `fmt.Println("hello")`}); err != nil {
		t.Fatal(err)
	}
	workers := 0
	for _, p := range descendants(k.cmd.Process.Pid) {
		if p.name != "worker" {
			continue
		}
		workers++
		if n := statusMemory(t, p.pid, "RssFile"); n > 18<<20 {
			t.Errorf("the worker has %d bytes of files in its resident memory", n)
		}
	}
	if workers != 1 {
		t.Errorf("%d workers", workers)
	}
}
