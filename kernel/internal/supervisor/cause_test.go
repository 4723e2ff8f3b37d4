package supervisor

import (
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestExplain(t *testing.T) {
	for words, want := range map[string]string{
		"fatal error: concurrent map read and map write": "guard it with a sync.Mutex (fatal error: concurrent map read and map write)",
		"fatal error: sync: RUnlock of unlocked RWMutex": "a mutex was unlocked although it was not locked (fatal error",
		"fatal error: stack overflow":                    "the stack overflowed",
		"fatal error: fault":                             "invalid pointer",
		"SIGSEGV: segmentation violation":                "invalid pointer",
		"fatal error: found bad pointer in Go heap":      "damaged memory",
		"SIGABRT: abort":                                 "SIGABRT: abort",
	} {
		if got := explain(words); !strings.Contains(got, want) {
			t.Errorf("%s: %s", words, got)
		}
	}
}

// TestOOMKiller: a SIGKILL is attributed to the OOM killer if the system's count of such
// kills has grown.
func TestOOMKiller(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	root := fstest.MapFS{
		"proc/vmstat":      file("nr_free 7\noom_kill 3\n"),
		"proc/self/cgroup": file("0::/user.slice/a\n"),
		"sys/fs/cgroup/user.slice/a/memory.events": file("oom 4\noom_kill 2\noom_group_kill 0\n"),
	}
	before := oomKills(root)
	if before != 5 {
		t.Errorf("%d kills, want 5", before)
	}
	if got := endedBySignal(syscall.SIGKILL, root, before); strings.Contains(got, "memory") {
		t.Error(got)
	}
	root["proc/vmstat"] = file("oom_kill 4\n")
	if got := endedBySignal(syscall.SIGKILL, root, before); !strings.Contains(got, "memory ran out") || !strings.Contains(got, "signal 9 (killed)") {
		t.Error(got)
	}
	if got := endedBySignal(syscall.SIGTERM, root, before); strings.Contains(got, "memory") {
		t.Error(got)
	}
	if got := oomKills(fstest.MapFS{}); got != 0 {
		t.Errorf("%d kills in an empty system", got)
	}
}
